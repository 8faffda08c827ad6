// Objects of every shape, applied and then left alone by people: whatever the API server, its defaults and its controllers
// make of them, they are never called drifted, however often everything is listed and compared anew.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { dump } from 'js-yaml';
import { EDGE, host, installEmissary, mapping } from './edge.ts';
import { installShapes, shapes } from './drift-cluster.ts';
import { World } from './operator.ts';
import { manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => {
  world = await World.create();
  await Promise.all([installShapes(world.cluster), installEmissary(world.cluster)]);
});
after(() => world[Symbol.asyncDispose]());

/** In both versions of the API, as teams declare them. */
function edgeObjects(): Record<string, string> {
  const name = `never-${world.namespace}.example.com`;
  const timings = { timeout_ms: 4000, add_request_headers: { 'x-c': { value: 'd', append: false } } };
  return {
    'listener.yaml': manifest(EDGE, 'Listener', 'never', {
      spec: { port: 8080, protocol: 'HTTP', securityModel: 'XFP', hostBinding: { namespace: { from: 'SELF' } } },
    }),
    'host.yaml': host('never', name),
    'mapping.yaml': mapping('never', name, '/', timings),
    'mapping-v2.yaml': manifest('getambassador.io/v2', 'Mapping', 'never-v2', {
      spec: { host: name, prefix: '/v2/', service: 'web:80', weight: 10, labels: { ambassador: [] } },
    }),
    'context.yaml': manifest(EDGE, 'TLSContext', 'never', { spec: { hosts: [name], min_tls_version: 'v1.2' } }),
    'resolver.yaml': manifest(EDGE, 'KubernetesEndpointResolver', 'never', { spec: {} }),
  };
}

/** What the renderer has to turn into what the server keeps. */
function renderedObjects(): Record<string, string> {
  const { namespace } = world;
  const wrapped = Buffer.from('a certificate in lines').toString('base64').replace(/.{8}/g, '$&\n');
  return {
    // As documentation shows it; the control plane fills the rules in.
    'aggregated.yaml': manifest('rbac.authorization.k8s.io/v1', 'ClusterRole', `${namespace}:filled`, {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { parts: namespace } }] },
      rules: [],
    }),
    'wrapped.yaml': manifest('v1', 'Secret', 'wrapped', { data: { cert: wrapped }, stringData: { key: 'x' } }),
    'status.yaml': manifest('v1', 'Service', 'exported', {
      metadata: { creationTimestamp: null, uid: 'x', resourceVersion: '1', annotations: null },
      spec: { ports: [{ port: 80 }] },
      status: { loadBalancer: {} },
    }),
  };
}

it('no shape is ever called drifted', async () => {
  const files = Object.fromEntries(
    shapes(world.namespace).map((object, index) => [`${index}-${object.kind}.yaml`, dump(object, { noRefs: true })]),
  );
  const all = { ...files, ...edgeObjects(), ...renderedObjects() };
  const count = Object.keys(all).length;
  assert.ok(count >= 65, `${count} objects`);
  // The policies of other tests on the same cluster would have a say.
  const team = await Team.ready(world, 'never', all, { edge: { mode: 'Off' } });
  const created = world.operator.writes;
  assert.deepEqual(
    created.filter((write) => !write.startsWith('created')),
    [],
  );
  assert.equal(created.length, count);

  const compared = async (token: string) => {
    await team.annotate({ 'plumbline.dev/requestedAt': token });
    await until(async () => (await team.status()).lastHandledReconcileAt === token, { timeoutMs: 60_000 });
    const { status } = await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.deepEqual(status?.drift?.objects, []);
    assert.equal(status.drift.healedCount, 0);
  };
  for (const token of ['one', 'two', 'three']) await compared(token);
  assert.deepEqual(world.operator.writes, created);

  await world.operator.stop();
  world.startOperator();
  for (const token of ['four', 'five', 'six']) await compared(token);
  assert.deepEqual(world.operator.writes, []);
});
