// What should be gone goes by itself as soon as it can, and again when it comes back: nobody has to push for it.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, present, restore, Team } from './team.ts';

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

it('an object that has left Git and that somebody restores is pruned again', async () => {
  const team = await Team.ready(world, 'back', { 'a.yaml': config('back-a'), 'b.yaml': config('back-b') });
  const copy = (await world.get('v1/configmaps/back-b'))!;
  await team.push({ 'b.yaml': null });
  await present(world, 'back-b', false);
  await restore(world, copy, { key: 'value' });
  await present(world, 'back-b', false);
});

it('an object that was kept by an annotation of its own goes when that is taken off', async () => {
  const team = await Team.ready(world, 'kept', { 'a.yaml': config('kept-a'), 'b.yaml': config('kept-b') });
  await world.edit('v1/configmaps/kept-b', { metadata: { annotations: { 'plumbline.dev/prune': 'disabled' } } });
  await team.push({ 'b.yaml': null });
  await present(world, 'kept-b');
  await world.edit('v1/configmaps/kept-b', { metadata: { annotations: { 'plumbline.dev/prune': null } } });
  await present(world, 'kept-b', false);
});
