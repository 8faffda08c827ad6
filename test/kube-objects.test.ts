// Objects pass through unharmed: what other clients drop, round or rename on the way.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { KubeError } from '../src/kube/errors.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { freshNamespace, sharedCluster } from './cluster.ts';
import { clientOf, resourceOf } from './kube-client.ts';

const cluster = await sharedCluster();
const namespace = await freshNamespace(cluster, 'objects');
const api = clientOf(cluster);
after(() => api.transport.close());
const configMaps = await resourceOf(api, 'v1', 'ConfigMap');
const secrets = await resourceOf(api, 'v1', 'Secret');
const signal = new AbortController().signal;
const as = { signal, fieldManager: 'test' };

function configMap(name: string, rest: object = {}): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...rest });
}

async function live(path: string): Promise<KubeObject> {
  const answer = await cluster.request('GET', path);
  assert.equal(answer.status, 200);
  return answer.body;
}

async function failure(call: Promise<unknown>): Promise<KubeError> {
  return call.then(
    () => assert.fail('it was not refused'),
    (error: KubeError) => error,
  );
}

test('apply says whether it created, and no-ops keep the version', async () => {
  const apply = (value: string) => api.apply(configMaps, namespace, 'a', configMap('a', { data: { v: value } }), as);
  const [first, same, changed] = [await apply('1'), await apply('1'), await apply('2')];
  assert.deepEqual([first.created, same.created, changed.created], [true, false, false]);
  const version = (written: typeof first) => written.object.metadata.resourceVersion;
  assert.equal(version(same), version(first));
  assert.notEqual(version(changed), version(first));
});

test('an unknown field reaches the server, which refuses or warns', async () => {
  const body = configMap('unknown', { brandNewField: 1 });
  const error = await failure(api.apply(configMaps, namespace, 'unknown', body, as));
  assert.equal(error.code, 'ApiBadRequest');
  assert.match(error.message, /brandNewField/);
  const created = await api.create(configMaps, namespace, body, { signal, fieldValidation: 'Warn' });
  assert.deepEqual(created.warnings, ['unknown field "brandNewField"']);
});

test('a name with capitals addresses the object of that name', async () => {
  const roles = await resourceOf(api, 'rbac.authorization.k8s.io/v1', 'ClusterRole');
  const name = `My:Role-${namespace}`;
  const body = JSON.stringify({ apiVersion: roles.apiVersion, kind: roles.kind, metadata: { name }, rules: [] });
  assert.equal((await api.apply(roles, '', name, body, as)).created, true);
  assert.equal((await api.apply(roles, '', name, body, as)).created, false);
  assert.equal((await api.get(roles, '', name, { signal })).metadata.name, name);
  await api.delete(roles, '', name, { signal });
});

test('an int64 beyond 2^53 arrives exactly', async () => {
  const body =
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"big"},' +
    '"spec":{"containers":[{"name":"a","image":"bad-image"}],"activeDeadlineSeconds":2147483647,' +
    '"securityContext":{"runAsUser":2147483647},"terminationGracePeriodSeconds":9007199254740993}}';
  await api.apply(await resourceOf(api, 'v1', 'Pod'), namespace, 'big', body, as);
  const yaml = await cluster.request<string>('GET', `/api/v1/namespaces/${namespace}/pods/big`, {
    headers: { accept: 'application/yaml' },
  });
  assert.match(yaml.body, /terminationGracePeriodSeconds: 9007199254740993\n/);
});

test('300 KB, and every character that JSON can hold', async () => {
  const odd =
    '\u0000\u0007\u001b\t\r\n "\\/ \u007f\u0080\u0085\u009f\u00a0\u2028\u2029\ufeff\ufffe\uffff 😀 # : - yes 0644';
  const data = { large: 'x'.repeat(300_000), odd };
  const written = await api.apply(configMaps, namespace, 'large', configMap('large', { data }), as);
  assert.deepEqual(written.object['data'], data);
  assert.deepEqual((await live(`/api/v1/namespaces/${namespace}/configmaps/large`))['data'], data);
});

test('a dry-run changes nothing', async () => {
  const written = await api.apply(configMaps, namespace, 'dry', configMap('dry'), { ...as, dryRun: true });
  assert.equal(written.object.metadata.name, 'dry');
  assert.equal((await failure(api.get(configMaps, namespace, 'dry', { signal }))).code, 'ApiNotFound');
});

test('force takes a field that belongs to another manager; without it the conflict names the manager', async () => {
  const apply = (fieldManager: string, v: string, force: boolean) =>
    api.apply(configMaps, namespace, 'owned', configMap('owned', { data: { v } }), { signal, fieldManager, force });
  await apply('one', '1', false);
  const error = await failure(apply('two', '2', false));
  assert.equal(error.code, 'ApiConflict');
  assert.equal(error.causes[0]?.field, '.data.v');
  assert.match(error.causes[0]?.message ?? '', /conflict with "one"/);
  assert.deepEqual((await apply('two', '2', true)).object['data'], { v: '2' });
});

