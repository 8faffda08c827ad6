// Nothing is applied before the status names its kind: otherwise a crash would leave objects that nobody looks for.
import { after, before, it } from 'node:test';
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
  const name = { name: 'all-but-status' };
  const rules = [
    { apiGroups: [''], resources: ['configmaps', 'events'], verbs: ['*'] },
    { apiGroups: ['plumbline.dev'], resources: ['gitopssources'], verbs: ['*'] },
  ];
  const roles = world.path('rbac.authorization.k8s.io/v1/roles');
  await world.expect(201, 'POST', roles, { body: { metadata: name, rules } });
  const { body: me } = await world.cluster.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    token: world.cluster.tokens.restricted,
    body: {},
  });
  const { username } = (me['status'] as { userInfo: { username: string } }).userInfo;
  await world.expect(201, 'POST', world.path('rbac.authorization.k8s.io/v1/rolebindings'), {
    body: {
      metadata: name,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', ...name },
      subjects: [{ kind: 'User', name: username }],
    },
  });
  const operator = world.startOperator({ token: world.cluster.tokens.restricted });
  const team = await Team.create(world, 'first', { 'a.yaml': config('first-a') }, { retryInterval: '1s' });
  const refused = () =>
    operator.lines.filter(({ error }) => (error as { code?: string } | undefined)?.code === 'InventoryNotStored');
  await until(() => refused().length >= 3, { what: 'three runs have ended for the lack of an inventory' });
  await present(world, 'first-a', false);

  const status = { apiGroups: ['plumbline.dev'], resources: ['gitopssources/status'], verbs: ['*'] };
  await world.expect(200, 'PATCH', `${roles}/${name.name}`, { body: { rules: [...rules, status] } });
  await present(world, 'first-a');
  await until(async () => (await team.status()).inventory?.count === 1);
});
