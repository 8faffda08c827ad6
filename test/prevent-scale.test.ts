// drift.mode Prevent and the subresource scale, whose requests show neither labels nor managedFields: who may scale what.
import { after, before, it } from 'node:test';
import type { Cluster } from './cluster.ts';
import type { World } from './operator.ts';
import { effective, guarded, preventCluster, preventWorld, refused } from './prevent.ts';
import { deployment, manifest } from './team.ts';
import { until } from './until.ts';

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await preventCluster();
  world = await preventWorld(cluster);
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const scale = (place: string, manager = 'kubectl') => `${world.path(place)}/scale?fieldManager=${manager}`;
const to = (replicas: number) => ({ body: { spec: { replicas } } });

it('what drift.ignore leaves to a manager in one object is refused in all others', async () => {
  const rule = { paths: ['/spec/replicas'], managers: ['scaler'], target: { name: 'shared' } };
  const files = { 'a.yaml': deployment('alone'), 'b.yaml': deployment('shared') };
  await guarded(world, 'target', files, { drift: { mode: 'Prevent', ignore: [rule] } });
  await effective(world, 'apps/v1/deployments/alone');
  await refused(world, 'PATCH', scale('apps/v1/deployments/alone'), to(1));
  await world.expect(200, 'PATCH', scale('apps/v1/deployments/shared', 'scaler'), to(1));
});

it('a manager to whom drift.ignore leaves a field above the replicas may scale', async () => {
  const rule = { paths: ['/spec'], managers: ['scaler'] };
  await guarded(world, 'above', { 'a.yaml': deployment('above') }, { drift: { mode: 'Prevent', ignore: [rule] } });
  await effective(world, 'apps/v1/deployments/above');
  await world.expect(200, 'PATCH', scale('apps/v1/deployments/above', 'scaler'), to(1));
});

it('an object that was opened can be scaled, until the annotation goes', async () => {
  await guarded(world, 'opened', { 'a.yaml': deployment('opened') });
  const place = 'apps/v1/deployments/opened';
  await effective(world, place);
  const annotated = (value: string | null) =>
    world.edit(place, { metadata: { annotations: { 'plumbline.dev/reconcile': value } } });
  const answered = (status: number, replicas: number) => async () =>
    (await cluster.request('PATCH', scale(place), to(replicas))).status === status;
  await annotated('disabled');
  await until(answered(200, 1), { what: 'it can be scaled' });
  await annotated(null);
  await until(answered(403, 2), { what: 'it cannot be scaled any more' });
});

it('a custom resource that is scaled by another field', async () => {
  const group = `${world.namespace}.example.com`;
  const properties = { size: { type: 'integer' }, replicas: { type: 'integer' } };
  const version = (specReplicasPath: string) => ({
    name: 'v1',
    served: true,
    storage: true,
    subresources: { scale: { specReplicasPath, statusReplicasPath: '.status.replicas' } },
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  });
  const names = { kind: 'Database', plural: 'databases', singular: 'database' };
  const metadata = { name: `databases.${group}` };
  const spec = { group, scope: 'Namespaced', names, versions: [version('.spec.size')] };
  await world.expect(201, 'POST', CRDS, { body: { metadata, spec } });
  const database = (name: string, fields: object) => manifest(`${group}/v1`, 'Database', name, { spec: fields });
  const files = { 'a.yaml': database('sized', { size: 1 }), 'b.yaml': database('counted', { replicas: 1 }) };
  await guarded(world, 'databases', files);
  const [sized, counted] = [`${group}/v1/databases/sized`, `${group}/v1/databases/counted`];
  await effective(world, sized);
  await refused(world, 'PATCH', scale(sized), to(5));
  await world.expect(200, 'PATCH', scale(counted), to(5));
  await world.expect(200, 'PATCH', `${CRDS}/${metadata.name}`, {
    body: { spec: { versions: [version('.spec.replicas')] } },
  });
  const answered = (place: string, status: number) => async () =>
    (await cluster.request('PATCH', scale(place, 'again'), to(7))).status === status;
  await until(answered(counted, 403), { what: 'the other field counts now' });
  await until(answered(sized, 200), { what: 'the first one does not' });
});
