import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { EdgePatience } from './patience.ts';

const { signal } = new AbortController();
const hopeless = new Error('it takes too long');

function failing(clock: ManualClock, ms: number): () => Promise<never> {
  return () => {
    clock.advance(ms);
    return Promise.reject(hopeless);
  };
}

test('who kept the others waiting in vain waits longer, and nobody else does', async () => {
  const clock = new ManualClock();
  const patience = new EdgePatience(clock);
  await assert.rejects(patience.spend('shop/app', signal, failing(clock, 120_000)), hopeless);
  patience.check('blog/app');
  clock.advance(599_999);
  assert.throws(() => patience.check('shop/app'), hopeless);
  clock.advance(1);
  patience.check('shop/app');
});

test('who was judged, or is gone, waits no more', async () => {
  const clock = new ManualClock();
  const patience = new EdgePatience(clock);
  await assert.rejects(patience.spend('shop/app', signal, failing(clock, 1_000)), hopeless);
  assert.equal(await patience.spend('shop/app', signal, () => Promise.resolve('passed')), 'passed');
  patience.check('shop/app');
  await assert.rejects(patience.spend('shop/app', signal, failing(clock, 1_000)), hopeless);
  patience.forget('shop/app');
  patience.check('shop/app');
});

test('what is interrupted is no fault of the source', async () => {
  const clock = new ManualClock();
  const patience = new EdgePatience(clock);
  const abort = new AbortController();
  abort.abort(new Error('stopped'));
  await assert.rejects(patience.spend('shop/app', abort.signal, failing(clock, 1_000)), /stopped/);
  patience.check('shop/app');
});
