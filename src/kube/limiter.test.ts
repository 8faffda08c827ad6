import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AdaptiveLimiter } from './limiter.ts';
import type { Slot } from './limiter.ts';

const signal = new AbortController().signal;

/** Runs `count` requests that all take `ms`, as many at once as the limiter lets in. */
async function load(limiter: AdaptiveLimiter, clock: { ms: number }, count: number, ms: number): Promise<void> {
  for (let left = count; left > 0;) {
    const batch = Math.min(left, limiter.limit);
    const slots = await Promise.all(Array.from({ length: batch }, () => limiter.acquire(signal)));
    clock.ms += ms;
    for (const slot of slots) slot.done('answered');
    left -= batch;
  }
}

function limiterAt(clock: { ms: number }): AdaptiveLimiter {
  return new AdaptiveLimiter({ min: 2, start: 8, max: 12, clock: () => clock.ms });
}

test('no more than the limit are in flight, and the others come in order', async () => {
  const limiter = new AdaptiveLimiter({ start: 2, max: 2 });
  const order: number[] = [];
  const slots: Slot[] = [];
  const all = [0, 1, 2, 3].map(async (index) => {
    slots.push(await limiter.acquire(signal));
    order.push(index);
  });
  await Promise.all(all.slice(0, 2));
  assert.equal(limiter.inFlight, 2);
  slots[0]?.done('answered');
  await all[2];
  slots[1]?.done('answered');
  await all[3];
  assert.deepEqual(order, [0, 1, 2, 3]);
  assert.equal(limiter.inFlight, 2);
});

test('one that gives up leaves the queue to the others', async () => {
  const limiter = new AdaptiveLimiter({ start: 1, max: 1 });
  const slot = await limiter.acquire(signal);
  const abort = new AbortController();
  const gone = limiter.acquire(abort.signal);
  const next = limiter.acquire(signal);
  abort.abort(new Error('gave up'));
  await assert.rejects(gone, /gave up/);
  slot.done('answered');
  (await next).done('answered');
  assert.equal(limiter.inFlight, 0);
});

test('quick answers raise the limit up to the maximum', async () => {
  const clock = { ms: 0 };
  const limiter = limiterAt(clock);
  await load(limiter, clock, 200, 5);
  assert.equal(limiter.limit, 12);
});

test('answers that got slow bring it back to the start, not below', async () => {
  const clock = { ms: 0 };
  const limiter = limiterAt(clock);
  await load(limiter, clock, 200, 5);
  await load(limiter, clock, 120, 100);
  assert.equal(limiter.limit, 8);
});

test('a server that is slow for good is not held back for ever', async () => {
  const clock = { ms: 0 };
  const limiter = limiterAt(clock);
  await load(limiter, clock, 100, 5);
  await load(limiter, clock, 3_000, 100);
  assert.equal(limiter.limit, 12);
});

test('429 halves the limit, once for those in flight together, down to the minimum', async () => {
  const clock = { ms: 0 };
  const limiter = limiterAt(clock);
  const throttle = async () => {
    clock.ms += 1;
    const slots = await Promise.all(Array.from({ length: limiter.limit }, () => limiter.acquire(signal)));
    clock.ms += 1;
    for (const slot of slots) slot.done('throttled');
    return limiter.limit;
  };
  assert.deepEqual([await throttle(), await throttle(), await throttle()], [4, 2, 2]);
  await load(limiter, clock, 200, 5);
  assert.equal(limiter.limit, 12);
});

test('requests that hang give their places to others, so many times the limit', async () => {
  const limiter = new AdaptiveLimiter({ start: 2, max: 2, patienceMs: 1 });
  const slots: Slot[] = [];
  for (let count = 0; count < 8; count += 1) slots.push(await limiter.acquire(signal));
  const abort = new AbortController();
  const next = limiter.acquire(abort.signal);
  await delay(20);
  abort.abort(new Error('gave up'));
  await assert.rejects(next, /gave up/);
  for (const slot of slots) slot.done('answered');
  assert.equal(limiter.inFlight, 0);
  assert.equal(limiter.limit, 2);
});

test('an owner whose requests hang has no more than there are places, and holds up nobody else', async () => {
  const limiter = new AdaptiveLimiter({ start: 2, max: 2, patienceMs: 1 });
  const hanging = [await limiter.acquire(signal, 'slow'), await limiter.acquire(signal, 'slow')];
  const order: string[] = [];
  const third = limiter.acquire(signal, 'slow').then((slot) => {
    order.push('slow');
    return slot;
  });
  const other = await limiter.acquire(signal, 'other');
  order.push('other');
  other.done('answered');
  await delay(20);
  assert.deepEqual(order, ['other']);
  hanging[0]?.done('failed');
  (await third).done('answered');
  hanging[1]?.done('failed');
  assert.equal(limiter.inFlight, 0);
});
