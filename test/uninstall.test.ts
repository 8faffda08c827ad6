// Taking Plumbline away, in whatever order its operator and its CRD go, never takes away what it manages.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startCluster, type Cluster } from './cluster.ts';
import { installCrd, World } from './operator.ts';
import { config, Team } from './team.ts';
import { until } from './until.ts';

const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gitopssources.plumbline.dev';

// One of its own: the CRD that is deleted here is everybody's.
let cluster: Cluster;
before(async () => void (cluster = await startCluster()));
after(() => cluster.stop());

const managed = { 'a.yaml': config('kept-a'), 'b.yaml': config('kept-b') };

async function uids(world: World): Promise<(string | undefined)[]> {
  return Promise.all(
    ['kept-a', 'kept-b'].map(async (name) => (await world.get(`v1/configmaps/${name}`))?.metadata.uid),
  );
}

/** The server looks only every now and then whether the last source has gone. */
async function crdIsGone(): Promise<void> {
  await until(async () => (await cluster.request('GET', CRD)).status === 404, {
    what: 'the CRD is gone',
    timeoutMs: 90_000,
  });
}

describe('uninstalling', () => {
  it('the CRD first: the sources go, their objects stay; installed again, they are taken up as they are', async () => {
    await using world = await World.create({ cluster });
    const team = await Team.ready(world, 'app', managed);
    const before = await uids(world);
    await world.expect(200, 'DELETE', CRD);
    await crdIsGone();
    assert.deepEqual(await uids(world), before);

    await installCrd(cluster);
    await world.createSource({ url: team.repository.url }, 'app');
    await team.condition('Ready', 'True');
    assert.deepEqual(await uids(world), before);
    assert.deepEqual(
      team.writes.filter((line) => !line.startsWith('created')),
      [],
      'nothing had to be written again',
    );
    await team.push({ 'b.yaml': null });
    await until(async () => (await uids(world))[1] === undefined);
    // Or nobody would let it go with the CRD.
    await team.delete();
    await team.gone();
  });

  it('the operator first: the sources wait with their objects; an operator that comes back lets them go', async () => {
    await installCrd(cluster);
    await using world = await World.create({ cluster });
    await Team.ready(world, 'app', managed);
    const before = await uids(world);
    await world.operator.stop();
    await world.expect(200, 'DELETE', CRD);
    await until(async () => (await world.source())?.metadata.deletionTimestamp);
    assert.deepEqual(await uids(world), before);
    world.startOperator();
    await crdIsGone();
    assert.deepEqual(await uids(world), before);
  });

  it('both at once, and the namespace of the source too', async () => {
    await installCrd(cluster);
    await using world = await World.create({ cluster });
    const elsewhere = `${world.namespace}-else`;
    await world.expect(201, 'POST', '/api/v1/namespaces', { body: { metadata: { name: elsewhere } } });
    await Team.ready(world, 'app', { 'a.yaml': config('kept-a', {}, { namespace: elsewhere }) });
    const path = `/api/v1/namespaces/${elsewhere}/configmaps/kept-a`;
    const { uid } = (await world.expect(200, 'GET', path)).metadata;
    await Promise.all([
      world.expect(200, 'DELETE', `/api/v1/namespaces/${world.namespace}`),
      world.expect(200, 'DELETE', CRD),
    ]);
    await crdIsGone();
    await world.operator.stop();
    assert.equal((await world.expect(200, 'GET', path)).metadata.uid, uid);
  });
});
