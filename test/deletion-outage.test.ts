// The API server is away while a source is deleted: that costs none of the attempts at deleting its objects.
import { after, it } from 'node:test';
import { proxiedWorld } from './proxied.ts';
import { config, present, Team } from './team.ts';
import { until } from './until.ts';

/** More than a source has attempts. */
const FAILED_RUNS = 6;
const REFUSED = { kind: 'status', status: 500 } as const;

const proxied = await proxiedWorld();
const { world, proxy } = proxied;
after(() => proxied[Symbol.asyncDispose]());

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
