// Somebody who undoes what is healed, again and again: told by name, field and rate; healed each time, more and more slowly
// when he is fast; everybody else is served; and it ends by itself when the other side rests.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

type Shown = NonNullable<GitOpsSourceStatus['drift']>['objects'][number];

let world: World;
let metrics: ServedMetrics;
before(async () => {
  metrics = await ServedMetrics.onFreePort();
  world = await World.create({ args: [metrics.flag] });
});
after(() => world[Symbol.asyncDispose]());

interface Rival extends AsyncDisposable {
  undone: () => number;
  stop: () => Promise<void>;
}

/** Does it whenever the declared value is back, so long after that, until stopped. */
function rival(name: string, act: (count: number) => Promise<unknown>, afterMs = 0): Rival {
  const halt = new AbortController();
  let undone = 0;
  const work = (async () => {
    while (!halt.signal.aborted) {
      if ((await dataOf(world, name))?.['key'] !== 'value') continue;
      await delay(afterMs, undefined, { signal: halt.signal }).catch(() => undefined);
      if (halt.signal.aborted) return;
      await act(undone);
      undone += 1;
    }
  })();
  const stop = () => (halt.abort(), work);
  return { undone: () => undone, stop, [Symbol.asyncDispose]: stop };
}

const writes = (name: string) => (count: number) =>
  world.edit(`v1/configmaps/${name}`, { data: { key: `rival-${count}` } }, 'rival');

/** When the object was healed, in the operator's own time. */
function healedAt(name: string): number[] {
  const lines = world.operator.lines.filter(
    ({ audit, msg }) => audit && /^(healed|recreated)/.test(msg ?? '') && msg?.endsWith(`/${name}`),
  );
  return lines.map(({ time }) => Date.parse(String(time)));
}

const gapsOf = (name: string) => healedAt(name).map((time, index, all) => time - (all[index - 1] ?? time));

async function shown(team: Team, name: string): Promise<Shown | undefined> {
  return (await team.status()).drift?.objects.find((object) => object.name === name && object.action === 'NotHolding');
}

async function eventsOf(team: Team, reason: string): Promise<string[]> {
  const selector = encodeURIComponent(`involvedObject.name=${team.name},reason=${reason}`);
  const list = await world.expect(200, 'GET', `${world.path('v1/events')}?fieldSelector=${selector}`);
  return (list['items'] as { message: string }[]).map(({ message }) => message);
}

const fights = (team: Team) => metrics.value(`plumbline_drift_fights{source="${team.key}"}`);

const edit = (name: string, key = 'key') => world.edit(`v1/configmaps/${name}`, { data: { [key]: 'edited' } });
const isValue = (name: string, key = 'key') => until(async () => (await dataOf(world, name))?.[key] === 'value');

