// An edit of the source that is made while no operator runs does what it would do with one, and no more.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';
import { closed } from './windows.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

/** The drift that the status tells of the ConfigMap, by its action. */
const actionOf = async (team: Team, name: string) =>
  (await team.status()).drift?.objects.find((object) => object.name === name)?.action;

it('one that resumes leaves drift where drift is left, also when it was suspended with an operator', async () => {
  const team = await Team.ready(world, 'resumes', { 'a.yaml': config('resumes') }, { drift: { mode: 'Report' } });
  await team.patch({ spec: { suspend: true } });
  await team.condition('Ready', 'True', { reason: 'Suspended' });
  await world.operator.stop('SIGKILL');
  await world.edit('v1/configmaps/resumes', { data: { key: 'edited' } });
  world.startOperator();
  await until(() => world.operator.lines.some(({ msg }) => msg === 'watching sources'), { what: 'it is back' });
  await team.patch({ spec: { suspend: false } });
  await until(async () => (await actionOf(team, 'resumes')) === 'Reported', { what: 'it is told' });
  assert.deepEqual(await dataOf(world, 'resumes'), { key: 'edited' });
});

it('one that changes no object leaves drift where drift is left', async () => {
  const reports = await Team.ready(world, 'reports', { 'a.yaml': config('reports') }, { drift: { mode: 'Report' } });
  const windows = [closed('heal')];
  const waits = await Team.ready(world, 'waits', { 'a.yaml': config('waits') }, { windows });
  const heals = await Team.ready(world, 'heals', { 'a.yaml': config('heals') });
  await world.operator.stop('SIGKILL');
  for (const { name } of [reports, waits, heals])
    await world.edit(`v1/configmaps/${name}`, { data: { key: 'edited' } });
  for (const team of [reports, waits, heals]) await team.patch({ spec: { retryInterval: '7m' } });
  world.startOperator();
  await until(async () => (await actionOf(heals, 'heals')) === 'Healed', { what: 'it is told as healed' });
  await until(async () => (await actionOf(reports, 'reports')) === 'Reported', { what: 'it is told' });
  await until(async () => (await actionOf(waits, 'waits')) === 'WaitingForWindow', { what: 'it is told to wait' });
  const values = await Promise.all(
    ['reports', 'waits', 'heals'].map(async (name) => (await dataOf(world, name))?.['key']),
  );
  assert.deepEqual(values, ['edited', 'edited', 'value']);
});

it('one that changes what it declares waits for dependsOn, and one that does not keeps nothing from being put back', async () => {
  const parent = await Team.ready(world, 'base', { 'a.yaml': config('base-a') });
  const files = { 'here/a.yaml': config('moved-a'), 'there/b.yaml': config('moved-b') };
  const dependsOn = [{ name: 'base' }];
  const moved = await Team.ready(world, 'moved', files, { path: 'here', dependsOn });
  const hurried = await Team.ready(world, 'hurried', { 'a.yaml': config('hurried-a') }, { dependsOn });
  await parent.commit({ 'a.yaml': 'kind: [' });
  await parent.condition('Ready', 'False');
  await world.operator.stop('SIGKILL');
  await moved.patch({ spec: { path: 'there' } });
  await hurried.patch({ spec: { interval: '7m' } });
  await world.edit('v1/configmaps/hurried-a', { data: { key: 'edited' } });
  world.startOperator();
  await until(async () => (await dataOf(world, 'hurried-a'))?.['key'] === 'value', { what: 'what stands is put back' });
  await until(async () => (await moved.status()).observedGeneration === 2);
  await moved.condition('Ready', 'False', { reason: 'DependencyNotReady' });
  assert.equal(await dataOf(world, 'moved-b'), undefined);
  await present(world, 'moved-a');
  await parent.push({ 'a.yaml': config('base-a') });
  await moved.condition('Ready', 'True');
  await present(world, 'moved-b');
  await present(world, 'moved-a', false);
});
