// Secrets are not watched: what is said of one that is missing ends all the same when somebody brings it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, edgeFixture, host, mapping, reasonOf, statusWith } from './edge.ts';
import { applyObject } from './install.ts';

const { world, shop } = await edgeFixture('shop');

it('a Host that waits for its certificate is told as sound once it has it', async () => {
  const tls = host('tls', 'tls.example', { tlsSecret: { name: 'brought' } });
  const files = { 'h.yaml': tls, 'm.yaml': mapping('tls', 'tls.example', '/') };
  const source = await shop.source('app', files, { edge: { mode: 'Warn' } });
  const { edge } = await statusWith(source, 'EdgeHealthy=False', undefined, (status) => {
    return reasonOf(status, 'EdgeHealthy') === 'EdgeFindings';
  });
  assert.ok(edge?.findings.some(({ rule, name }) => rule === 'EM060' && name === 'tls'));
  await applyObject(world.cluster, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'brought', namespace: shop.namespace },
    data: { 'tls.crt': 'Kg==', 'tls.key': 'Kg==' },
  });
  await applied(source);
  await statusWith(source, 'EdgeHealthy=True', undefined, (now) => reasonOf(now, 'EdgeHealthy') === 'EdgeSound');
});
