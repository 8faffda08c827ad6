import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changedAgain, holdMs, isFight, rateOf, type Rivalry } from './rivalry.ts';

/** A rival who comes back so long after each repair, `times` times; what every change came to. */
function rivalry(times: number, afterMs: number, random = 0): Rivalry[] {
  const seen: Rivalry[] = [];
  for (let last: Rivalry | undefined; seen.length < times; seen.push(last))
    last = changedAgain(last, last ? last.dueAt + afterMs : 0, random);
  return seen;
}

const delays = (seen: readonly Rivalry[]) => seen.map(({ changedAt, dueAt }) => dueAt - changedAt);

describe('a field that is changed again and again', () => {
  it('is a fight after five changes, and not when they are hours apart', () => {
    assert.deepEqual(rivalry(6, 30_000).map(isFight), [false, false, false, false, true, true]);
    assert.ok(rivalry(20, 3 * 3_600_000).every((one) => !isFight(one)));
  });

  const rates: [everyMs: number, rate: string][] = [
    [0, '1000/s'],
    [5, '200/s'],
    [400, '2.5/s'],
    [1_000, '1/s'],
    [1_500, '40/min'],
    [30_000, '2/min'],
    [50_000, '1.2/min'],
    [300_000, '12/h'],
    [5_400_000, '0.67/h'],
  ];
  for (const [everyMs, rate] of rates)
    it(`every ${everyMs} ms is told as ${rate}`, () => assert.equal(rateOf(rivalry(8, everyMs).at(-1)!), rate));

  it('is repaired at once for ever when the other side takes its time', () => {
    // Thirty seconds, for an hour; and the fastest that is never slowed down.
    for (const everyMs of [30_000, 5_000]) assert.deepEqual(new Set(delays(rivalry(720, everyMs))), new Set([0]));
  });

  it('is repaired at once a hundred times whatever the pace, then twice as late each time, up to a minute', () => {
    const seen = delays(rivalry(120, 5));
    assert.deepEqual(new Set(seen.slice(0, 100)), new Set([0]));
    assert.deepEqual(seen.slice(100, 104), [250, 500, 1_000, 2_000]);
    assert.deepEqual(new Set(seen.slice(110)), new Set([60_000]));
  });

  it('is slowed down by chance a little less, never more', () => {
    const [all, least] = [delays(rivalry(110, 5, 0)), delays(rivalry(110, 5, 0.999))];
    for (const [index, delay] of all.slice(100).entries()) {
      const jittered = least[100 + index]!;
      assert.ok(jittered < delay && jittered > delay * 0.79, `${jittered} of ${delay}`);
    }
  });

  it('is let through at once again when repairs held in between', () => {
    const last = rivalry(105, 5).at(-1)!;
    assert.ok(last.delayMs > 0);
    assert.equal(changedAgain(last, last.dueAt + 5_000, 0).delayMs, 0);
  });

  it('is over when a repair holds: ten seconds, or five intervals, and two hours at most', () => {
    assert.equal(holdMs(rivalry(6, 5).at(-1)!), 10_000);
    assert.equal(holdMs(rivalry(6, 30_000).at(-1)!), 150_000);
    assert.equal(holdMs(rivalry(6, 3_600_000).at(-1)!), 7_200_000);
  });

  it('does not end by itself while the other side backs off as controllers do', () => {
    let last: Rivalry | undefined;
    for (let gap = 100; gap < 600_000; gap *= 2) {
      if (last && isFight(last)) assert.ok(gap < holdMs(last), `${gap} ms`);
      last = changedAgain(last, (last?.dueAt ?? 0) + gap, 0);
    }
  });
});
