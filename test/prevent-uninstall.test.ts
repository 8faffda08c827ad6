// Taking Plumbline away takes away what refuses: all of it goes with our CRDs, by the cluster's own garbage collection.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { Cluster } from './cluster.ts';
import { installCrd } from './operator.ts';
import { effective, guarded, made, preventCluster, preventWorld } from './prevent.ts';
import { config, deployment } from './team.ts';
import { until } from './until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const CRD = `${CRDS}/gitopssources.plumbline.dev`;
const files = { 'a.yaml': config('a'), 'web.yaml': deployment('web', { replicas: 1 }) };

// One of its own: the CRD that is deleted here is everybody's.
let cluster: Cluster;
before(async () => void (cluster = await preventCluster()));
after(() => cluster.stop());

for (const operator of ['running', 'gone'] as const) {
  it(`the CRDs are deleted while the operator is ${operator}: what it managed stays, and is anybody's`, async () => {
    await installCrd(cluster);
    await using world = await preventWorld(cluster);
    const team = await guarded(world, 'app', files);
    await effective(world, 'v1/configmaps/a');
    if (operator === 'gone') await world.operator.stop('SIGKILL');
    await world.expect(200, 'DELETE', CRD);
    await world.expect(200, 'DELETE', `${CRDS}/driftguards.plumbline.dev`);
    // No finalizer holds a guard, and without it nothing is refused.
    await until(async () => {
      const { status } = await cluster.request('PATCH', world.path('v1/configmaps/a'), {
        body: { metadata: { labels: { 'plumbline.dev/name': 'nobody' } } },
      });
      return status === 200;
    });
    const scale = `${world.path('apps/v1/deployments/web')}/scale`;
    await world.expect(200, 'PATCH', scale, { body: { spec: { replicas: 3 } } });
    if (operator === 'gone') await team.patch({ metadata: { finalizers: null } });
    await until(async () => (await cluster.request('GET', CRD)).status === 404, { timeoutMs: 90_000 });
    for (const kind of ['policies', 'bindings'] as const)
      await until(async () => (await made(world, kind)).length === 0, { what: `${kind} are collected` });
    assert.ok(await world.get('v1/configmaps/a'));
    await world.expect(200, 'DELETE', world.path('v1/configmaps/a'));
  });
}

it('installed again, Prevent works as before', async () => {
  await installCrd(cluster);
  await using world = await preventWorld(cluster);
  await guarded(world, 'app', files);
  await effective(world, 'v1/configmaps/a');
  await world.expect(200, 'DELETE', CRD);
  await until(async () => (await cluster.request('DELETE', world.path('v1/configmaps/a'))).status === 200, {
    what: 'it opens with the CRD of the sources alone, too',
  });
  await until(async () => (await cluster.request('GET', CRD)).status === 404, { timeoutMs: 90_000 });
  await until(async () => (await made(world, 'guards')).length === 0, { what: 'guards are removed' });
});
