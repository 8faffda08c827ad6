// The gauges of a source say what is the case, also when nothing had to be written to make it so.
import { after, before, it } from 'node:test';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, Team } from './team.ts';
import { until } from './until.ts';
import { closed, headOf } from './windows.ts';

let world: World;
let metrics: ServedMetrics;
before(async () => {
  metrics = await ServedMetrics.onFreePort();
  world = await World.create({ args: [metrics.flag] });
});
after(() => world[Symbol.asyncDispose]());

/** Waits until the series has this value. */
async function gauge(series: string, value: number): Promise<void> {
  await until(async () => (await metrics.value(series)) === value, { what: `${series} ${value}` });
}

it('drift that is left counts until a commit overwrites it', async () => {
  const team = await Team.ready(world, 'left', { 'a.yaml': config('left-a') }, { drift: { mode: 'Report' } });
  const open = `plumbline_drift_open{source="${team.key}"}`;
  await gauge(open, 0);
  await world.edit('v1/configmaps/left-a', { data: { key: 'edited' } });
  await gauge(open, 1);
  await team.push({ 'a.yaml': config('left-a', { key: 'new' }) });
  await gauge(open, 0);
});

it('a commit that waits counts, by its reason, until it is let through', async () => {
  const team = await Team.create(world, 'waits', { 'a.yaml': config('waits-a') }, { sync: 'Manual' });
  const series = (reason: string) => `plumbline_commit_waiting{source="${team.key}",reason="${reason}"}`;
  await gauge(series('WaitingForApproval'), 1);
  await team.patch({ spec: { windows: [closed('sync')] } });
  await team.annotate({ 'plumbline.dev/approve': await headOf(team) });
  await gauge(series('WaitingForWindow'), 1);
  await gauge(series('WaitingForApproval'), 0);
  await world.operator.stop();
  world.startOperator();
  await gauge(series('WaitingForWindow'), 1);
  await team.annotate({ 'plumbline.dev/syncNow': await headOf(team) });
  await team.condition('Ready', 'True');
  await gauge(series('WaitingForWindow'), 0);
  await gauge(`plumbline_managed_objects{source="${team.key}"}`, 1);
});

it('after a restart at rest, they are as before', async () => {
  const team = await Team.ready(world, 'rest', { 'a.yaml': config('rest-a'), 'b.yaml': config('rest-b') });
  await until(async () => (await team.status()).health?.ready === 2);
  await world.operator.stop();
  world.startOperator();
  await gauge(`plumbline_managed_objects{source="${team.key}"}`, 2);
  await gauge(`plumbline_reconcile_condition{source="${team.key}",type="Ready",status="True"}`, 1);
});

it('what Git servers are asked counts, by how it ended', async () => {
  const series = (operation: string, result: string) =>
    `plumbline_git_requests_total{operation="${operation}",result="${result}"}`;
  const before = await metrics.value(series('ls-refs', 'error'));
  await Team.ready(world, 'asked', { 'a.yaml': config('asked-a') });
  await until(async () => (await metrics.value(series('ls-refs', 'ok')))! > 0 && before !== undefined, {
    what: 'polls are counted',
  });
  await until(async () => (await metrics.value(series('fetch', 'ok')))! > 0, { what: 'fetches are counted' });
  world.git.fault = () => ({ status: 503 });
  await until(async () => (await metrics.value(series('ls-refs', 'error')))! > before!, {
    what: 'refused polls are counted',
  });
  world.git.fault = () => 'pass';
});
