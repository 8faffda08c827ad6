// A source that waits for another one runs when that one has news, and hardly otherwise.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
let metrics: ServedMetrics;
before(async () => {
  metrics = await ServedMetrics.onFreePort();
  world = await World.create({ args: [metrics.flag] });
});
after(() => world[Symbol.asyncDispose]());

it('sources that wait for one another keep quiet until the first one is healthy', async () => {
  const folder = (index: number) => ({ [`${index}/a.yaml`]: config(`chain-${index}`) });
  const first = await Team.ready(
    world,
    'first',
    { ...folder(1), ...folder(2), ...folder(3) },
    { path: '1', wait: true },
  );
  const second = await following(first, 'second', '2', first);
  const third = await following(first, 'third', '3', second);
  const web = (image: string) => deployment('chain-web', { image, replicas: 1 });
  const begun = await first.commit({ '1/web.yaml': web('bad-image'), '3/b.yaml': config('chain-b') });
  await first.condition('Ready', 'Unknown', { revision: begun });
  await pause(1_000);

  const before = await runsOf(third);
  await pause(5_000);
  const runs = (await runsOf(third)) - before;
  assert.ok(runs < 10, `${runs} runs in 5 s`);
  assert.equal(await dataOf(world, 'chain-b'), undefined);
  const mended = await first.commit({ '1/web.yaml': web('app:1') });
  await third.condition('Ready', 'True', { revision: mended });
  assert.deepEqual(await dataOf(world, 'chain-b'), { key: 'value' });
});

it('a source whose dependency fails is not run again and again for a commit that it may not have', async () => {
  const base = await Team.ready(world, 'broken', { 'a.yaml': config('broken-a') });
  const spec = { dependsOn: [{ name: base.name }] };
  const top = await Team.ready(world, 'waits', { 'a.yaml': config('waits-a') }, spec);
  await base.commit({ 'a.yaml': 'kind: [' });
  await base.condition('Ready', 'False');
  await top.commit({ 'b.yaml': config('waits-b') });
  await top.condition('Ready', 'False', { reason: 'DependencyNotReady' });
  // By then the attempts are seconds apart.
  await pause(8_000);

  const before = await runsOf(top);
  await pause(6_000);
  const runs = (await runsOf(top)) - before;
  assert.ok(runs <= 2, `${runs} runs in 6 s`);
  await base.push({ 'a.yaml': config('broken-a') });
  await until(async () => dataOf(world, 'waits-b'), { what: 'the commit is applied' });
});

/** A source over another folder of the same repository, which is Ready. */
async function following({ repository }: Team, name: string, path: string, dependency: Team): Promise<Team> {
  const team = await Team.sharing(repository, world, name, { path, dependsOn: [{ name: dependency.name }] });
  await team.condition('Ready', 'True');
  return team;
}

async function runsOf({ key }: Team): Promise<number> {
  return (await metrics.value(`plumbline_reconcile_duration_seconds_count{source="${key}"}`)) ?? 0;
}
