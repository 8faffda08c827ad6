// A namespace that is on its way out and does not go, with managed objects in it.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

it('is told as what it is and not as a missing right; the rest goes on, and what it held comes back with it', async () => {
  const elsewhere = `${world.namespace}-else`;
  const place = `/api/v1/namespaces/${elsewhere}`;
  const create = (finalizers: string[]) =>
    world.expect(201, 'POST', '/api/v1/namespaces', { body: { metadata: { name: elsewhere, finalizers } } });
  const statusOf = async (path: string) => (await world.cluster.request('GET', path)).status;
  await create(['example.com/holds']);
  const there = config('there', { key: 'value' }, { namespace: elsewhere });
  const team = await Team.ready(world, 'app', { 'there.yaml': there, 'here.yaml': config('here') });
  await world.expect(200, 'DELETE', place);

  const { message } = await team.failure('there', 'NamespaceTerminating');
  assert.match(message, new RegExp(`${elsewhere} because it is being terminated`));
  await team.condition('Ready', 'False', { reason: 'ReconciliationFailed' });
  await team.commit({ 'here.yaml': config('here', { key: 'new' }) });
  await until(async () => (await dataOf(world, 'here'))?.['key'] === 'new', { what: 'the rest is applied' });

  await world.expect(200, 'PATCH', place, { body: { metadata: { finalizers: null } } });
  // Among the many namespaces of all tests the namespace controller comes back to this one after minutes.
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: elsewhere }, spec: { finalizers: [] } };
  const isGone = async () => {
    await world.cluster.request('PUT', `${place}/finalize`, { body });
    return (await statusOf(place)) === 404;
  };
  await until(isGone, { what: 'the namespace is gone' });
  await create([]);
  await team.condition('Ready', 'True');
  assert.equal(await statusOf(`${place}/configmaps/there`), 200);
});
