// What is live and nobody's counts too: objects made by hand, old annotations on Services, clones of Argo Rollouts.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, EDGE, host, mapping, policyOf, statusWith } from './edge.ts';
import { applyObject } from './install.ts';

const { world, shop, legacy } = await edgeFixture('shop', 'legacy');

it('a route that an annotation of a Service has, in the oldest style, cannot be taken', async () => {
  const annotation = `---
apiVersion: ambassador/v1
kind: Mapping
name: old_style
host: old.example
prefix: /api/
service: backend:80
`;
  await applyObject(world.cluster, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'backend', namespace: legacy.namespace, annotations: { 'getambassador.io/config': annotation } },
    spec: { ports: [{ port: 80 }] },
  });
  const source = await shop.source('app', {
    'h.yaml': host('old', 'old.example'),
    'm.yaml': mapping('api', 'old.example', '/api/'),
  });
  const { conditions } = await blocked(source);
  const { message } = conditions!.find(({ type }) => type === 'EdgeHealthy')!;
  assert.match(message, /EM010 .*in the annotation of Service legacy-\w+\/backend/);

  // Without the annotation the route is free, and nobody has to touch the source.
  const path = `/api/v1/namespaces/${legacy.namespace}/services/backend`;
  await world.expect(200, 'PATCH', path, { body: { metadata: { annotations: { 'getambassador.io/config': null } } } });
  await applied(source);
});

it('the clone that Argo Rollouts makes is a member: it is no finding, and not pruned', async () => {
  const source = await shop.source('rollout', {
    'h.yaml': host('canary', 'canary.example'),
    'm.yaml': mapping('web', 'canary.example', '/'),
  });
  await applied(source);
  const clone = {
    apiVersion: EDGE,
    kind: 'Mapping',
    metadata: { name: 'web-canary', namespace: shop.namespace },
    spec: { hostname: 'canary.example', prefix: '/', service: 'web-canary:80', weight: 20 },
  };
  await applyObject(world.cluster, clone);
  const commit = await source.repository.write({ 'n.yaml': mapping('next', 'canary.example', '/next/') });
  await applied(source, commit);
  assert.ok(await policyOf(shop, 'Mapping', 'web-canary'));
  const status = await statusWith(source, 'two routes', commit, ({ edge }) => edge?.routes === 2);
  assert.deepEqual(
    status.edge?.findings.filter(({ severity }) => severity === 'error'),
    [],
  );
});
