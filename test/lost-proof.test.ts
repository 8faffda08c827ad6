// The annotation that proves whose an object is may be taken off while no operator runs, and the object leave Git meanwhile.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const OWNER = 'plumbline.dev/owner';
const unproven = (name: string) =>
  world.edit(`v1/configmaps/${name}`, { metadata: { annotations: { [OWNER]: null } } });
const objectOf = async (name: string) => (await world.get(`v1/configmaps/${name}`)) as KubeObject;

/** As `kubectl get -o yaml`, another name, and `kubectl create` make it: labels and managedFields are those of the original. */
async function copied(original: string, name: string): Promise<void> {
  const { labels, annotations, managedFields } = (await objectOf(original)).metadata;
  const copy = { metadata: { name, labels, annotations, managedFields }, data: { mine: 'x' } };
  await world.expect(201, 'POST', world.path('v1/configmaps'), { body: copy });
}

it('what leaves Git before it is put back is pruned all the same; copies stay', async () => {
  const team = await Team.ready(world, 'left', {
    'stays.yaml': config('left-stays'),
    'goes.yaml': config('left-goes'),
    'kept.yaml': config('left-kept', {}, { annotations: { 'plumbline.dev/prune': 'disabled' } }),
  });
  await world.operator.stop('SIGKILL');
  for (const name of ['left-goes', 'left-kept']) await unproven(name);
  await copied('left-goes', 'left-copy');
  const commit = await team.commit({ 'goes.yaml': null, 'kept.yaml': null });
  world.startOperator();
  await team.condition('Ready', 'True', { revision: commit });
  await present(world, 'left-goes', false);
  assert.deepEqual(await dataOf(world, 'left-copy'), { mine: 'x' });
  assert.equal((await objectOf('left-kept')).metadata.annotations?.[OWNER], undefined);
  await until(async () => (await team.status()).inventory?.count === 1);
});

it('so it is when the operator runs but leaves drift', async () => {
  const team = await Team.ready(
    world,
    'told',
    { 'stays.yaml': config('told-stays'), 'goes.yaml': config('told-goes') },
    { drift: { mode: 'Report' } },
  );
  await unproven('told-goes');
  await team.condition('Drifted', 'True');
  await team.push({ 'goes.yaml': null });
  await present(world, 'told-goes', false);
});

it('what may not be pruned at once is known as its source’s from then on', async () => {
  const names = Array.from({ length: 4 }, (_, index) => `many-${index}`);
  const files = Object.fromEntries(names.map((name) => [`${name}.yaml`, config(name)]));
  const guard = { pruneGuard: { maxCount: 2 } };
  const team = await Team.ready(world, 'many', { ...files, 'stays.yaml': config('many-stays') }, guard);
  await world.operator.stop('SIGKILL');
  for (const name of names) await unproven(name);
  const commit = await team.commit(Object.fromEntries(Object.keys(files).map((file) => [file, null])));
  world.startOperator();
  await team.condition('Ready', 'False', { reason: 'PruneBlocked' });
  await world.operator.stop('SIGKILL');
  world.startOperator();
  await team.annotate({ 'plumbline.dev/approve-prune': commit });
  await team.condition('Ready', 'True', { revision: commit });
  for (const name of names) await present(world, name, false);
});

it('what another source takes over becomes its own', async () => {
  const giver = await Team.ready(world, 'giver', { 'stays.yaml': config('giver-stays'), 'x.yaml': config('handed') });
  const heir = await Team.ready(world, 'heir', { 'stays.yaml': config('heir-stays') });
  await world.operator.stop('SIGKILL');
  await unproven('handed');
  const given = await giver.commit({ 'x.yaml': null });
  const adopting = { annotations: { 'plumbline.dev/adopt': 'true' } };
  const taken = await heir.commit({ 'x.yaml': config('handed', { by: 'heir' }, adopting) });
  world.startOperator();
  await giver.condition('Ready', 'True', { revision: given });
  await heir.condition('Ready', 'True', { revision: taken });
  const { metadata } = await objectOf('handed');
  assert.match(metadata.annotations?.[OWNER] ?? '', /\/heir:/);
  assert.deepEqual(await dataOf(world, 'handed'), { by: 'heir' });
});