describe('a fight', { concurrency: true }, () => {
  it('with somebody who writes at once is slowed down, said, and ends by itself', async () => {
    const team = await Team.ready(world, 'fight', {
      'a.yaml': config('fight-a', { key: 'value', other: 'value' }),
      'b.yaml': config('fight-b'),
    });
    const calm = await Team.ready(world, 'calm', { 'c.yaml': config('calm-c') });
    await using other = rival('fight-a', writes('fight-a'));
    const { status } = await team.condition('Drifted', 'True', { reason: 'DriftNotHolding', timeoutMs: 60_000 });
    const { message } = status!.conditions!.find(({ type }) => type === 'Drifted')!;
    assert.match(message, /ConfigMap \S+\/fight-a: \/data\/key value → rival-\d+ by rival \([\d.]+\/\w+\)/);
    const object = await shown(team, 'fight-a');
    assert.equal(object?.fields[0]?.manager, 'rival');
    assert.match(object.fields[0].rate ?? '', /^[\d.]+\/(s|min)$/);

    // A hundred at once, then each waits twice as long as the one before: 0.25 s, 0.5 s, 1 s … less a fifth by chance.
    await until(() => gapsOf('fight-a').some((gap, index) => index >= 100 && gap >= 3_000), {
      what: 'the heals slow down',
      timeoutMs: 90_000,
    });
    assert.ok(other.undone() <= healedAt('fight-a').length + 1, 'the other side never writes twice against one heal');

    // Another field of the same object, another object, another source.
    await edit('fight-b');
    await isValue('fight-b');
    await edit('calm-c');
    await isValue('calm-c');
    await calm.condition('Drifted', 'False');
    // Right after a repair the next one of the field that is fought over is furthest away.
    const before = healedAt('fight-a').length;
    await until(() => healedAt('fight-a').length > before, { what: 'the next repair' });
    await until(async () => (await dataOf(world, 'fight-a'))?.['key'] !== 'value', { what: 'the fight goes on' });
    const heals = healedAt('fight-a').length;
    await edit('fight-a', 'other');
    await isValue('fight-a', 'other');
    await until(() => healedAt('fight-a').length > heals, { what: 'the heal is told' });
    const [last = 0, now = 0] = gapsOf('fight-a').slice(heals - 1);
    // The next repair of the field that is fought over would have waited longer than the last one.
    assert.ok(now < last, `another field was put back ${now} ms after a heal, the one before ${last} ms`);
    await team.condition('Drifted', 'True', { reason: 'DriftNotHolding' });
    await until(async () => (await fights(team)) === 1);

    await other.stop();
    await team.condition('Drifted', 'False', { reason: 'InSync', timeoutMs: 120_000 });
    await isValue('fight-a');
    assert.equal(await shown(team, 'fight-a'), undefined);
    await until(async () => (await fights(team)) === 0);
    const over = await until(async () => {
      const messages = await eventsOf(team, 'DriftHolds');
      return messages.length > 0 && messages;
    });
    assert.equal(over.length, 1);
    assert.match(over[0]!, /fight-a: \/data\/key was changed again and again by rival.*; the last repair holds$/);
    // Both may be on their way at the same time.
    const begun = await until(async () => {
      const messages = await eventsOf(team, 'DriftNotHolding');
      return messages.length > 0 && messages;
    });
    assert.equal(begun.length, 1, begun.join('\n'));
  });

  it('with somebody who takes his time is said with its rate, healed at once each time, and said until it is over', async () => {
    const team = await Team.ready(world, 'slow', { 'a.yaml': config('slow-a') });
    await using other = rival('slow-a', writes('slow-a'), 2_000);
    await team.condition('Drifted', 'True', { reason: 'DriftNotHolding' });
    const seen = new Set<string>();
    for (const from = other.undone(); other.undone() < from + 4; await delay(100)) {
      const source = await team.status();
      const drifted = source.conditions?.find(({ type }) => type === 'Drifted');
      seen.add(`${drifted?.status} ${drifted?.reason} ${source.drift?.count}`);
    }
    assert.deepEqual([...seen], ['True DriftNotHolding 1'], 'also while a repair holds');
    const rate = (await shown(team, 'slow-a'))?.fields[0]?.rate ?? '';
    assert.match(rate, /^\d+\/min$/);
    // Changes and heals follow each other at once, so they come at one rate.
    const gaps = gapsOf('slow-a').slice(1);
    const [slowest, fastest] = [60_000 / Math.max(...gaps), 60_000 / Math.min(...gaps)];
    assert.ok(parseInt(rate) > 0.8 * slowest && parseInt(rate) < 1.2 * fastest, `${rate}: ${gaps.join(', ')} ms`);
    const { lines } = world.operator;
    assert.ok(healedAt('slow-a').length >= other.undone() - 1, `${lines.length} lines`);
    await other.stop();
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('with somebody who deletes the object is said as well, without a name that nobody knows', async () => {
    const team = await Team.ready(world, 'gone', { 'a.yaml': config('gone-a') });
    const remove = () => world.expect(200, 'DELETE', world.path('v1/configmaps/gone-a'));
    await using other = rival('gone-a', remove, 100);
    await team.condition('Drifted', 'True', { reason: 'DriftNotHolding' });
    const field = (await shown(team, 'gone-a'))?.fields[0];
    assert.deepEqual([field?.path, field?.manager, field?.operation], ['/', undefined, 'Removed']);
    assert.ok(field?.rate);
    await other.stop();
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('is over for the status when drift is only to be reported from now on', async () => {
    const team = await Team.ready(world, 'given', { 'a.yaml': config('given-a') });
    await using other = rival('given-a', writes('given-a'));
    await team.condition('Drifted', 'True', { reason: 'DriftNotHolding' });
    await team.patch({ spec: { drift: { mode: 'Report' } } });
    await team.condition('Drifted', 'True', { reason: 'DriftDetected' });
    await other.stop();
    assert.equal(await shown(team, 'given-a'), undefined);
  });
});

describe('no fight', { concurrency: true }, () => {
  it('a series of edits by hand: each is healed at once, and no rival is named', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);
    const data = Object.fromEntries(keys.map((key) => [key, 'value']));
    const team = await Team.ready(world, 'honest', { 'a.yaml': config('honest-a', data) });
    for (let index = 0; index < 200; index += 1) {
      const key = keys[index % keys.length]!;
      await edit('honest-a', key);
      await isValue('honest-a', key);
    }
    // The last value was back before the operator had heard so.
    await until(() => healedAt('honest-a').length >= 200, { what: 'the last heal is told' });
    const { conditions, drift } = await team.status();
    assert.equal(healedAt('honest-a').length, 200);
    assert.ok(!JSON.stringify([conditions, drift]).includes('NotHolding'));
  });

  it('many edits in a row, faster than they can be healed, end healed, with fewer heals than edits', async () => {
    const team = await Team.ready(world, 'storm', { 'a.yaml': config('storm-a') });
    const storm = Array.from({ length: 600 }, (_, index) => index);
    const hand = async () => {
      for (let index = storm.pop(); index !== undefined; index = storm.pop())
        await world.edit('v1/configmaps/storm-a', { data: { key: `edit-${index}` } });
    };
    await Promise.all([hand(), hand(), hand(), hand()]);
    await until(async () => (await dataOf(world, 'storm-a'))?.['key'] === 'value', { timeoutMs: 90_000 });
    await team.condition('Drifted', 'False', { reason: 'InSync', timeoutMs: 90_000 });
    assert.ok(team.writes.length < 300, `${team.writes.length} writes`);
  });
});
