// Nothing is applied that the next start would not look for: a crash would leave objects that nobody knows of. (It looks for
// every kind as long as no inventory is stored; see inventory.test.ts.)
import { after, before, it } from 'node:test';
import { grantRestricted } from './namespace-user.ts';
import { World } from './operator.ts';
import { config, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => {
  world = await World.create();
  await world.operator.stop();
});
after(() => world[Symbol.asyncDispose]());

const secret = (name: string) => manifest('v1', 'Secret', name, { stringData: { a: 'b' } });
const secretIsThere = async (name: string) => (await world.get(`v1/secrets/${name}`)) !== undefined;

it('as long as the status cannot be written, no object of a kind that it does not name is applied', async () => {
  const rules = [
    { apiGroups: [''], resources: ['configmaps', 'secrets', 'events'], verbs: ['*'] },
    { apiGroups: ['plumbline.dev'], resources: ['gitopssources'], verbs: ['*'] },
  ];
  const status = { apiGroups: ['plumbline.dev'], resources: ['gitopssources/status'], verbs: ['*'] };
  const { grant } = await grantRestricted(world, [...rules, status]);
  const operator = world.startOperator({ token: world.cluster.tokens.restricted });
  const team = await Team.create(world, 'first', { 'a.yaml': config('first-a') }, { retryInterval: '1s' });
  await until(async () => (await team.status()).inventory?.count === 1);

  await grant(rules);
  await team.commit({ 'b.yaml': secret('first-b') });
  const refused = () =>
    operator.lines.filter(({ error }) => (error as { code?: string } | undefined)?.code === 'InventoryNotStored');
  await until(() => refused().length >= 3, { what: 'three runs have ended for the lack of an inventory' });
  if (await secretIsThere('first-b')) throw new Error('the Secret was applied');

  await grant([...rules, status]);
  await until(() => secretIsThere('first-b'), { what: 'the Secret is there' });
  await until(async () => (await team.status()).inventory?.count === 2);
});
