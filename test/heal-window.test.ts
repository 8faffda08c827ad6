// Outside the window for healing drift is told and left; it is healed when the window opens, or when somebody asks.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { GitOpsSource, GitOpsSourceStatus } from '../src/api/source.ts';
import { World, type Line } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';
import { closed, conditionOf, windowFor } from './windows.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

type Shown = NonNullable<GitOpsSourceStatus['drift']>['objects'][number];

/** Waits until exactly these objects wait for the window. */
async function waits(team: Team, ...names: string[]): Promise<{ source: GitOpsSource; shown: Map<string, Shown> }> {
  let last: GitOpsSource | undefined;
  return until(
    async () => {
      last = await team.source();
      const { drift } = last?.status ?? {};
      const objects = (drift?.objects ?? []).filter(({ action }) => action === 'WaitingForWindow');
      const shown = new Map(objects.map((object) => [object.name, object]));
      const isWhole = drift?.count === names.length && shown.size === names.length;
      return isWhole && names.every((name) => shown.has(name)) && { source: last!, shown };
    },
    { what: `exactly ${names.join(', ')} wait`, timeoutMs: 60_000 },
  ).catch((cause: unknown) => {
    throw new Error(`${(cause as Error).message}\nstatus: ${JSON.stringify(last?.status, null, 1)}`, { cause });
  });
}

/** When the object was put back, in milliseconds since the epoch. */
function healedAt({ key, world: { operator } }: Team, name: string): Promise<number> {
  const isIt = ({ audit, source, object }: Line) =>
    audit && source === key && (object as { name?: string } | undefined)?.name === name;
  const find = () => operator.lines.findLast((line) => isIt(line) && /^(healed|recreated)/.test(line.msg ?? ''));
  return until(() => Date.parse(String(find()?.['time'])), { what: `${name} is put back` });
}

