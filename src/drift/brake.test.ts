import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Brakes } from './brake.ts';

/** Heals at these moments; the delays that they were given. */
function delays(brakes: Brakes, moments: Iterable<number>): number[] {
  return Array.from(moments, (now) => brakes.next('a', now));
}

describe('the brake', () => {
  it('lets every honest series of edits through at once', () => {
    const brakes = new Brakes();
    const moments = Array.from({ length: 200 }, (_, index) => index);
    assert.deepEqual(new Set(delays(brakes, moments)), new Set([0]));
  });

  it('doubles up to a minute when each heal is undone as soon as it is done', () => {
    const brakes = new Brakes();
    delays(
      brakes,
      Array.from({ length: 256 }, () => 0),
    );
    const seen: number[] = [];
    for (let now = 0; seen.length < 12; now += seen.at(-1)! + 5) seen.push(brakes.next('a', now));
    assert.deepEqual(seen.slice(0, 4), [250, 500, 1_000, 2_000]);
    assert.deepEqual(seen.slice(-3), [60_000, 60_000, 60_000]);
    assert.equal(brakes.next('b', 0), 0, 'another object is not slowed down');
  });

  it('is off again as soon as a heal has held for a while', () => {
    const brakes = new Brakes();
    const fight = delays(
      brakes,
      Array.from({ length: 260 }, () => 0),
    );
    const due = fight.reduce((sum, delay) => Math.max(sum, delay), 0);
    assert.ok(due > 0);
    assert.equal(brakes.next('a', due + 1_000), 0);
  });
});
