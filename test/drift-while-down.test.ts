// Edits made while the operator was down are put back when it starts, told as drift, and nothing else is written.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, deployment, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const files = () => ({
  ...Object.fromEntries(
    ['edited', 'deleted', 'stripped', 'cleared', 'foreign', 'same'].map((name) => [`${name}.yaml`, config(name)]),
  ),
  'web.yaml': deployment('web'),
});

async function versions(...places: string[]): Promise<(string | undefined)[]> {
  return Promise.all(places.map(async (place) => (await world.get(place))?.metadata.resourceVersion));
}

it('what others did while nobody watched is healed and said; what they did not touch is not written', async () => {
  const team = await Team.ready(world, 'down', files());
  await team.condition('Drifted', 'False', { reason: 'InSync' });
  const { healedCount } = (await team.status()).drift!;
  assert.equal(healedCount, 0);
  await world.operator.stop('SIGKILL');

  await world.edit('v1/configmaps/edited', { data: { key: 'other' } }, 'night-shift');
  await world.expect(200, 'DELETE', world.path('v1/configmaps/deleted'));
  await world.edit('v1/configmaps/stripped', { metadata: { labels: null } });
  await world.expect(200, 'PATCH', `${world.path('v1/configmaps/cleared')}?fieldManager=cleaner`, {
    body: [
      { op: 'replace', path: '/metadata/managedFields', value: [{}] },
      { op: 'replace', path: '/data/key', value: 'other' },
    ],
    contentType: 'application/json-patch+json',
  });
  await world.edit('v1/configmaps/foreign', { data: { mine: 'x' }, metadata: { annotations: { mine: 'x' } } });
  await world.edit('apps/v1/deployments/web', { spec: { replicas: 1 } });
  const untouched = ['v1/configmaps/foreign', 'v1/configmaps/same'];
  const before = await versions(...untouched);

  world.startOperator();
  await until(async () => (await team.status()).drift?.healedCount === 5);
  const { status } = await team.condition('Drifted', 'False', { reason: 'InSync' });
  const healed = world.operator.lines
    .filter(({ audit }) => audit)
    .map(({ action, object, fields }) => {
      const [{ path, live, manager }] = fields as [{ path: string; live?: string; manager?: string }];
      return [action, (object as { name: string }).name, path, live, manager].join(' ').trimEnd();
    });
  assert.deepEqual(healed.sort(), [
    'healed cleared /data/key other',
    'healed edited /data/key other night-shift',
    'healed stripped /metadata/labels',
    'healed web /spec/replicas 1 kubectl-edit',
    'recreated deleted /',
  ]);
  const shown = status?.drift?.objects.map(({ name, action }) => `${name} ${action}`).sort();
  assert.deepEqual(shown, ['cleared Healed', 'deleted Recreated', 'edited Healed', 'stripped Healed', 'web Healed']);
  assert.deepEqual(await versions(...untouched), before);
  assert.equal((await dataOf(world, 'edited'))?.['key'], 'value');
});

it('what the status says of earlier drift outlives a restart', async () => {
  const team = await Team.ready(world, 'kept', { 'k.yaml': config('kept-k') });
  await world.edit('v1/configmaps/kept-k', { data: { key: 'other' } });
  await until(async () => (await team.status()).drift?.healedCount === 1);
  await world.operator.stop();
  const before = await said(team);
  world.startOperator();
  await team.annotate({ 'plumbline.dev/requestedAt': 'x' });
  await until(async () => (await team.status()).lastHandledReconcileAt === 'x');
  const { lastHandledReconcileAt: _, ...status } = await said(team);
  assert.deepEqual(status, before);
});

/** The status, but for when its conditions came about: a start that takes seconds is told, and they are True anew after it. */
async function said(team: Team) {
  const { conditions, ...status } = await team.status();
  return { ...status, conditions: conditions?.map((condition) => ({ ...condition, lastTransitionTime: '' })) };
}
