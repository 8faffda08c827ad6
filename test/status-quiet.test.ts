// Status is small and quiet: under 64 KiB with hundreds of failures, at most a write a second, none when nothing changed.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { readAudit } from './audit.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { config, dataOf, manifest, Team } from './team.ts';
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

/** Arrival times in milliseconds of the status writes of a source. */
function statusWrites(name: string): number[] {
  return readAudit(cluster, 'operator')
    .filter(({ verb, objectRef }) => verb === 'patch' && objectRef?.subresource === 'status' && objectRef.name === name)
    .map(({ requestReceivedTimestamp }) => Date.parse(requestReceivedTimestamp));
}

async function events(): Promise<{ reason: string; involvedObject: { name: string } }[]> {
  const { body } = await cluster.request('GET', world.path('v1/events/'));
  return (body as unknown as { items: { reason: string; involvedObject: { name: string } }[] }).items;
}

/** A run that takes longer is told of meanwhile. */
const QUICK_MS = 3_000;

it('a first run that is quick is told by one write, one that takes long also meanwhile', async () => {
  // Of a busy machine it takes some attempts until one is quick.
  const quick = await until(async () => {
    const name = `quick-${Date.now()}`;
    const startedAt = performance.now();
    await Team.ready(world, name, { 'a.yaml': config(`${name}-a`) });
    return performance.now() - startedAt < QUICK_MS && name;
  });
  // The audit log is written a moment after the answer.
  await until(() => statusWrites(quick).length > 0, { what: 'the write is in the audit log' });
  assert.equal(statusWrites(quick).length, 1);

  world.git.fault = ({ repository }) => (repository === 'slow' ? 'hang' : 'pass');
  const slow = await Team.create(world, 'slow', { 'a.yaml': config('slow-a') });
  await slow.condition('Reconciling', 'True', { reason: 'Progressing' });
  delete world.git.fault;
});

it('many heals in a row are told in few writes, a second apart, and in one event', async () => {
  const team = await Team.ready(world, 'busy', { 'a.yaml': config('busy-a') });
  const first = statusWrites('busy').length;
  for (let round = 0; round < 60; round += 1) {
    await world.edit('v1/configmaps/busy-a', { data: { key: `edit-${round}` } });
    await until(async () => (await dataOf(world, 'busy-a'))?.['key'] === 'value', { intervalMs: 5 });
  }
  const { drift } = await until(async () => {
    const status = await team.status();
    return (status.drift?.healedCount ?? 0) >= 60 && status;
  });
  assert.equal(drift?.objects.length, 1, 'one object stands once, with what was changed last');
  const times = statusWrites('busy').slice(first);
  // They are sent a second apart; on a busy machine one may take longer than the next to arrive.
  const lasted = times.at(-1)! - times[0]!;
  assert.ok(lasted > 1_000 * (times.length - 2), `${times.length} writes in ${lasted} ms`);
  const told = (await events()).filter(
    ({ reason, involvedObject }) => reason === 'DriftCorrected' && involvedObject.name === 'busy',
  );
  assert.ok(told.length <= 2, `${told.length} events`);
});

it('hundreds of failures with long messages fit, and are counted', async () => {
  const long = 'x'.repeat(60);
  const bad = (index: number) =>
    manifest('v1', 'Service', `many-${String(index).padStart(3, '0')}-${long.slice(0, 40)}`, {
      spec: { ports: Array.from({ length: 10 }, (_, port) => ({ name: `Bad_${long}_${port}`, port: 99999 })) },
    });
  const team = await Team.create(world, 'many', {
    'a.yaml': Array.from({ length: 400 }, (_, index) => bad(index)).join('---\n'),
  });
  const { status } = await team.condition('Ready', 'False', { reason: 'ReconciliationFailed', timeoutMs: 60_000 });
  assert.ok(Buffer.byteLength(JSON.stringify(status)) <= 65_536);
  const shown = status?.failures?.length ?? 0;
  assert.ok(shown > 5 && shown <= 30, `${shown} are shown`);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  assert.match(ready!.message, /^400 of 400 objects/);
});

it('a source that stays as it is writes no status and no event, whatever is polled and retried', async () => {
  await Team.ready(world, 'still', { 'a.yaml': config('still-a') });
  const failing = manifest('v1', 'Service', 'stuck-a', { spec: { ports: [{ port: 99999 }] } });
  const stuck = await Team.create(world, 'stuck', { 'a.yaml': failing }, { retryInterval: '1s' });
  await stuck.condition('Ready', 'False', { reason: 'ReconciliationFailed' });
  const attempts = () =>
    readAudit(cluster, 'operator').filter(({ verb, objectRef }) => verb === 'patch' && objectRef?.name === 'stuck-a')
      .length;
  const writes = () => [statusWrites('still').length, statusWrites('stuck').length];
  // What was told of is still being posted.
  const about = async () =>
    (await events()).filter(({ involvedObject: { name } }) => name === 'still' || name === 'stuck').length;
  let told = -1;
  await until(async () => told === (told = await about()), { what: 'no more events', intervalMs: 2_000 });
  const [before, count] = [attempts(), writes()];
  const polls = world.git.requests.length;
  await until(() => attempts() >= before + 3 && world.git.requests.length > polls + 3);
  assert.deepEqual(writes(), count);
  assert.equal(await about(), told);
});
