// What one team does to its own sources costs that team, not the others: watches, workers and memory are shared.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { readAudit } from './audit.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await startCluster({ audit: true });
  world = await World.create({ cluster });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

/** Lists and watches of ConfigMaps that the operator has asked for. */
function looks(): string[] {
  return readAudit(cluster, 'operator')
    .filter(({ verb, objectRef, stage }) => objectRef?.resource === 'configmaps' && isLook(verb, stage))
    .map(({ verb, requestURI }) => `${verb} ${decodeURIComponent(requestURI)}`);
}

const isLook = (verb: string, stage: string) => verb === 'list' || (verb === 'watch' && stage === 'ResponseStarted');

it('a source that asks for a look at everything lists its own objects, and never restarts the watch of all', async () => {
  await Team.ready(world, 'quiet', { 'a.yaml': config('quiet-a') });
  const loud = await Team.ready(world, 'loud', { 'a.yaml': config('loud-a') });
  const before = looks().length;
  for (const token of ['1', '2', '3']) {
    await loud.annotate({ 'plumbline.dev/requestedAt': token });
    await until(async () => (await loud.status()).lastHandledReconcileAt === token, { what: `${token} is served` });
  }
  const asked = looks().slice(before);
  assert.equal(asked.length, 3, asked.join('\n'));
  for (const one of asked) assert.match(one, /^list .*plumbline\.dev\/name=loud/);
  await world.edit('v1/configmaps/quiet-a', { data: { key: 'other' } });
  await until(async () => (await dataOf(world, 'quiet-a'))?.['key'] === 'value', { what: 'the edit is healed' });
});
