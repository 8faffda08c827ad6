// A 404 that names no object comes of something in between, or of a kind that is not served: nothing is taken for gone by it.
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { accountWith } from './prevent.ts';
import { proxiedWorld } from './proxied.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';

const proxied = await proxiedWorld();
const { world, proxy } = proxied;
after(() => proxied[Symbol.asyncDispose]());

/** Whoever reads the object meanwhile gets a page, with status 404. */
async function hidden(at: string, work: () => Promise<unknown>): Promise<void> {
  const met = proxy.met.get('page') ?? 0;
  proxy.arm({ on: ['read'], at, after: 0, times: Infinity, fault: { kind: 'page', status: 404 } });
  await work();
  await until(() => (proxy.met.get('page') ?? 0) > met, { what: 'it is read' });
  proxy.calm();
}

it('an object of somebody else is not overwritten', async () => {
  await world.expect(201, 'POST', world.path('v1/configmaps'), {
    body: { metadata: { name: 'theirs' }, data: { key: 'theirs' } },
  });
  let team: Team;
  await hidden('/configmaps/theirs', async () => {
    team = await Team.create(
      world,
      'eager',
      { 'a.yaml': config('theirs') },
      { adoption: 'Refuse', retryInterval: '1s' },
    );
  });
  await team!.failure('theirs', 'AdoptionRefused');
  assert.deepEqual(await dataOf(world, 'theirs'), { key: 'theirs' });
});

it('the objects of a source that is deleted are deleted', async () => {
  await accountWith(world, 'leaver', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]);
  const spec = { deletionPolicy: 'Delete', serviceAccountName: 'leaver', retryInterval: '1s' } as const;
  const team = await Team.ready(world, 'leaving', { 'a.yaml': config('leaving-a') }, spec);
  await hidden('/serviceaccounts/leaver', () => team.delete());
  await team.gone();
  await present(world, 'leaving-a', false);
});