test('a list comes in pages of one version, whole, with apiVersion and kind', async () => {
  const own = await freshNamespace(cluster, 'list');
  const names = Array.from({ length: 7 }, (_, index) => `n${index}`);
  const labels = { part: 'list' };
  await Promise.all(
    names.map((name) => api.apply(configMaps, own, name, configMap(name, { metadata: { name, labels } }), as)),
  );
  for (const metadataOnly of [false, true]) {
    const pages = [];
    const selection = { signal, namespace: own, labelSelector: 'part=list', limit: 3, metadataOnly };
    for await (const page of api.list(configMaps, selection)) pages.push(page);
    assert.deepEqual(
      pages.map(({ items }) => items.length),
      [3, 3, 1],
    );
    assert.equal(new Set(pages.map(({ resourceVersion }) => resourceVersion)).size, 1);
    const items = pages.flatMap(({ items }) => items);
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      names,
    );
    assert.ok(items.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap'));
    assert.equal(
      items.some((item) => 'data' in item),
      false,
    );
  }
});

test('a patch guarded by resourceVersion loses against a faster writer', async () => {
  const { object } = await api.apply(configMaps, namespace, 'guarded', configMap('guarded'), as);
  const { resourceVersion } = object.metadata;
  const merge = { metadata: { resourceVersion }, data: { a: '1' } };
  assert.deepEqual((await api.mergePatch(configMaps, namespace, 'guarded', merge, { signal })).object['data'], {
    a: '1',
  });
  assert.equal(
    (await failure(api.mergePatch(configMaps, namespace, 'guarded', merge, { signal }))).code,
    'ApiConflict',
  );
  const operations = [{ op: 'replace', path: '/data/a', value: '2' }];
  const patched = await api.jsonPatch(configMaps, namespace, 'guarded', operations, { signal });
  assert.deepEqual(patched.object['data'], { a: '2' });
});

test('status is written through its own door, and the spec is not', async () => {
  const volumes = await resourceOf(api, 'v1', 'PersistentVolume');
  assert.deepEqual([volumes.hasStatus, configMaps.hasStatus], [true, false]);
  const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/none' } };
  const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: namespace }, spec };
  await api.create(volumes, '', volume, { signal });
  const patch = { spec: { capacity: { storage: '2Gi' } }, status: { message: 'told by a test' } };
  const { object } = await api.patchStatus(volumes, '', namespace, patch, as);
  assert.equal((object['status'] as { message: string }).message, 'told by a test');
  assert.deepEqual((object['spec'] as typeof spec).capacity, spec.capacity);
  await api.delete(volumes, '', namespace, { signal });
});

test('delete: gone, gone already, not the one that was meant, waiting for a finalizer', async () => {
  const make = async (name: string, metadata: object = {}) =>
    (await api.apply(configMaps, namespace, name, configMap(name, { metadata: { name, ...metadata } }), as)).object;
  const { uid } = (await make('gone')).metadata;
  const remove = (name: string, uid?: string, dryRun = false) =>
    api.delete(configMaps, namespace, name, { signal, uid, dryRun });
  assert.equal((await failure(remove('gone', '00000000-0000-0000-0000-000000000000'))).code, 'ApiConflict');
  assert.equal(await remove('gone', uid, true), undefined);
  assert.equal((await api.get(configMaps, namespace, 'gone', { signal })).metadata.uid, uid);
  assert.equal(await remove('gone', uid), undefined);
  assert.equal((await failure(api.get(configMaps, namespace, 'gone', { signal }))).code, 'ApiNotFound');
  assert.equal(await remove('gone', uid), undefined);
  await make('held', { finalizers: ['example.com/wait'] });
  assert.ok((await remove('held'))?.metadata.deletionTimestamp);
  const unserved = { ...configMaps, plural: 'nothings' };
  assert.equal((await failure(api.delete(unserved, namespace, 'x', { signal }))).code, 'ApiNotFound');
});

test('acting as an account has its rights and no others', async () => {
  const impersonate = { username: `system:serviceaccount:${namespace}:nobody` };
  const error = await failure(api.apply(configMaps, namespace, 'as', configMap('as'), { ...as, impersonate }));
  assert.equal(error.code, 'ApiForbidden');
  assert.match(error.message, new RegExp(`User "${impersonate.username}" cannot patch resource "configmaps"`));
  const admins = { username: 'somebody', groups: ['system:masters'] };
  assert.equal(
    (await api.apply(configMaps, namespace, 'as', configMap('as'), { ...as, impersonate: admins })).created,
    true,
  );
});

test('an error about a Secret does not show its values', async () => {
  const bodies = [
    { data: { 'bad key': 'aHVudGVyMg==' } },
    { data: { key: 'hunter2!' } },
    { data: { key: ['hunter2'] } },
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'aHVudGVyMg==' } },
  ];
  for (const rest of bodies) {
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, ...rest });
    const error = await failure(api.apply(secrets, namespace, 's', body, as));
    assert.match(error.code, /^Api(BadRequest|Invalid)$/);
    assert.doesNotMatch(JSON.stringify([error.message, error.causes]), /hunter2|aHVudGVyMg/);
  }
});
