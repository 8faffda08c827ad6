// A look at everything goes on although a kind cannot be listed: the rest is compared, and that one is told as unknown.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { grantRestricted } from './namespace-user.ts';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => {
  world = await World.create();
  await world.operator.stop();
});
after(() => world[Symbol.asyncDispose]());

it('a request to verify ends Ready, and a commit after it is applied', async () => {
  // Enough to apply, and not enough for a list over all namespaces.
  await grantRestricted(world, [
    { apiGroups: [''], resources: ['configmaps', 'events'], verbs: ['*'] },
    { apiGroups: ['plumbline.dev'], resources: ['*'], verbs: ['*'] },
  ]);
  world.startOperator({ token: world.cluster.tokens.restricted });
  const team = await Team.ready(world, 'partly', { 'a.yaml': config('partly-a') });
  await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
  await until(async () => (await team.status()).lastHandledReconcileAt === 'now');
  const { conditions } = await team.status();
  assert.equal(conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  assert.equal(conditions?.find(({ type }) => type === 'Drifted')?.status, 'Unknown');
  await team.push({ 'a.yaml': config('partly-a', { key: 'new' }) });
  assert.deepEqual(await dataOf(world, 'partly-a'), { key: 'new' });
});
