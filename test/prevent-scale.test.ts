// drift.mode Prevent and the subresource scale, whose requests show neither labels nor managedFields: who may scale what.
import { after, before, it } from 'node:test';
import type { Cluster } from './cluster.ts';
import type { World } from './operator.ts';
import { effective, guarded, preventCluster, preventWorld, refused } from './prevent.ts';
import { deployment } from './team.ts';
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
