// What a source says about all its objects: their namespace, and labels and annotations in addition.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freshNamespace } from './cluster.ts';
import { World } from './operator.ts';
import { config, dataOf, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const statusAt = async (namespace: string, name: string) =>
  (await world.cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`)).status;

describe('settings for all objects', { concurrency: true }, () => {
  it('targetNamespace wins over Git; cluster-scoped objects have none; a new one moves everything', async () => {
    const [first, second] = await Promise.all([freshNamespace(world.cluster), freshNamespace(world.cluster)]);
    const role = `${world.namespace}-role`;
    const team = await Team.ready(
      world,
      'target',
      {
        'a.yaml': config('target-a'),
        'b.yaml': config('target-b', {}, { namespace: 'default' }),
        'c.yaml': manifest('rbac.authorization.k8s.io/v1', 'ClusterRole', role, { rules: [] }),
      },
      { targetNamespace: first },
    );
    assert.deepEqual([await statusAt(first, 'target-a'), await statusAt(first, 'target-b')], [200, 200]);
    assert.equal(await statusAt('default', 'target-b'), 404);
    await world.expect(200, 'GET', `/apis/rbac.authorization.k8s.io/v1/clusterroles/${role}`);
    await team.patch({ spec: { targetNamespace: second } });
    await until(async () => (await statusAt(second, 'target-b')) === 200);
    await until(async () => (await statusAt(first, 'target-b')) === 404);
    // A long run tells meanwhile that it has both.
    await until(async () => (await team.status()).inventory?.count === 3, { what: 'the new ones alone are counted' });
  });

  it('without a namespace in Git, objects go where the source is', async () => {
    await Team.ready(world, 'own', { 'a.yaml': config('own-a') });
    await present(world, 'own-a');
  });

  it('commonMetadata is on every object, is kept like the rest, and goes when it is dropped', async () => {
    const spec = { commonMetadata: { labels: { team: 'edge' }, annotations: { 'example.com/note': 'ours' } } };
    const manifestOfA = config('common-a', {}, { labels: { team: 'git', tier: 'web' } });
    const team = await Team.ready(world, 'common', { 'a.yaml': manifestOfA }, spec);
    const metadata = async () => (await world.get('v1/configmaps/common-a'))!.metadata;
    assert.deepEqual([(await metadata()).labels?.['team'], (await metadata()).labels?.['tier']], ['edge', 'web']);
    assert.equal((await metadata()).annotations?.['example.com/note'], 'ours');
    await world.edit('v1/configmaps/common-a', { metadata: { labels: { team: 'mine' } } });
    await until(async () => (await metadata()).labels?.['team'] === 'edge');
    await team.patch({ spec: { commonMetadata: null } });
    await until(async () => (await metadata()).labels?.['team'] === 'git');
    assert.equal((await metadata()).annotations?.['example.com/note'], undefined);
    assert.deepEqual(await dataOf(world, 'common-a'), undefined);
  });
});
