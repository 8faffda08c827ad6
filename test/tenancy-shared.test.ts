// What one team does to its own sources costs that team, not the others: watches, workers and memory are shared.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { readAudit } from './audit.ts';
import type { World } from './operator.ts';
import { config } from './team.ts';
import { installedWorld, Tenant } from './tenancy.ts';
import { until } from './until.ts';

let world: World;
let attacker: Tenant;
let victim: Tenant;
before(async () => {
  world = await installedWorld({ audit: true });
  [attacker, victim] = await Promise.all([Tenant.create(world, 'attacker'), Tenant.create(world, 'victim')]);
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await world.cluster.stop();
});

/** Lists and watches of ConfigMaps that the operator has asked for. */
function looks(): string[] {
  return readAudit(world.cluster, 'system:serviceaccount:plumbline-system:plumbline-operator')
    .filter(({ verb, objectRef, stage }) => objectRef?.resource === 'configmaps' && isLook(verb, stage))
    .map(({ verb, requestURI }) => `${verb} ${decodeURIComponent(requestURI)}`);
}

const isLook = (verb: string, stage: string) => verb === 'list' || (verb === 'watch' && stage === 'ResponseStarted');

it('a source that asks for a look at everything lists its own objects, and never restarts the watch of all', async () => {
  const quiet = await victim.source('quiet', { 'a.yaml': config('quiet') });
  const loud = await attacker.source('loud', { 'a.yaml': config('loud') });
  await Promise.all([quiet.ready('True'), loud.ready('True')]);
  const before = looks().length;
  for (const token of ['1', '2', '3']) {
    await loud.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': token } } });
    await until(async () => (await loud.status()).lastHandledReconcileAt === token, { what: `${token} is served` });
  }
  const asked = looks().slice(before);
  assert.equal(asked.length, 3, asked.join('\n'));
  for (const one of asked) assert.match(one, /^list .*plumbline\.dev\/name=loud/);
});

it('sources that hang for as long as they may hold only workers that the other teams can spare', async () => {
  world.git.fault = ({ repository }) => (repository.startsWith(`${attacker.namespace}-hung`) ? 'hang' : 'pass');
  const spec = { timeout: '1h' };
  const files = { 'a.yaml': config('hung') };
  await Promise.all(Array.from({ length: 40 }, (_, index) => attacker.source(`hung-${index}`, files, spec)));
  await until(() => world.git.requests.filter(({ repository }) => repository.includes('-hung')).length >= 16, {
    what: 'as many sources hang as may',
  });
  const quiet = await victim.source('calm', { 'a.yaml': config('calm') });
  await quiet.ready('True');
});
