// The API server is away while a source is deleted: that costs none of the attempts at deleting its objects.
import { after, before, it } from 'node:test';
import { sharedCluster } from './cluster.ts';
import { ApiProxy } from './faults/proxy.ts';
import { World } from './operator.ts';
import { config, present, Team } from './team.ts';
import { until } from './until.ts';

/** More than a source has attempts. */
const FAILED_RUNS = 6;
const REFUSED = { kind: 'status', status: 500 } as const;

let world: World;
let proxy: ApiProxy;
before(async () => {
  const cluster = await sharedCluster();
  proxy = await ApiProxy.start(cluster);
  world = await World.create({ cluster, via: proxy });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

it('an object that cannot be deleted in the first moment after it is deleted with the next attempt', async () => {
  const team = await Team.ready(world, 'leaving', { 'a.yaml': config('leaving-a') }, { retryInterval: '1s' });
  const failed = () => world.operator.lines.filter(({ msg }) => msg === 'the source could not be reconciled').length;
  proxy.arm({ on: ['read'], at: '/gitopssources.plumbline.dev', after: 0, times: Infinity, fault: REFUSED });
  await team.delete();
  await until(() => failed() >= FAILED_RUNS, { what: 'six runs have failed', timeoutMs: 60_000 });
  proxy.calm();
  proxy.arm({ on: ['write'], at: '/configmaps/leaving-a', after: 0, times: 1, fault: { kind: 'page' } });
  await team.gone();
  await present(world, 'leaving-a', false);
});
