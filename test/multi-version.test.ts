// Objects are read in the version that Git declares: what is stored or written in another one is no drift, and a person's edit
// through the other version is.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { crd, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
let group: string;
before(async () => {
  world = await World.create();
  group = `${world.namespace}.example.com`;
  await world.expect(201, 'POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: crd(group, 'Route', 'routes', ['v1', 'v2']),
    contentType: 'application/yaml',
  });
  await until(async () => (await world.cluster.request('GET', `/apis/${group}/v2/routes`)).status === 200);
});
after(() => world[Symbol.asyncDispose]());

const place = (version: string, name: string) =>
  `/apis/${group}/${version}/namespaces/${world.namespace}/routes/${name}`;
const route = (version: string, name: string, prefix: string) =>
  manifest(`${group}/${version}`, 'Route', name, { spec: { prefix, quantity: '1000m' } });
const prefixOf = async (name: string) =>
  ((await world.expect(200, 'GET', place('v2', name))) as KubeObject & { spec: { prefix: string } }).spec.prefix;

async function edit(version: string, name: string, body: object): Promise<KubeObject> {
  return world.expect(200, 'PATCH', `${place(version, name)}?fieldManager=somebody`, { body });
}

it('declared as v2 while v1 is stored: foreign writes in v1 are no drift, an edit is, a restart sends nothing', async () => {
  const team = await Team.ready(world, 'two', {
    'a.yaml': route('v2', 'two-a', '/a/'),
    'b.yaml': route('v2', 'two-b', '/b/'),
  });
  await edit('v1', 'two-a', { status: { seen: true }, metadata: { annotations: { mine: 'x' } } });
  await edit('v1', 'two-b', { spec: { prefix: '/edited/' } });
  await until(async () => (await prefixOf('two-b')) === '/b/');
  await until(async () => (await team.status()).drift?.healedCount === 1);
  const healed = (await team.status()).drift!.objects[0]!;
  assert.deepEqual(
    [healed.name, healed.fields[0]?.path, healed.fields[0]?.manager],
    ['two-b', '/spec/prefix', 'somebody'],
  );
  await team.condition('Drifted', 'False', { reason: 'InSync' });

  await world.operator.stop();
  const { resourceVersion } = (await world.expect(200, 'GET', place('v2', 'two-a'))).metadata;
  world.startOperator();
  await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
  await until(async () => (await team.status()).lastHandledReconcileAt === 'now');
  assert.deepEqual(world.operator.writes, []);
  assert.equal((await world.expect(200, 'GET', place('v2', 'two-a'))).metadata.resourceVersion, resourceVersion);
});

it('a commit that only changes the version writes once, keeps the object, and prunes nothing', async () => {
  const team = await Team.ready(world, 'bump', { 'a.yaml': route('v1', 'bump-a', '/a/') });
  const before = await world.expect(200, 'GET', place('v1', 'bump-a'));
  await team.push({ 'a.yaml': route('v2', 'bump-a', '/a/') });
  const after = await world.expect(200, 'GET', place('v2', 'bump-a'));
  assert.equal(after.metadata.uid, before.metadata.uid);
  const ours = after.metadata.managedFields?.filter(({ manager }) => manager === 'plumbline');
  assert.deepEqual(
    ours?.map(({ apiVersion }) => apiVersion),
    [`${group}/v2`],
    'one entry, in the new version',
  );
  await edit('v1', 'bump-a', { spec: { prefix: '/edited/' } });
  await until(async () => (await prefixOf('bump-a')) === '/a/');
  await until(() => team.writes.length === 3);
  assert.deepEqual(
    team.writes.map((line) => line.split(' ')[0]),
    ['created', 'configured', 'healed'],
  );
  await team.push({ 'a.yaml': route('v2', 'bump-a', '/b/') });
  assert.equal(await prefixOf('bump-a'), '/b/');
});
