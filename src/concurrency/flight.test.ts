import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flight } from './flight.ts';

function flight() {
  const started: { signal: AbortSignal; resolve(value: number): void; reject(error: Error): void }[] = [];
  const work = new Flight<number>((signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    started.push({ signal, resolve, reject });
    return promise;
  });
  return { work, started };
}
const never = new AbortController().signal;

test('callers at the same time share one piece of work; the next one starts anew', async () => {
  const { work, started } = flight();
  const both = [work.join(never), work.join(never)];
  started[0]?.resolve(1);
  assert.deepEqual(await Promise.all(both), [1, 1]);
  const third = work.join(never);
  started[1]?.resolve(2);
  assert.equal(await third, 2);
});

test('one that gives up leaves alone; when all have left the work is aborted', async () => {
  const { work, started } = flight();
  const [a, b] = [new AbortController(), new AbortController()];
  const both = [work.join(a.signal), work.join(b.signal)];
  a.abort(new Error('a left'));
  await assert.rejects(both[0] as Promise<number>, /a left/);
  assert.equal(started[0]?.signal.aborted, false);
  b.abort(new Error('b left'));
  await assert.rejects(both[1] as Promise<number>, /b left/);
  assert.equal(started[0]?.signal.aborted, true);
  const later = work.join(never);
  started[1]?.resolve(3);
  assert.equal(await later, 3);
});

test('a failure is shared and not kept', async () => {
  const { work, started } = flight();
  const both = [work.join(never), work.join(never)];
  started[0]?.reject(new Error('no'));
  for (const one of both) await assert.rejects(one, /no/);
  const next = work.join(never);
  started[1]?.resolve(4);
  assert.equal(await next, 4);
});

test('joinNext never gets the outcome of work that had begun before', async () => {
  const { work, started } = flight();
  const old = work.join(never);
  const fresh = [work.joinNext(never), work.joinNext(never)];
  started[0]?.reject(new Error('old'));
  await assert.rejects(old, /old/);
  await new Promise(setImmediate);
  started[1]?.resolve(5);
  assert.deepEqual(await Promise.all(fresh), [5, 5]);
  assert.equal(started.length, 2);
});