describe('spec.windows for heal', () => {
  it('tells drift, says until when it is left, lets commits through, and heals in the moment the window opens', async () => {
    const team = await Team.ready(world, 'day', {
      'a.yaml': config('day-a'),
      'b.yaml': config('day-b'),
      'c.yaml': config('day-c'),
    });
    const always = await Team.ready(world, 'always', { 'a.yaml': config('always-a') });
    const hours = windowFor(6 * 3600, 'heal');
    await team.patch({ spec: { windows: [hours.window] } });
    await team.condition('Ready', 'True');
    await world.edit('v1/configmaps/day-a', { data: { key: 'edited' } }, 'somebody');
    await world.expect(200, 'DELETE', world.path('v1/configmaps/day-b'));
    const { source, shown } = await waits(team, 'day-a', 'day-b');
    const [field] = shown.get('day-a')!.fields;
    assert.deepEqual(
      [field?.path, field?.declared, field?.live, field?.manager],
      ['/data/key', 'value', 'edited', 'somebody'],
    );
    const drifted = conditionOf(source, 'Drifted');
    assert.deepEqual([drifted.status, drifted.reason], ['True', 'WaitingForWindow']);
    const when = new Date(hours.endsAt).toISOString().replace('.000Z', 'Z');
    for (const said of [when, 'plumbline.dev/healNow']) assert.ok(drifted.message.includes(said), drifted.message);
    assert.equal(conditionOf(source, 'Ready').status, 'True');

    await team.push({ 'c.yaml': config('day-c', { key: 'new' }) });
    assert.deepEqual(await dataOf(world, 'day-c'), { key: 'new' });
    await waits(team, 'day-a', 'day-b');
    assert.deepEqual(await dataOf(world, 'day-a'), { key: 'edited' });

    const { window, endsAt } = windowFor(20, 'heal');
    await team.patch({ spec: { windows: [window] } });
    // What takes no window says how long a repair of this moment takes on this machine.
    await delay(endsAt - Date.now());
    await world.edit('v1/configmaps/always-a', { data: { key: 'edited' } });
    const atOnce = await healedAt(always, 'always-a');
    const lateMs = (await healedAt(team, 'day-b')) - endsAt;
    const allowedMs = atOnce - endsAt + 3_000;
    assert.ok(lateMs >= 0 && lateMs <= allowedMs, `healed ${lateMs} ms after the window opened, not ${allowedMs}`);
    await present(world, 'day-b');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.deepEqual(await dataOf(world, 'day-a'), { key: 'value' });
    const { healedCount } = (await team.status()).drift!;
    assert.equal(healedCount, 2);
    assert.deepEqual(team.writes.slice(-2).sort(), [
      `healed ConfigMap ${world.namespace}/day-a`,
      `recreated ConfigMap ${world.namespace}/day-b`,
    ]);
  });

  it('healNow heals once what waits, says who asked, and is not asked again by a restart', async () => {
    const team = await Team.ready(world, 'once', { 'a.yaml': config('once-a'), 'b.yaml': config('once-b') });
    await team.patch({ spec: { windows: [closed('heal')] } });
    await team.condition('Ready', 'True');
    await world.edit('v1/configmaps/once-a', { data: { key: 'edited' } });
    await waits(team, 'once-a');
    await team.annotate({ 'plumbline.dev/requestedAt': 'look' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'look');
    assert.deepEqual(await dataOf(world, 'once-a'), { key: 'edited' }, 'to look is not to heal');

    await team.annotate({ 'plumbline.dev/healNow': 'please' });
    await until(async () => (await team.status()).lastHandledHealNow === 'please');
    await team.condition('Drifted', 'False');
    assert.deepEqual(await dataOf(world, 'once-a'), { key: 'value' });
    const [healed] = (await team.status()).drift!.objects;
    assert.deepEqual([healed?.action, healed?.fields.map(({ action }) => action)], ['Healed', ['Healed']]);
    const [audited] = world.operator.lines.filter(({ audit, annotation }) => audit && annotation !== undefined);
    assert.deepEqual([audited?.['source'], audited?.['annotation']], [team.key, 'plumbline.dev/healNow']);

    await world.edit('v1/configmaps/once-a', { data: { key: 'later' } });
    await waits(team, 'once-a');
    await world.operator.stop();
    await world.edit('v1/configmaps/once-b', { data: { key: 'while down' } });
    world.startOperator();
    await waits(team, 'once-a', 'once-b');
    await team.push({ 'c.yaml': config('once-c') });
    await waits(team, 'once-a', 'once-b');
    assert.deepEqual(await dataOf(world, 'once-b'), { key: 'while down' });
    assert.deepEqual(
      team.writes.filter((line) => line.startsWith('healed')),
      [],
    );

    await team.annotate({ 'plumbline.dev/healNow': 'again' });
    await team.condition('Drifted', 'False');
    await team.patch({ spec: { windows: [] } });
    await team.condition('Ready', 'True');
    await world.edit('v1/configmaps/once-a', { data: { key: 'edited' } });
    await until(async () => (await dataOf(world, 'once-a'))?.['key'] === 'value');
  });

  it('holds for what was changed while no operator ran, also when it was closed then, or drift is only to be told', async () => {
    const team = await Team.ready(world, 'shut', { 'a.yaml': config('shut-a') });
    const told = await Team.ready(world, 'told', { 'a.yaml': config('told-a') });
    await world.operator.stop('SIGKILL');
    await team.patch({ spec: { windows: [closed('heal')] } });
    await told.patch({ spec: { drift: { mode: 'Report' } } });
    for (const name of ['shut-a', 'told-a']) await world.edit(`v1/configmaps/${name}`, { data: { key: 'edited' } });
    world.startOperator();
    await told.condition('Drifted', 'True', { reason: 'DriftDetected' });
    await waits(team, 'shut-a');
    for (const name of ['shut-a', 'told-a']) assert.deepEqual(await dataOf(world, name), { key: 'edited' });
    await team.patch({ spec: { windows: [] } });
    await team.condition('Drifted', 'False');
    assert.deepEqual(await dataOf(world, 'shut-a'), { key: 'value' });
  });
});
