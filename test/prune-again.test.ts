// A prune that failed is tried again by itself: nobody has to push for it.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, present, Team } from './team.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

it('an object that could not be deleted goes as soon as it can be', async () => {
  const rbac = world.path('rbac.authorization.k8s.io/v1/roles');
  const verbs = ['get', 'list', 'create', 'patch'];
  const role = (allowed: string[]) => ({
    metadata: { name: 'keeper' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: allowed }],
  });
  const subjects = [{ kind: 'ServiceAccount', name: 'keeper', namespace: world.namespace }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'keeper' };
  await world.expect(201, 'POST', world.path('v1/serviceaccounts'), { body: { metadata: { name: 'keeper' } } });
  await world.expect(201, 'POST', rbac, { body: role(verbs) });
  await world.expect(201, 'POST', world.path('rbac.authorization.k8s.io/v1/rolebindings'), {
    body: { metadata: { name: 'keeper' }, roleRef, subjects },
  });
  const files = { 'a.yaml': config('keeper-a'), 'b.yaml': config('keeper-b') };
  const team = await Team.ready(world, 'keeper', files, { serviceAccountName: 'keeper' });
  await team.commit({ 'b.yaml': null });
  const { status } = await team.condition('Ready', 'False', { reason: 'PruneFailed' });
  assert.match(status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /ConfigMap .*keeper-b/);
  await world.expect(200, 'PATCH', `${rbac}/keeper`, { body: role([...verbs, 'delete']) });
  await present(world, 'keeper-b', false);
  await team.condition('Ready', 'True');
});
