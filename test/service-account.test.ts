// A source writes as a ServiceAccount of its own namespace, with exactly its rights: there is no way around it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitOpsSource } from '../src/api/source.ts';
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import { freshNamespace } from './cluster.ts';
import { World } from './operator.ts';
import { rightsInForce } from './rights.ts';
import { config, dataOf, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
// The operator itself may do everything, and lives elsewhere.
before(async () => void (world = await World.create({ env: { POD_NAMESPACE: 'plumbline-system' } })));
after(() => world[Symbol.asyncDispose]());

const readyMessage = ({ status }: GitOpsSource) =>
  status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
const secret = (name: string) => manifest('v1', 'Secret', name, { stringData: { a: 'b' } });

/** A ServiceAccount that may do everything with these resources of its namespace. */
async function account(name: string, resources: string[], namespace = world.namespace): Promise<void> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name };
  const rules = [{ apiGroups: [''], resources, verbs: ['*'] }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  await world.expect(201, 'POST', `${rbac}/roles`, { body: { metadata, rules } });
  await world.expect(201, 'POST', `${rbac}/rolebindings`, { body: { metadata, roleRef, subjects } });
  // First of all: with the account there, a source begins to write.
  await rightsInForce(world.cluster, { user: serviceAccountUser({ name, namespace }), namespace }, rules);
  await world.expect(201, 'POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { body: { metadata } });
}

describe('the ServiceAccount of a source', { concurrency: true }, () => {
  it('is missing: nothing is written, the lines that create it are shown, and it goes on when it is there', async () => {
    const files = { 'a.yaml': config('missing-a') };
    const team = await Team.create(world, 'missing', files, { serviceAccountName: 'late', retryInterval: '1s' });
    const message = readyMessage(await team.condition('Ready', 'False', { reason: 'ServiceAccountMissing' }));
    assert.match(message, new RegExp(`kubectl create serviceaccount late -n ${world.namespace}`));
    assert.match(message, new RegExp(` && kubectl create rolebinding .*--serviceaccount=${world.namespace}:late`));
    assert.equal(await dataOf(world, 'missing-a'), undefined);
    await account('late', ['configmaps']);
    await team.condition('Ready', 'True');
  });

  it('is missing since an edit of the source: it is said at once, not with the next change, after a restart too', async () => {
    await using own = await World.create({ env: { POD_NAMESPACE: 'plumbline-system' } });
    await account('present', ['configmaps'], own.namespace);
    const team = await Team.ready(own, 'edited', { 'a.yaml': config('edited-a') }, { serviceAccountName: 'present' });
    await team.patch({ spec: { serviceAccountName: 'absent', retryInterval: '1s' } });
    await team.condition('Ready', 'False', { reason: 'ServiceAccountMissing' });
    await own.operator.stop();
    own.startOperator();
    const isFailed = () => own.operator.lines.some(({ msg }) => msg === 'the source could not be reconciled');
    await until(isFailed, { what: 'the first run after the restart has failed' });
    await team.condition('Ready', 'False', { reason: 'ServiceAccountMissing' });
    await account('absent', ['configmaps'], own.namespace);
    await team.condition('Ready', 'True');
  });

  it('is the default one when none is named, also when that does not exist', async () => {
    const team = await Team.create(world, 'default', { 'a.yaml': config('default-a') });
    const message = readyMessage(await team.condition('Ready', 'False', { reason: 'ServiceAccountMissing' }));
    assert.match(message, /create serviceaccount plumbline -n/);
    assert.equal(await dataOf(world, 'default-a'), undefined);
  });

  it('decides what is applied: the rest fails by itself, in its own and in other namespaces', async () => {
    await account('least', ['configmaps']);
    const other = await freshNamespace(world.cluster);
    const files = {
      'a.yaml': config('least-a'),
      'b.yaml': secret('least-b'),
      'c.yaml': config('least-c', {}, { namespace: other }),
      'd.yaml': manifest('rbac.authorization.k8s.io/v1', 'ClusterRole', `${world.namespace}-least`, { rules: [] }),
    };
    const team = await Team.create(world, 'least', files, { serviceAccountName: 'least' });
    const message = readyMessage(await team.condition('Ready', 'False', { reason: 'AccessDenied' }));
    assert.match(message, /3/);
    await present(world, 'least-a');
    for (const name of ['least-b', 'least-c', `${world.namespace}-least`]) {
      const failure = await team.failure(name, 'ApiForbidden');
      assert.match(failure.message, new RegExp(`system:serviceaccount:${world.namespace}:least`));
    }
    assert.equal(await world.get('v1/secrets/least-b'), undefined);
    // Heals are the account's too.
    await world.edit('v1/configmaps/least-a', { data: { key: 'edited' } });
    await until(async () => (await dataOf(world, 'least-a'))?.['key'] === 'value');
  });

  it('may not see it: an object of others is neither taken nor shown', async () => {
    await account('blind', ['configmaps']);
    await world.expect(201, 'POST', world.path('v1/secrets'), {
      body: { metadata: { name: 'blind-b' }, stringData: { canary: 'x' } },
    });
    const spec = { serviceAccountName: 'blind' };
    const team = await Team.create(world, 'blind', { 'b.yaml': secret('blind-b') }, spec);
    await team.failure('blind-b', 'ApiForbidden');
    const { metadata } = (await world.get('v1/secrets/blind-b'))!;
    assert.equal(metadata.labels, undefined);
    assert.doesNotMatch(JSON.stringify(await team.status()), /canary/);
  });

  it('reaches no further than before when its rights are taken away', async () => {
    await account('fired', ['configmaps']);
    const team = await Team.ready(
      world,
      'fired',
      { 'a.yaml': config('fired-a'), 'b.yaml': config('fired-b') },
      { serviceAccountName: 'fired' },
    );
    await world.expect(200, 'DELETE', world.path('rbac.authorization.k8s.io/v1/rolebindings/fired'));
    const { namespace } = world;
    const gone = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] }];
    await rightsInForce(world.cluster, { user: serviceAccountUser({ name: 'fired', namespace }), namespace }, [], gone);
    await team.commit({ 'a.yaml': config('fired-a', { key: 'new' }), 'b.yaml': null });
    await team.failure('fired-a', 'ApiForbidden');
    assert.deepEqual(await dataOf(world, 'fired-a'), { key: 'value' });
    await present(world, 'fired-b');
  });
});

