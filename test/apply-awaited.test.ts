// What a commit declares of an object that is still being deleted is applied when that is gone, also where drift is only reported.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

it('a commit that waits for the end of an object is no drift, however slowly Git answers', async () => {
  const held = (value: string) => config('awaited', { value }, { finalizers: ['test.example.com/hold'] });
  const team = await Team.ready(
    world,
    'awaited',
    { 'a.yaml': held('old') },
    { interval: '1h', drift: { mode: 'Report' } },
  );
  await world.expect(200, 'DELETE', world.path('v1/configmaps/awaited'));
  await team.commit({ 'a.yaml': held('new') });
  await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
  await team.failure('awaited', 'Terminating');
  // Between two attempts, and long enough after one to have Git asked again.
  await pause(5_000);
  world.git.fault = async () => {
    await pause(300);
    return 'pass' as const;
  };
  await world.edit('v1/configmaps/awaited', { metadata: { finalizers: null } });
  await until(async () => (await dataOf(world, 'awaited'))?.['value'] === 'new', { what: 'the commit is applied' });
  await team.condition('Ready', 'True');
  const { drift } = await team.status();
  assert.deepEqual([drift?.count, drift?.healedCount], [0, 0]);
});
