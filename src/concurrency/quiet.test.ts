import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { Quiet } from './quiet.ts';

function quietFor(ms: number) {
  const clock = new ManualClock();
  const stop = new AbortController();
  let calls = 0;
  const quiet = new Quiet({ clock, ms, callback: () => (calls += 1), signal: stop.signal });
  return { clock, stop, quiet, calls: () => calls };
}

test('calls back once after the last of what stirs', () => {
  const { clock, quiet, calls } = quietFor(1000);
  clock.advance(5000);
  assert.equal(calls(), 0, 'nothing stirred');
  quiet.stirred();
  clock.advance(999);
  quiet.stirred();
  clock.advance(999);
  assert.equal(calls(), 0);
  clock.advance(1);
  assert.equal(calls(), 1);
  clock.advance(5000);
  assert.equal(calls(), 1, 'it stays quiet');
  quiet.stirred();
  clock.advance(1000);
  assert.equal(calls(), 2);
});

test('never calls back after its end', () => {
  const { clock, stop, quiet, calls } = quietFor(1000);
  quiet.stirred();
  stop.abort();
  quiet.stirred();
  clock.advance(5000);
  assert.equal(calls(), 0);
});
