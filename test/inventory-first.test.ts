// Nothing is applied before the status names its kind: otherwise a crash would leave objects that nobody looks for.
import { after, before, it } from 'node:test';
import { grantRestricted } from './namespace-user.ts';
import { World } from './operator.ts';
import { config, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => {
  world = await World.create();
  await world.operator.stop();
});
after(() => world[Symbol.asyncDispose]());

it('as long as the status cannot be written, nothing is applied, however often it is tried', async () => {
  const rules = [
    { apiGroups: [''], resources: ['configmaps', 'events'], verbs: ['*'] },
    { apiGroups: ['plumbline.dev'], resources: ['gitopssources'], verbs: ['*'] },
  ];
  const { grant } = await grantRestricted(world, rules);
  const operator = world.startOperator({ token: world.cluster.tokens.restricted });
  const team = await Team.create(world, 'first', { 'a.yaml': config('first-a') }, { retryInterval: '1s' });
  const refused = () =>
    operator.lines.filter(({ error }) => (error as { code?: string } | undefined)?.code === 'InventoryNotStored');
  await until(() => refused().length >= 3, { what: 'three runs have ended for the lack of an inventory' });
  await present(world, 'first-a', false);

  await grant([...rules, { apiGroups: ['plumbline.dev'], resources: ['gitopssources/status'], verbs: ['*'] }]);
  await present(world, 'first-a');
  await until(async () => (await team.status()).inventory?.count === 1);
});
