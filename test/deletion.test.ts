// Deleting a source does what deletionPolicy says, and ends, whatever is missing.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freshNamespace } from './cluster.ts';
import { World } from './operator.ts';
import { config, crd, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const FINALIZER = 'plumbline.dev/finalizer';

describe('a deleted source', { concurrency: 5 }, () => {
  it('takes its objects with it', async () => {
    const team = await Team.ready(world, 'whole', {
      'a.yaml': config('whole-a'),
      'b.yaml': manifest('v1', 'Secret', 'whole-b', { stringData: { a: 'b' } }),
    });
    assert.deepEqual((await team.source())?.metadata.finalizers, [FINALIZER]);
    await team.delete();
    await team.gone();
    await present(world, 'whole-a', false);
    assert.equal(await world.get('v1/secrets/whole-b'), undefined);
    assert.deepEqual(
      team.writes.filter((line) => line.startsWith('pruned')).map((line) => line.split(' ')[1]),
      ['Secret', 'ConfigMap'],
    );
  });

  it('with Orphan, leaves everything as it is', async () => {
    const team = await Team.ready(world, 'orphan', { 'a.yaml': config('orphan-a') }, { deletionPolicy: 'Orphan' });
    await team.delete();
    await team.gone();
    await present(world, 'orphan-a');
  });

  it('that never was applied, ends at once', async () => {
    const team = await Team.create(world, 'broken', { 'a.yaml': 'apiVersion: v1\nkind: [' });
    await team.condition('Ready', 'False');
    await team.delete();
    await team.gone();
  });

  it('while it is suspended, takes its objects with it all the same', async () => {
    const team = await Team.ready(world, 'asleep', { 'a.yaml': config('asleep-a') });
    await team.patch({ spec: { suspend: true } });
    await until(async () => (await team.status()).conditions?.some(({ reason }) => reason === 'Suspended'));
    await team.delete();
    await team.gone();
    await present(world, 'asleep-a', false);
  });

  it('does not wait for finalizers of its objects', async () => {
    const slow = config('slow-a', {}, { finalizers: ['example.com/never'] });
    const team = await Team.ready(world, 'slow', { 'a.yaml': slow });
    await team.delete();
    await team.gone();
    assert.ok((await world.get('v1/configmaps/slow-a'))?.metadata.deletionTimestamp);
    await world.edit('v1/configmaps/slow-a', { metadata: { finalizers: null } });
  });

  it('whose ServiceAccount is gone, ends, and says what stays', async () => {
    const accounts = world.path('v1/serviceaccounts');
    const roles = world.path('rbac.authorization.k8s.io/v1/rolebindings');
    await world.expect(201, 'POST', accounts, { body: { metadata: { name: 'leaver' } } });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' };
    const subjects = [{ kind: 'ServiceAccount', name: 'leaver', namespace: world.namespace }];
    await world.expect(201, 'POST', roles, { body: { metadata: { name: 'leaver' }, roleRef, subjects } });
    const team = await Team.ready(world, 'leaver', { 'a.yaml': config('leaver-a') }, { serviceAccountName: 'leaver' });
    await world.expect(200, 'DELETE', `${accounts}/leaver`);
    await team.delete();
    await team.gone();
    await present(world, 'leaver-a');
    await until(async () => {
      const events = await world.expect(200, 'GET', world.path('v1/events'));
      const { items } = events as unknown as { items: { reason: string; message: string }[] };
      return items.some(({ reason, message }) => reason === 'Deleting' && message.includes('ServiceAccount leaver'));
    });
  });

  it('of whose objects a kind is gone, ends', async () => {
    const group = `${world.namespace}.ends.example.com`;
    const files = { 'a.yaml': crd(group, 'Widget', 'widgets') };
    await Team.ready(world, 'definition', files, { deletionPolicy: 'Orphan' });
    const team = await Team.ready(world, 'kindless', {
      'a.yaml': config('kindless-a'),
      'w.yaml': manifest(`${group}/v1`, 'Widget', 'w'),
    });
    await world.patchSource({ spec: { suspend: true } }, 'definition');
    await world.expect(200, 'DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`);
    await team.delete();
    await team.gone();
    await present(world, 'kindless-a', false);
  });

  it('whose namespace is being deleted, ends, and leaves what it has elsewhere', async () => {
    const elsewhere = await freshNamespace(world.cluster, 'elsewhere');
    const own = await World.create();
    try {
      await Team.ready(own, 'leaving', { 'a.yaml': config('leaving-a', {}, { namespace: elsewhere }) });
      await own.expect(200, 'DELETE', `/api/v1/namespaces/${own.namespace}`);
      await until(async () => (await own.source('leaving')) === undefined, {
        what: 'the source is gone',
        timeoutMs: 40_000,
      });
      assert.equal(
        (await own.cluster.request('GET', `/api/v1/namespaces/${elsewhere}/configmaps/leaving-a`)).status,
        200,
      );
    } finally {
      await own[Symbol.asyncDispose]();
    }
  });
});
