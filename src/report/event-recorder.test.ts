import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '../../test/manual-clock.ts';
import type { KubeObject } from '../kube/object.ts';
import { EventRecorder, type EventRecorderOptions } from './event-recorder.ts';
import type { Notice } from './events.ts';
import type { DriftedObject } from './sentences.ts';

const shop = { namespace: 'team', name: 'shop', uid: 'u1' };
const other = { namespace: 'team', name: 'other', uid: 'u2' };
const applied: Notice = { type: 'Normal', reason: 'ReconciliationSucceeded', message: 'applied', revision: 'r1' };
const MINUTE = 60_000;

function setUp(t: TestContext, options: Partial<EventRecorderOptions> = {}) {
  const clock = new ManualClock();
  const events: KubeObject[] = [];
  const recorder = new EventRecorder({ post: async (event) => void events.push(event), clock, ...options });
  t.after(() => recorder.close(AbortSignal.abort()));
  const said = (): string[] => events.map(({ reason, message }) => `${String(reason)}: ${String(message)}`);
  return { clock, events, recorder, said };
}

function drifted(name: string, action: DriftedObject['action'] = 'Healed'): DriftedObject {
  return { kind: 'ConfigMap', namespace: 'shop', name, action, fields: [] };
}

describe('EventRecorder', () => {
  test('says a notice once for each source', (t) => {
    const { events, recorder } = setUp(t);
    for (const subject of [shop, shop, other]) recorder.record(subject, applied);
    assert.deepEqual(
      events.map(({ involvedObject }) => (involvedObject as { name: string }).name),
      ['shop', 'other'],
    );
  });

  test('drift of one moment is told together, a second later', (t) => {
    const { clock, recorder, said } = setUp(t);
    recorder.drift(shop, [drifted('a')], 'r1');
    clock.advance(500);
    recorder.drift(shop, [drifted('b'), drifted('a')], 'r1');
    clock.advance(499);
    assert.deepEqual(said(), []);
    clock.advance(1);
    assert.deepEqual(said(), [
      'DriftCorrected: 2 objects were changed by others and are put back: ConfigMap shop/a; ConfigMap shop/b',
    ]);
  });

  test('further drift waits for the minute to pass, then comes as one event', (t) => {
    const { clock, recorder, said } = setUp(t);
    recorder.drift(shop, [drifted('a')]);
    clock.advance(1_000);
    for (let second = 1; second < 60; second++) {
      recorder.drift(shop, [drifted('a'), drifted('b')]);
      clock.advance(1_000);
    }
    assert.equal(said().length, 1);
    clock.advance(1_000);
    assert.equal(said().length, 2);
    assert.match(said()[1] ?? '', /^DriftCorrected: 2 objects/);
    clock.advance(10 * MINUTE);
    assert.equal(said().length, 2, 'nothing drifted since: nothing is said');
    assert.equal(clock.pending, 0);
  });

  test('an object that is changed twice meanwhile counts once, with both fields', (t) => {
    const { clock, recorder, said } = setUp(t);
    const edit = (path: string, live: string) => ({ ...drifted('a'), fields: [{ path, declared: '1', live }] });
    recorder.drift(shop, [edit('/data/x', '2')]);
    recorder.drift(shop, [edit('/data/y', '3')]);
    recorder.drift(shop, [edit('/data/x', '4')]);
    clock.advance(1_000);
    assert.deepEqual(said(), [
      'DriftCorrected: 1 object was changed by others and is put back: ConfigMap shop/a: /data/x 1 → 4, /data/y 1 → 3',
    ]);
  });

  test('that an object is fought over is told although another field of it is put back before that is said', (t) => {
    const { clock, recorder, said } = setUp(t);
    const field = (path: string) => ({ path, declared: '1', live: '2' });
    const rated = { ...field('/data/x'), manager: 'rival', rate: '5/s' };
    recorder.drift(shop, [{ ...drifted('a', 'NotHolding'), fields: [rated] }]);
    recorder.drift(shop, [{ ...drifted('a'), fields: [field('/data/y')] }]);
    clock.advance(1_000);
    assert.equal(said().length, 1);
    assert.match(
      said()[0] ?? '',
      /^DriftNotHolding: .*ConfigMap shop\/a: \/data\/x 1 → 2 by rival \(5\/s\), \/data\/y 1 → 2$/,
    );
  });

  test('that a fight is over is told after all that was gathered, which is that it began', (t) => {
    const { clock, recorder, said } = setUp(t);
    const reasons = () => said().map((line) => line.split(':')[0]);
    recorder.drift(shop, [drifted('a')]);
    clock.advance(1_000);
    recorder.drift(shop, [drifted('a', 'NotHolding')]);
    clock.advance(30_000);
    recorder.fightOver(shop, 'the last repair holds');
    assert.deepEqual(reasons(), ['DriftCorrected', 'DriftNotHolding', 'DriftHolds']);
    clock.advance(10 * MINUTE);
    assert.equal(said().length, 3);
  });

  test('sources do not wait for each other', (t) => {
    const { clock, events, recorder } = setUp(t);
    recorder.drift(shop, [drifted('a')]);
    recorder.drift(other, [drifted('a')]);
    clock.advance(1_000);
    assert.equal(events.length, 2);
  });

  test('5,000 drifted objects make one event that counts them all', (t) => {
    const { clock, recorder, said } = setUp(t);
    for (let index = 0; index < 5000; index++) recorder.drift(shop, [drifted(`config-${index}`)]);
    clock.advance(1_000);
    assert.equal(said().length, 1);
    assert.match(said()[0] ?? '', /^DriftCorrected: 5000 objects .*config-0.* and 49\d\d more$/);
  });

  test('adopted objects are told together as well', (t) => {
    const { clock, recorder, said } = setUp(t);
    const web = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
    recorder.adopted(shop, web, ['kubectl-client-side-apply', 'helm'], 'r1');
    recorder.adopted(shop, { ...web, name: 'api' }, [], 'r1');
    clock.advance(1_000);
    assert.deepEqual(said(), [
      'Adopted: 2 objects that existed already were taken over: ' +
        'Deployment shop/web from kubectl-client-side-apply, helm; Deployment shop/api',
    ]);
  });

  test('a server that refuses, or a post that throws, disturbs nobody', async (t) => {
    const errors: unknown[] = [];
    let mode: 'throws' | 'rejects' = 'throws';
    const { recorder } = setUp(t, {
      post: () => {
        if (mode === 'throws') throw new Error('throws');
        return Promise.reject(new Error('rejects'));
      },
      onError: (error) => errors.push((error as Error).message),
    });
    recorder.record(shop, applied);
    mode = 'rejects';
    recorder.record(other, applied);
    await turn();
    assert.deepEqual(errors, ['throws', 'rejects']);
  });

  test('a server that hangs does not fill the memory, and close gives up on its signal', async (t) => {
    let posting = 0;
    const { recorder } = setUp(t, {
      post: (_event, signal) =>
        new Promise((_resolve, reject) => {
          posting += 1;
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
    for (let index = 0; index < 1000; index++) recorder.record({ ...shop, uid: `u${index}` }, applied);
    assert.equal(posting, 100);
    const stop = new AbortController();
    const closed = recorder.close(stop.signal);
    stop.abort();
    await closed;
  });

  test('close says what is still gathered, and nothing is said afterwards', async (t) => {
    const { clock, recorder, said } = setUp(t);
    recorder.drift(shop, [drifted('a', 'Reported')]);
    await recorder.close(new AbortController().signal);
    recorder.drift(shop, [drifted('b')]);
    recorder.record(shop, applied);
    clock.advance(MINUTE);
    assert.deepEqual(said(), ['DriftDetected: 1 object was changed by others and is left so: ConfigMap shop/a']);
  });

  test('a source that is gone is not talked about', (t) => {
    const { clock, recorder, said } = setUp(t);
    recorder.drift(shop, [drifted('a')]);
    recorder.forget(shop);
    clock.advance(MINUTE);
    assert.deepEqual([said(), clock.pending], [[], 0]);
  });

  test('events of one millisecond have different names', (t) => {
    const { events, recorder } = setUp(t);
    for (let index = 0; index < 20; index++) recorder.record(shop, { ...applied, revision: `r${index}` });
    assert.equal(new Set(events.map(({ metadata }) => metadata.name)).size, 20);
  });
});
