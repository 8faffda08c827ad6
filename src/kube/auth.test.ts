import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CredentialCache } from './auth.ts';
import type { Credentials } from './auth.ts';

const signal = new AbortController().signal;

function cacheAt(clock: { ms: number }, minIntervalMs: number) {
  const loads: boolean[] = [];
  const load = async (_signal: AbortSignal, refused: boolean): Promise<Credentials> => {
    loads.push(refused);
    return { headers: { authorization: String(loads.length) }, tls: {} };
  };
  return { cache: new CredentialCache(load, { minIntervalMs, clock: () => clock.ms }), loads };
}

test('credentials are kept for a minute', async () => {
  const clock = { ms: 0 };
  const { cache, loads } = cacheAt(clock, 0);
  const first = await cache.get(signal);
  clock.ms = 59_999;
  assert.equal(await cache.get(signal), first);
  clock.ms = 60_000;
  assert.notEqual(await cache.get(signal), first);
  assert.deepEqual(loads, [false, false]);
});

test('refused ones are loaded again, once for all who were refused', async () => {
  const { cache, loads } = cacheAt({ ms: 0 }, 0);
  const first = await cache.get(signal);
  const [a, b] = await Promise.all([cache.get(signal, first), cache.get(signal, first)]);
  assert.equal(a, b);
  assert.notEqual(a, first);
  assert.equal(await cache.get(signal, first), a);
  assert.deepEqual(loads, [false, true]);
});

test('a login that has just been made is not made again', async () => {
  const clock = { ms: 0 };
  const { cache } = cacheAt(clock, 10_000);
  const first = await cache.get(signal);
  clock.ms = 9_999;
  assert.equal(await cache.get(signal, first), first);
  clock.ms = 10_000;
  assert.notEqual(await cache.get(signal, first), first);
});
