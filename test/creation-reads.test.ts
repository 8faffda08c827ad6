// What does not exist yet is created without a read for each object, however much is managed in the namespace already.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { readAudit } from './audit.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { config, Team } from './team.ts';

/** More than a list of what is there may hold before objects are read one by one. */
const MANAGED = 600;

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await startCluster({ audit: true, controllers: false });
  world = await World.create({ cluster });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

function filesOf(name: string, count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${index}.yaml`, config(`${name}-${index}`)] as const),
  );
}

it('the objects of another source are known: none of them is asked for', async () => {
  await Team.ready(world, 'many', filesOf('many', MANAGED));
  const before = readAudit(cluster, 'operator').length;
  await Team.ready(world, 'few', filesOf('few', 5));
  const reads = readAudit(cluster, 'operator')
    .slice(before)
    .filter(({ verb, objectRef }) => verb === 'get' && objectRef?.resource === 'configmaps');
  assert.deepEqual(reads, []);
});

it('a foreign object of the same name is looked at before it is taken', async () => {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'late-0' }, data: { other: 'kept' } };
  await world.expect(201, 'POST', world.path('v1/configmaps/'), { body });
  const before = readAudit(cluster, 'operator').length;
  await Team.ready(world, 'late', filesOf('late', 5));
  const reads = readAudit(cluster, 'operator')
    .slice(before)
    .filter(({ verb, objectRef }) => verb === 'get' && objectRef?.resource === 'configmaps');
  assert.deepEqual([...new Set(reads.map(({ objectRef }) => objectRef?.name))], ['late-0']);
});
