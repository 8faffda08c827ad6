// A heal that the API server refuses is a failure of that object: said, tried again, never called in sync, no burden to others.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';
import { closed } from './windows.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

async function account(name: string): Promise<void> {
  const subject = { kind: 'ServiceAccount', name, namespace: world.namespace };
  await world.expect(201, 'POST', world.path('v1/serviceaccounts/'), {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
  });
  await bind(name, subject);
}

const bind = (name: string, subject: object) =>
  world.expect(201, 'POST', `${RBAC}/namespaces/${world.namespace}/rolebindings`, {
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [subject],
    },
  });

describe('a heal that is refused', { concurrency: true }, () => {
  it('does not hide what keeps the newest commit from being applied', async () => {
    await account('hidden');
    const spec = { serviceAccountName: 'hidden', retryInterval: '30s' };
    const team = await Team.ready(world, 'hidden', { 'a.yaml': config('hidden-a') }, spec);
    await team.commit({ 'b.yaml': 'kind: [' });
    await team.condition('Ready', 'False', { reason: 'InvalidYaml' });
    await world.expect(200, 'DELETE', `${RBAC}/namespaces/${world.namespace}/rolebindings/hidden`);
    await world.edit('v1/configmaps/hidden-a', { data: { key: 'edited' } });
    await team.failure('hidden-a', 'ApiForbidden');
    const attempts = () => world.operator.lines.filter(({ msg }) => /hidden-a/.test(msg ?? '')).length;
    await until(() => attempts() > 2, { what: 'the next attempt is some seconds away' });
    await world.edit('v1/configmaps/hidden-a', { data: { key: 'edited again' } });
    await pause(2_000);
    const { conditions = [] } = await team.status();
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.reason, 'InvalidYaml');
  });

  it('says who may not write, stays drifted, and goes on when the right is back', async () => {
    await account('writer');
    const spec = { serviceAccountName: 'writer', retryInterval: '1s' };
    const team = await Team.ready(
      world,
      'denied',
      { 'a.yaml': config('denied-a'), 'b.yaml': config('denied-b') },
      spec,
    );
    const calm = await Team.ready(world, 'calm', { 'c.yaml': config('calm-c') });
    await world.expect(200, 'DELETE', `${RBAC}/namespaces/${world.namespace}/rolebindings/writer`);
    await world.edit('v1/configmaps/denied-a', { data: { key: 'edited' } });
    const failure = await team.failure('denied-a', 'ApiForbidden');
    assert.match(failure.message, new RegExp(`system:serviceaccount:${world.namespace}:writer`));
    const attempts = () => world.operator.lines.filter(({ msg }) => /denied-a/.test(msg ?? '')).length;
    const before = attempts();
    await until(() => attempts() > before + 1, { what: 'it is tried again' });
    const { status } = await team.condition('Drifted', 'True', { reason: 'DriftDetected' });
    assert.equal(status?.drift?.count, 1);
    const blocked = await until(async () => {
      const object = (await team.status()).drift?.objects.find(({ name }) => name === 'denied-a');
      return object?.action === 'Blocked' && object;
    });
    assert.deepEqual(
      blocked.fields.map(({ path, live, manager, action }) => [path, live, manager, action]),
      [['/data/key', 'edited', 'kubectl-edit', 'Blocked']],
    );
    await team.condition('Ready', 'False', { reason: 'AccessDenied' });
    assert.equal((await dataOf(world, 'denied-a'))?.['key'], 'edited');
    await world.edit('v1/configmaps/calm-c', { data: { key: 'edited' } });
    await until(async () => (await dataOf(world, 'calm-c'))?.['key'] === 'value');
    await calm.condition('Ready', 'True');

    await bind('writer', { kind: 'ServiceAccount', name: 'writer', namespace: world.namespace });
    await until(async () => (await dataOf(world, 'denied-a'))?.['key'] === 'value');
    await team.condition('Ready', 'True');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    const { failures, drift } = await team.status();
    assert.equal(failures, undefined);
    assert.deepEqual([drift?.count, drift?.objects.map(({ action }) => action)], [0, ['Healed']]);
  });

  it('is tried again at once when the source is edited: it may write as another account now', async () => {
    await account('first');
    await account('second');
    const spec = { serviceAccountName: 'first', retryInterval: '1h' };
    const team = await Team.ready(world, 'replaced', { 'a.yaml': config('replaced-a') }, spec);
    await world.expect(200, 'DELETE', `${RBAC}/namespaces/${world.namespace}/rolebindings/first`);
    await world.edit('v1/configmaps/replaced-a', { data: { key: 'edited' } });
    await team.failure('replaced-a', 'ApiForbidden');
    const attempts = () => world.operator.lines.filter(({ msg }) => /replaced-a/.test(msg ?? '')).length;
    await until(() => attempts() > 4, { what: 'the next attempt is 16 seconds away' });
    await team.patch({ spec: { serviceAccountName: 'second' } });
    await until(async () => (await dataOf(world, 'replaced-a'))?.['key'] === 'value', { timeoutMs: 8_000 });
    await team.condition('Ready', 'True');
  });

  it('waits like any other when the window for healing closes before it is tried again', async () => {
    await account('late');
    const spec = { serviceAccountName: 'late', retryInterval: '1s' };
    const team = await Team.ready(world, 'closing', { 'a.yaml': config('closing-a') }, spec);
    await world.expect(200, 'DELETE', `${RBAC}/namespaces/${world.namespace}/rolebindings/late`);
    await world.edit('v1/configmaps/closing-a', { data: { key: 'edited' } });
    await team.failure('closing-a', 'ApiForbidden');
    await team.patch({ spec: { windows: [closed('heal')] } });
    await team.condition('Drifted', 'True', { reason: 'WaitingForWindow' });
    await bind('late', { kind: 'ServiceAccount', name: 'late', namespace: world.namespace });
    await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'now', {
      what: 'a further run has ended',
    });
    assert.equal((await dataOf(world, 'closing-a'))?.['key'], 'edited');
    await team.condition('Ready', 'True');
    await team.annotate({ 'plumbline.dev/healNow': 'once' });
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.equal((await dataOf(world, 'closing-a'))?.['key'], 'value');
  });

  it('ends when somebody else puts the object right', async () => {
    await account('other');
    const spec = { serviceAccountName: 'other', retryInterval: '1h' };
    const team = await Team.ready(world, 'undone', { 'a.yaml': config('undone-a') }, spec);
    await world.expect(200, 'DELETE', `${RBAC}/namespaces/${world.namespace}/rolebindings/other`);
    await world.edit('v1/configmaps/undone-a', { metadata: { labels: { 'plumbline.dev/namespace': 'edited' } } });
    await team.failure('undone-a', 'ApiForbidden');
    await bind('other', { kind: 'ServiceAccount', name: 'other', namespace: world.namespace });
    // Any further edit is an event, and each event is judged anew.
    await world.edit('v1/configmaps/undone-a', { metadata: { annotations: { mine: 'x' } } });
    await team.condition('Ready', 'True');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });
});