describe('the Secret of a source', { concurrency: true }, () => {
  it('is read in the namespace of the source only', async () => {
    const other = await freshNamespace(world.cluster);
    const stringData = { username: 'a', password: 'b' };
    await world.expect(201, 'POST', `/api/v1/namespaces/${other}/secrets`, {
      body: { metadata: { name: 'creds' }, stringData },
    });
    const team = await Team.create(world, 'creds', { 'a.yaml': config('creds-a') }, { secretRef: { name: 'creds' } });
    const message = readyMessage(await team.condition('Ready', 'False', { reason: 'SecretNotFound' }));
    assert.match(message, new RegExp(`Secret creds .* in ${world.namespace}`));
  });

  it('with something else than certificates in ca.crt is said so, not that the server is not trusted', async () => {
    const body = { metadata: { name: 'odd-ca' }, stringData: { 'ca.crt': '/etc/ssl/ca.crt' } };
    await world.expect(201, 'POST', `/api/v1/namespaces/${world.namespace}/secrets`, { body });
    const team = await Team.create(world, 'odd-ca', { 'a.yaml': config('odd-a') }, { secretRef: { name: 'odd-ca' } });
    const message = readyMessage(await team.condition('Ready', 'False', { reason: 'SecretInvalid' }));
    assert.equal(
      message,
      'the Secret odd-ca holds no certificate in ca.crt: it must be in PEM (-----BEGIN CERTIFICATE-----)',
    );
  });
});
