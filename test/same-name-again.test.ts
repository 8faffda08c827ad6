// A source, or an object in Git, that goes and comes again under its old name starts afresh: nothing that was known of the old
// one stands in for a look at what is there now.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('a source that is deleted and created again', { concurrency: true }, () => {
  it('puts back what was edited while nobody managed it', async () => {
    const files = { 'a.yaml': config('orphan-a') };
    const team = await Team.ready(world, 'orphan', files, { deletionPolicy: 'Orphan' });
    await team.delete();
    await team.gone();
    await world.edit('v1/configmaps/orphan-a', { data: { key: 'edited' } });
    await world.createSource({ url: team.repository.url }, 'orphan');
    await team.condition('Ready', 'True');
    assert.deepEqual(await dataOf(world, 'orphan-a'), { key: 'value' });
  });

  it('tells its status, although the old one was still waiting for health', async () => {
    const files = { 'a.yaml': config('waiter-a') };
    const team = await Team.ready(world, 'waiter', files, { wait: true, timeout: '1s' });
    await team.delete();
    await team.gone();
    // Past the moment at which the old one would have said that the time for health is over.
    await pause(1_500);
    await world.createSource({ url: team.repository.url }, 'waiter');
    await team.condition('Ready', 'True');
  });
});

describe('an object that leaves Git and comes back', () => {
  it('is put back when it was edited meanwhile', async () => {
    const files = { 'a.yaml': config('back-a'), 'b.yaml': config('back-b') };
    const team = await Team.ready(world, 'back', files, { prune: false });
    await team.push({ 'a.yaml': null });
    await world.edit('v1/configmaps/back-a', { data: { key: 'edited' } });
    // Its event has arrived when that of a later edit has been answered.
    await world.edit('v1/configmaps/back-b', { data: { key: 'edited' } });
    await until(async () => (await dataOf(world, 'back-b'))?.['key'] === 'value');
    await team.push({ 'a.yaml': files['a.yaml'] });
    assert.deepEqual(await dataOf(world, 'back-a'), { key: 'value' });
  });
});
