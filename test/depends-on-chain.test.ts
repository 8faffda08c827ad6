// Chains of dependsOn over one repository: a source that waits for another one that waits itself.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, Team } from './team.ts';

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

/** A source over another folder of the same repository, which is Ready. */
async function following({ repository }: Team, name: string, path: string, dependency: Team): Promise<Team> {
  const team = await Team.sharing(repository, world, name, { path, dependsOn: [{ name: dependency.name }] });
  await team.condition('Ready', 'True');
  return team;
}

async function runsOf({ key }: Team): Promise<number> {
  return (await metrics.value(`plumbline_reconcile_duration_seconds_count{source="${key}"}`)) ?? 0;
}
