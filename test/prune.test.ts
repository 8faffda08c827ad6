// What is no longer in Git goes, last and in reverse order; and what must stay, stays.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import { World } from './operator.ts';
import { config, crd, dataOf, deployment, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const ready = ({ conditions }: GitOpsSourceStatus) => conditions?.find(({ type }) => type === 'Ready');
const pruned = (team: Team) =>
  team.writes.filter((line) => line.startsWith('pruned')).map((line) => line.split(' ')[1]!);

/** As many ConfigMaps in one file each. */
function many(prefix: string, count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}-${index}.yaml`, config(`${prefix}-${index}`)]),
  );
}

function without(files: Record<string, string>): Record<string, null> {
  return Object.fromEntries(Object.keys(files).map((path) => [path, null]));
}

describe('pruning', { concurrency: 6 }, () => {
  it('goes in the reverse of the order of applying, after everything new is applied', async () => {
    const team = await Team.ready(world, 'order', {
      'keep.yaml': config('order-keep'),
      'old/a.yaml': config('order-config'),
      'old/b.yaml': manifest('v1', 'Secret', 'order-secret', { stringData: { a: 'b' } }),
      'old/c.yaml': deployment('order-web'),
    });
    await team.push({ old: null, 'new.yaml': config('order-new') });
    await until(() => pruned(team).length === 3);
    assert.deepEqual(pruned(team), ['Deployment', 'Secret', 'ConfigMap']);
    const lines = team.writes;
    assert.ok(
      lines.findIndex((line) => line.includes('order-new')) < lines.findIndex((line) => line.startsWith('pruned')),
    );
    await until(async () => (await team.status()).inventory?.count === 2);
  });

  it('an empty path, a missing path, and a path with an error never prune', async () => {
    const team = await Team.ready(world, 'empty', { 'app/a.yaml': config('empty-a') }, { path: 'app' });
    await team.commit({ 'app/a.yaml': '# nothing\n' });
    await team.condition('Ready', 'False', { reason: 'EmptyRevision' });
    await team.commit({ app: null, 'other/b.yaml': config('empty-b') });
    await until(
      async () =>
        /app/.test(ready(await team.status())?.message ?? '') && ready(await team.status())?.reason !== 'EmptyRevision',
    );
    await team.commit({ 'app/c.yaml': config('empty-c'), 'app/d.yaml': 'apiVersion: v1\nkind: [' });
    await until(async () => ready(await team.status())?.message?.includes('app/d.yaml'));
    assert.deepEqual(await dataOf(world, 'empty-a'), { key: 'value' });
    await team.push({ 'app/d.yaml': null });
    await present(world, 'empty-a', false);
  });

  it('more than the guard allows waits for an approval of exactly this revision', async () => {
    const files = many('guard', 12);
    const team = await Team.ready(world, 'guard', files);
    const first = Object.keys(files).slice(0, 7);
    const blocked = await team.commit(Object.fromEntries(first.map((path) => [path, null])));
    const { status } = await team.condition('Ready', 'False', { reason: 'PruneBlocked', revision: blocked });
    assert.match(ready(status!)?.message ?? '', new RegExp(`7 of 12 objects.*approve-prune=main@sha1:${blocked}`));
    await team.annotate({ 'plumbline.dev/approve-prune': 'main@sha1:0123456789012345678901234567890123456789' });
    await team.annotate({ 'plumbline.dev/requestedAt': '1' });
    await until(async () => (await team.status()).lastHandledReconcileAt === '1');
    await present(world, 'guard-0');
    assert.equal((await team.status()).inventory?.count, 12);
    await team.annotate({ 'plumbline.dev/approve-prune': `main@sha1:${blocked}` });
    await team.condition('Ready', 'True');
    await until(async () => (await team.status()).inventory?.count === 5);
    await present(world, 'guard-0', false);
  });

  it('maxCount counts for few objects too, and 0 means none', async () => {
    const files = many('count', 3);
    const team = await Team.ready(world, 'count', files, { pruneGuard: { maxCount: 0 } });
    await team.commit({ 'count-0.yaml': null });
    await team.condition('Ready', 'False', { reason: 'PruneBlocked' });
    await present(world, 'count-0');
    await team.patch({ spec: { pruneGuard: { maxCount: 1 } } });
    await present(world, 'count-0', false);
  });

  it('Namespaces, CRDs and PVCs go only with approval, the rest at once', async () => {
    const group = `${world.namespace}.prune.example.com`;
    const namespace = `${world.namespace}-precious`;
    const team = await Team.ready(world, 'precious', {
      'keep.yaml': config('precious-keep'),
      'a.yaml': config('precious-a'),
      'b.yaml': manifest('v1', 'Namespace', namespace),
      'c.yaml': crd(group, 'Widget', 'widgets'),
      'd.yaml': manifest('v1', 'PersistentVolumeClaim', 'precious-claim', {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      }),
    });
    const commit = await team.commit({ 'a.yaml': null, 'b.yaml': null, 'c.yaml': null, 'd.yaml': null });
    const { status } = await team.condition('Ready', 'False', { reason: 'PruneBlocked', revision: commit });
    const message = ready(status!)?.message ?? '';
    for (const name of [namespace, `widgets.${group}`, 'precious-claim']) assert.ok(message.includes(name), message);
    await present(world, 'precious-a', false);
    const crdPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`;
    assert.equal((await world.expect(200, 'GET', crdPath)).metadata.deletionTimestamp, undefined);
    await team.annotate({ 'plumbline.dev/approve-prune': commit });
    await until(async () => (await world.cluster.request('GET', crdPath)).status === 404);
    const left = await world.cluster.request('GET', `/api/v1/namespaces/${namespace}`);
    assert.ok(left.status === 404 || left.body.metadata.deletionTimestamp);
  });

  it('default and kube-* are never deleted, approved or not', async () => {
    const namespace = `kube-${world.namespace}`;
    const team = await Team.ready(world, 'system', {
      'a.yaml': manifest('v1', 'Namespace', namespace),
      'b.yaml': config('system-b'),
    });
    const commit = await team.commit({ 'a.yaml': null });
    await team.annotate({ 'plumbline.dev/approve-prune': commit });
    await team.condition('Ready', 'True', { revision: commit });
    await team.delete();
    await team.gone();
    await present(world, 'system-b', false);
    assert.equal(
      (await world.expect(200, 'GET', `/api/v1/namespaces/${namespace}`)).metadata.deletionTimestamp,
      undefined,
    );
  });

  it('prune: false keeps everything', async () => {
    const team = await Team.ready(world, 'never', many('never', 2), { prune: false });
    await team.push({ 'never-0.yaml': null });
    await team.delete();
    await team.gone();
    await present(world, 'never-0');
    await present(world, 'never-1');
  });

  it('prune: disabled and reconcile: disabled keep an object, in Git and on the live object', async () => {
    const off = (name: string, what: string) =>
      config(name, { key: 'value' }, { annotations: { [`plumbline.dev/${what}`]: 'disabled' } });
    const team = await Team.ready(world, 'keep', {
      ...many('keep', 3),
      'git.yaml': off('keep-git', 'prune'),
    });
    await world.edit('v1/configmaps/keep-0', { metadata: { annotations: { 'plumbline.dev/prune': 'disabled' } } });
    await world.edit('v1/configmaps/keep-1', { metadata: { annotations: { 'plumbline.dev/reconcile': 'disabled' } } });
    await team.push({ ...without({ 'keep-0.yaml': '', 'keep-1.yaml': '', 'git.yaml': '' }) });
    await until(async () => (await team.status()).lastAppliedRevision !== undefined);
    await team.delete();
    await team.gone();
    await present(world, 'keep-2', false);
    for (const name of ['keep-0', 'keep-1', 'keep-git']) await present(world, name);
  });

  it('a version bump of an apiVersion deletes nothing', async () => {
    const group = `${world.namespace}.bump.example.com`;
    const widget = (version: string) => manifest(`${group}/${version}`, 'Widget', 'bump-widget', { spec: { size: 1 } });
    const definition = crd(group, 'Widget', 'widgets', ['v1', 'v2']);
    const team = await Team.ready(world, 'bump', { 'a.yaml': widget('v1'), 'crd.yaml': definition });
    const path = `/apis/${group}/v1/namespaces/${world.namespace}/widgets/bump-widget`;
    const { uid } = (await world.expect(200, 'GET', path)).metadata;
    await team.push({ 'a.yaml': widget('v2') });
    const now = await world.expect(200, 'GET', path);
    assert.equal(now.metadata.uid, uid);
    assert.deepEqual(pruned(team), []);
    assert.deepEqual(
      now.metadata.managedFields?.map(({ manager, apiVersion }) => [manager, apiVersion]),
      [['plumbline', `${group}/v2`]],
    );
    assert.equal((await team.status()).inventory?.count, 2);
    // And it can be pruned afterwards.
    await team.push({ 'a.yaml': null });
    await until(async () => (await world.cluster.request('GET', path)).status === 404);
  });
});
