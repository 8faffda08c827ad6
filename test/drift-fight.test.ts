// Somebody who undoes every heal at once: the heals slow down, the status says so, everybody else is served, and it ends by
// itself when the other side rests.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const OBJECT = 'v1/configmaps/fight-a';

/** Writes back as soon as it sees the declared value, as a controller with a watch would, until stopped. */
function rival(): { undone: () => number; stop: () => Promise<void> } & AsyncDisposable {
  const halt = new AbortController();
  let undone = 0;
  const work = (async () => {
    while (!halt.signal.aborted) {
      if ((await dataOf(world, 'fight-a'))?.['key'] !== 'value') continue;
      await world.edit(OBJECT, { data: { key: `rival-${undone}` } }, 'rival');
      undone += 1;
    }
  })();
  const stop = () => (halt.abort(), work);
  return { undone: () => undone, stop, [Symbol.asyncDispose]: stop };
}

it('a fight is slowed down, said, and ends by itself', async () => {
  const team = await Team.ready(world, 'fight', { 'a.yaml': config('fight-a'), 'b.yaml': config('fight-b') });
  const calm = await Team.ready(world, 'calm', { 'c.yaml': config('calm-c') });
  await using other = rival();
  const { undone, stop } = other;
  await team.condition('Drifted', 'True', { reason: 'DriftNotHolding', timeoutMs: 60_000 });
  const shown = (await team.status()).drift?.objects.find(({ name }) => name === 'fight-a');
  assert.equal(shown?.action, 'NotHolding');
  assert.equal(shown.fields[0]?.manager, 'rival');

  await world.edit('v1/configmaps/fight-b', { data: { key: 'edited' } });
  await until(async () => (await dataOf(world, 'fight-b'))?.['key'] === 'value');
  await world.edit('v1/configmaps/calm-c', { data: { key: 'edited' } });
  await until(async () => (await dataOf(world, 'calm-c'))?.['key'] === 'value');
  await calm.condition('Drifted', 'False');

  // Each heal waits twice as long as the one before: 0.25 s, 0.5 s, 1 s …
  const healedAt = () =>
    world.operator.lines
      .filter(({ audit, msg }) => audit && msg?.startsWith('healed') && msg.endsWith('fight-a'))
      .map(({ time }) => Date.parse(String(time)));
  const gaps = () => healedAt().map((time, index, times) => time - (times[index - 1] ?? time));
  await until(() => gaps().some((gap) => gap >= 1_000), { what: 'the heals slow down' });
  assert.ok(undone() <= healedAt().length + 1, 'the other side never writes twice against one heal');

  await stop();
  await until(async () => (await dataOf(world, 'fight-a'))?.['key'] === 'value');
  await team.condition('Drifted', 'False', { reason: 'InSync' });
  await until(async () => (await dataOf(world, 'fight-a'))?.['key'] === 'value');
});

it('many edits in a row, faster than they can be healed, end healed, with fewer heals than edits', async () => {
  const team = await Team.ready(world, 'storm', { 'a.yaml': config('storm-a') });
  const storm = Array.from({ length: 600 }, (_, index) => index);
  const edit = (index: number) => world.edit('v1/configmaps/storm-a', { data: { key: `edit-${index}` } });
  const hand = async () => {
    for (let index = storm.pop(); index !== undefined; index = storm.pop()) await edit(index);
  };
  await Promise.all([hand(), hand(), hand(), hand()]);
  await until(async () => (await dataOf(world, 'storm-a'))?.['key'] === 'value', { timeoutMs: 60_000 });
  await team.condition('Drifted', 'False', { reason: 'InSync', timeoutMs: 60_000 });
  assert.ok(team.writes.length < 300, `${team.writes.length} writes`);
});
