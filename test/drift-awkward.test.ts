// Drift that arrives at an awkward moment is seen all the same: while a look at everything is cut short or cannot list a kind,
// and while a write of ours waits for its answer.
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { proxiedWorld } from './proxied.ts';
import { config, dataOf, restore, Team, unlabel } from './team.ts';
import { until } from './until.ts';
import { closed } from './windows.ts';

const proxied = await proxiedWorld();
const { world, proxy } = proxied;
after(() => proxied[Symbol.asyncDispose]());

it('drift is seen after a new wish came in the middle of the look that another one had caused', async () => {
  const team = await Team.ready(world, 'cut', { 'a.yaml': config('cut-a') });
  proxy.arm({ on: ['list'], after: 0, times: 1, fault: { kind: 'slow', ms: 3_000 } });
  await team.patch({ spec: { drift: { foreignFields: 'Report' } } });
  await until(() => proxy.met.has('slow'), { what: 'the objects are being listed' });
  await team.patch({ spec: { windows: [closed('heal')] } });
  await team.annotate({ 'plumbline.dev/healNow': 'nothing' });
  await until(async () => (await team.status()).lastHandledHealNow === 'nothing', { what: 'the run has ended' });
  await world.edit('v1/configmaps/cut-a', { data: { key: 'edited' } });
  await team.condition('Drifted', 'True', { reason: 'WaitingForWindow' });
});

it('drift is healed at once although a kind could not be listed when somebody asked, and that is soon asked again', async () => {
  const team = await Team.ready(world, 'unlisted', { 'a.yaml': config('unlisted-a') });
  proxy.arm({ on: ['list'], after: 0, times: 100, fault: { kind: 'status', status: 500 } });
  await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
  await until(async () => (await team.status()).lastHandledReconcileAt === 'now', { what: 'the request is answered' });
  await team.condition('Drifted', 'Unknown');
  proxy.calm();
  await world.edit('v1/configmaps/unlisted-a', { data: { key: 'edited' } });
  await until(async () => (await dataOf(world, 'unlisted-a'))?.['key'] === 'value', { what: 'it is healed' });
  await until(async () => (await team.status()).drift?.healedCount === 1, { what: 'the repair is told' });
  await team.condition('Drifted', 'False');
});

it('drift that comes before the answer to our own write is told after it', async () => {
  const windows = [closed('heal')];
  const team = await Team.ready(world, 'overtaken', { 'a.yaml': config('overtaken-a') }, { windows });
  proxy.arm({ on: ['write'], after: 0, times: 100, fault: { kind: 'late', ms: 5_000 } });
  const commit = await team.commit({ 'a.yaml': config('overtaken-a', { key: 'new' }) });
  await until(async () => (await dataOf(world, 'overtaken-a'))?.['key'] === 'new', { what: 'the commit is written' });
  await world.edit('v1/configmaps/overtaken-a', { data: { key: 'edited' } });
  await team.condition('Ready', 'True', { revision: commit });
  proxy.calm();
  await team.condition('Drifted', 'True', { reason: 'WaitingForWindow' });
});

it('drift is left although the source was edited before its first run after a restart had ended', async () => {
  const team = await Team.ready(world, 'edited', { 'a.yaml': config('edited-a') });
  await world.operator.stop('SIGKILL');
  await world.edit('v1/configmaps/edited-a', { data: { key: 'edited' } });
  proxy.arm({ on: ['list'], at: '/configmaps', after: 0, times: Infinity, fault: { kind: 'blackhole' } });
  const operator = world.startOperator();
  await until(() => operator.lines.some(({ msg }) => msg === 'watching sources'), { what: 'the source is known' });
  await team.patch({ spec: { windows: [closed('heal')] } });
  // It comes after the edit in the same watch, and has nothing to list.
  const later = await Team.create(world, 'later', { 'a.yaml': config('later-a') }, { suspend: true });
  await later.condition('Ready', 'Unknown', { reason: 'Suspended' });
  proxy.calm();
  await team.condition('Drifted', 'True', { reason: 'WaitingForWindow' });
  assert.deepEqual(await dataOf(world, 'edited-a'), { key: 'edited' });
});

/** Resolves when the operator has asked about what this did; the answer takes a while. */
async function asked(edit: () => Promise<unknown>): Promise<void> {
  const late = () => proxy.met.get('late') ?? 0;
  const before = late();
  proxy.arm({ on: ['read'], after: 0, times: 1, fault: { kind: 'late', ms: 5_000 } });
  await edit();
  await until(() => late() > before, { what: 'the operator asks what became of it' });
}

it('what came back in another form while we asked what had become of it is put right at once', async () => {
  const team = await Team.ready(world, 'asked', { 'a.yaml': config('asked-a') });
  const labels = async () => (await world.get('v1/configmaps/asked-a'))?.metadata.labels ?? {};
  const before = await labels();
  await asked(() => unlabel(world, 'asked-a'));
  await world.edit('v1/configmaps/asked-a', { metadata: { labels: { 'plumbline.dev/name': 'somebody-else' } } });
  await until(async () => isDeepStrictEqual(await labels(), before), { what: 'the labels are back' });
  await until(async () => (await team.status()).drift?.healedCount === 1, { what: 'the repair is told' });
});

it('what leaves Git while we ask what had become of it is pruned all the same', async () => {
  const team = await Team.ready(world, 'left', { 'a.yaml': config('left-a'), 'b.yaml': config('left-b') });
  await asked(() => unlabel(world, 'left-a'));
  await team.push({ 'a.yaml': null });
  await until(async () => (await world.get('v1/configmaps/left-a')) === undefined, { what: 'it is pruned' });
});

it('an object that somebody made anew while the thread of events was lost is put right at once', async () => {
  await Team.ready(world, 'remade', { 'a.yaml': config('remade-a') });
  const copy = (await world.get('v1/configmaps/remade-a'))!;
  // What is lost is listed anew when both have happened, however long that takes.
  proxy.arm({ on: ['list'], at: '/configmaps', after: 0, times: Infinity, fault: { kind: 'blackhole' } });
  proxy.disturbWatches({ kind: 'gone' });
  await world.expect(200, 'DELETE', world.path('v1/configmaps/remade-a'));
  await restore(world, copy, { key: 'restored' });
  proxy.calm();
  await until(async () => (await dataOf(world, 'remade-a'))?.['key'] === 'value', { what: 'the value is back' });
});

it('an object that was told to be gone and that somebody made anew is told as it is then', async () => {
  const team = await Team.ready(world, 'told', { 'a.yaml': config('told-a') }, { drift: { mode: 'Report' } });
  const copy = (await world.get('v1/configmaps/told-a'))!;
  await world.expect(200, 'DELETE', world.path('v1/configmaps/told-a'));
  await team.condition('Drifted', 'True');
  await restore(world, copy, { key: 'restored' });
  const paths = async () =>
    (await team.status()).drift?.objects?.flatMap(({ fields }) => fields.map(({ path }) => path));
  await until(async () => (await paths())?.join() === '/data/key', { what: 'the value is told' });
  await world.edit('v1/configmaps/told-a', { data: { key: 'value' } });
  await until(async () => (await paths())?.join() === '/metadata/managedFields', { what: 'whose it is, is told' });
});
