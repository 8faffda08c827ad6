// drift.mode Prevent with drift.foreignFields Remove: declared fields are refused, what others add passes, and is taken out.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { Cluster } from './cluster.ts';
import type { World } from './operator.ts';
import { effective, guarded, preventCluster, preventWorld, refused } from './prevent.ts';
import { config, dataOf, deployment, type Team } from './team.ts';
import { until } from './until.ts';

let cluster: Cluster;
let world: World;
let team: Team;
before(async () => {
  cluster = await preventCluster();
  world = await preventWorld(cluster);
  const drift = { mode: 'Prevent' as const, foreignFields: 'Remove' as const, allowManagers: ['friend'] };
  const files = { 'a.yaml': config('a'), 'web.yaml': deployment('web', { replicas: 1 }) };
  team = await guarded(world, 'shop', files, { drift });
  await effective(world, 'v1/configmaps/a');
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

const place = 'v1/configmaps/a';

it('an addition passes and goes; one together with a declared field is refused as a whole', async () => {
  await world.edit(place, { data: { extra: 'theirs' }, metadata: { labels: { x: 'y' } } }, 'somebody');
  await until(async () => (await dataOf(world, 'a'))?.['extra'] === undefined, { what: 'the addition is gone' });
  const object = (await world.get(place))!;
  assert.equal(object.metadata.labels?.['x'], undefined);
  assert.deepEqual(object['data'], { key: 'value' });
  await refused(world, 'PATCH', world.path(place), { body: { data: { key: 'edited', extra: 'theirs' } } });
  assert.deepEqual(await dataOf(world, 'a'), { key: 'value' });
});

it('removing is not refused to the operator itself, and takes nothing that is declared or allowed', async () => {
  const web = world.path('apps/v1/deployments/web');
  const strategic = { contentType: 'application/strategic-merge-patch+json' };
  const env = (manager: string, name: string) => {
    const template = { spec: { containers: [{ name: 'app', env: [{ name, value: '1' }] }] } };
    return world.expect(200, 'PATCH', `${web}?fieldManager=${manager}`, { body: { spec: { template } }, ...strategic });
  };
  await env('friend', 'KEPT');
  await env('somebody', 'GONE');
  type Web = { spec: { template: { spec: { containers: { image: string; env?: { name: string }[] }[] } } } };
  const container = async () =>
    ((await world.get('apps/v1/deployments/web')) as unknown as Web).spec.template.spec.containers[0]!;
  await until(async () => !(await container()).env?.some(({ name }) => name === 'GONE'));
  const { image, env: left } = await container();
  assert.deepEqual([image, left?.map(({ name }) => name)], ['app:1', ['KEPT']]);
  await refused(world, 'PATCH', `${web}/scale`, { body: { spec: { replicas: 3 } } });
  await team.condition('Ready', 'True');
  await team.condition('Drifted', 'False', { reason: 'InSync' });
  const { failures } = await team.status();
  assert.equal(failures, undefined);
});

it('by the account of the source, when it has one', async () => {
  const name = 'writer';
  await world.expect(201, 'POST', world.path('v1/serviceaccounts'), { body: { metadata: { name } } });
  await world.expect(201, 'POST', world.path('rbac.authorization.k8s.io/v1/rolebindings'), {
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name, namespace: world.namespace }],
    },
  });
  await team.patch({ spec: { serviceAccountName: name } });
  await team.condition('Ready', 'True');
  await world.edit(place, { data: { later: 'theirs' } }, 'somebody');
  await until(async () => (await dataOf(world, 'a'))?.['later'] === undefined);
  await refused(world, 'PATCH', world.path(place), { body: { data: { key: 'edited' } } });
});

it('what was added while the operator was down is taken out afterwards', async () => {
  await world.operator.stop('SIGKILL');
  await world.edit(place, { data: { meanwhile: 'theirs' } }, 'somebody');
  world.startOperator();
  await until(async () => (await dataOf(world, 'a'))?.['meanwhile'] === undefined, { timeoutMs: 60_000 });
  assert.deepEqual(await dataOf(world, 'a'), { key: 'value' });
});
