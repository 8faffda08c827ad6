import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { Alarms } from './alarms.ts';

const DAY_MS = 86_400_000;

/** A clock whose time of day can be set. */
class WallClock extends ManualClock {
  offset = 0;
  override now(): number {
    return super.now() + this.offset;
  }
}

function setUp() {
  const clock = new WallClock();
  const rung: string[] = [];
  return { clock, rung, alarms: new Alarms(clock, (key) => rung.push(key)) };
}

test('rings at the time, not before', () => {
  const { clock, rung, alarms } = setUp();
  alarms.set('a', clock.now() + 90_000);
  clock.advance(89_999);
  assert.deepEqual(rung, []);
  clock.advance(1);
  assert.deepEqual(rung, ['a']);
  assert.equal(clock.pending, 0);
});

test('rings after a year, further than any timer reaches', () => {
  const { clock, rung, alarms } = setUp();
  alarms.set('a', clock.now() + 365 * DAY_MS);
  assert.ok(clock.nextIn <= 60_000);
  clock.advance(365 * DAY_MS - 1);
  assert.deepEqual(rung, []);
  clock.advance(1);
  assert.deepEqual(rung, ['a']);
});

test('what is past rings at once, what never comes never', () => {
  const { clock, rung, alarms } = setUp();
  alarms.set('a', clock.now() - 5);
  alarms.set('b', Infinity);
  clock.advance(0);
  assert.deepEqual(rung, ['a']);
  assert.equal(clock.pending, 0);
});

test('a key has one alarm, the earlier one', () => {
  const { clock, rung, alarms } = setUp();
  alarms.set('a', clock.now() + 20_000);
  alarms.set('a', clock.now() + 30_000);
  alarms.set('a', clock.now() + 10_000);
  assert.equal(clock.pending, 1);
  clock.advance(10_000);
  assert.deepEqual(rung, ['a']);
  clock.advance(30_000);
  assert.deepEqual(rung, ['a']);
});

test('a clock that jumps ahead rings within a minute, one that is set back later', () => {
  const { clock, rung, alarms } = setUp();
  alarms.set('a', clock.now() + DAY_MS);
  clock.offset = 2 * DAY_MS;
  clock.advance(60_000);
  assert.deepEqual(rung, ['a']);
  alarms.set('b', clock.now() + 30_000);
  clock.offset -= 600_000;
  clock.advance(30_000);
  assert.deepEqual(rung, ['a']);
  clock.advance(600_000);
  assert.deepEqual(rung, ['a', 'b']);
});

test('what is cleared does not ring', () => {
  const { clock, rung, alarms } = setUp();
  alarms.set('a', clock.now() + 1_000);
  alarms.clear('a');
  clock.advance(5_000);
  assert.deepEqual(rung, []);
});
