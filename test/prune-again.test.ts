// What should be gone goes by itself as soon as it can, and again when it comes back: nobody has to push for it.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, manifest, present, restore, Team } from './team.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const CLAIM = manifest('v1', 'PersistentVolumeClaim', 'keeper-c', {
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
});

it('an object that could not be deleted goes as soon as it can be, also beside one that waits for approval', async () => {
  const rbac = world.path('rbac.authorization.k8s.io/v1/roles');
  const verbs = ['get', 'list', 'create', 'patch'];
  const role = (allowed: string[]) => ({
    metadata: { name: 'keeper' },
    rules: [{ apiGroups: [''], resources: ['configmaps', 'persistentvolumeclaims'], verbs: allowed }],
  });
  const subjects = [{ kind: 'ServiceAccount', name: 'keeper', namespace: world.namespace }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'keeper' };
  await world.expect(201, 'POST', world.path('v1/serviceaccounts'), { body: { metadata: { name: 'keeper' } } });
  await world.expect(201, 'POST', rbac, { body: role(verbs) });
  await world.expect(201, 'POST', world.path('rbac.authorization.k8s.io/v1/rolebindings'), {
    body: { metadata: { name: 'keeper' }, roleRef, subjects },
  });
  const files = { 'a.yaml': config('keeper-a'), 'b.yaml': config('keeper-b'), 'c.yaml': CLAIM };
  const team = await Team.ready(world, 'keeper', files, { serviceAccountName: 'keeper' });
  const why = async (reason: string) => {
    const { status } = await team.condition('Ready', 'False', { reason });
    return status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
  };
  await team.commit({ 'b.yaml': null });
  assert.match(await why('PruneFailed'), /ConfigMap .*keeper-b/);
  await team.commit({ 'c.yaml': null });
  const message = await why('PruneBlocked');
  assert.match(message, /keeper-c/);
  assert.match(message, /could not be deleted: ConfigMap .*keeper-b/);
  await world.expect(200, 'PATCH', `${rbac}/keeper`, { body: role([...verbs, 'delete']) });
  await present(world, 'keeper-b', false);
  await team.commit({ 'c.yaml': CLAIM });
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

for (const word of ['prune', 'reconcile']) {
  it(`an object that was kept by ${word}: disabled goes when that is taken off`, async () => {
    const [name, annotation] = [`${word}-b`, `plumbline.dev/${word}`];
    const team = await Team.ready(world, word, { 'a.yaml': config(`${word}-a`), 'b.yaml': config(name) });
    await world.edit(`v1/configmaps/${name}`, { metadata: { annotations: { [annotation]: 'disabled' } } });
    await team.push({ 'b.yaml': null });
    await present(world, name);
    await world.edit(`v1/configmaps/${name}`, { metadata: { annotations: { [annotation]: null } } });
    await present(world, name, false);
  });
}
