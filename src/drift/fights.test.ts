import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ManualClock } from '../../test/manual-clock.ts';
import { Fights } from './fights.ts';

let clock: ManualClock;
let over: string[];
let fights: Fights;

beforeEach(() => {
  clock = new ManualClock();
  over = [];
  fights = new Fights({ clock, random: () => 0, onOver: (key) => over.push(key) });
});

/** Changed and repaired at once, so many times, so long apart. */
function fight(key: string, paths: string[], times: number, everyMs: number): number[] {
  return Array.from({ length: times }, () => {
    clock.advance(everyMs);
    const delayMs = fights.changed(key, paths, clock.elapsed());
    if (delayMs === 0) fights.repaired(key);
    return delayMs;
  });
}

describe('fights', () => {
  it('are told field by field, with their rates, and end when the last repair has held', () => {
    fight('a', ['/x'], 1, 30_000);
    fight('a', ['/x', '/y'], 4, 30_000);
    assert.deepEqual([fights.rate('a', '/x'), fights.rate('a', '/y')], ['2/min', undefined]);
    assert.equal(fights.isFought('a'), true);
    assert.equal(fights.isFought('b'), false);
    clock.advance(149_999);
    assert.deepEqual(over, []);
    clock.advance(1);
    assert.deepEqual(over, ['a']);
    assert.equal(fights.isFought('a'), false);
    assert.equal(fights.rate('a', '/x'), undefined);
  });

  it('are not ended by a repair that was undone, nor by one that could not be made', () => {
    fight('a', ['/x'], 5, 1_000);
    clock.advance(9_000);
    fights.changed('a', ['/x'], clock.elapsed());
    clock.advance(3_600_000);
    assert.deepEqual(over, []);
    fights.repaired('a');
    fights.repaired('a');
    assert.equal(clock.pending, 1);
  });

  it('slow down one field of one object, and nothing beside it', () => {
    assert.deepEqual(fight('a', ['/x'], 102, 1).slice(-3), [0, 250, 500]);
    assert.deepEqual(fight('b', ['/x'], 1, 1), [0], 'another object');
    assert.deepEqual(fight('a', ['/y'], 1, 1), [0], 'another field');
    assert.deepEqual(fight('a', ['/x', '/z'], 1, 1), [0], 'another field beside the one that is fought over');
    assert.ok(fight('a', ['/x'], 1, 1)[0]! > 0);
  });

  it('begin anew when they were over, or nobody repairs any more', () => {
    fight('a', ['/x'], 110, 1);
    fights.repaired('a');
    clock.advance(600_000);
    assert.deepEqual(over, ['a']);
    assert.deepEqual(fight('a', ['/x'], 1, 1), [0]);
    fight('b', ['/x'], 110, 1);
    fights.forget('b');
    assert.equal(fights.isFought('b'), false);
    assert.equal(clock.pending, 0);
  });

  it('are remembered within bounds: ten thousand objects, sixteen fields of each', () => {
    fight('first', ['/x'], 5, 1_000);
    const many = Array.from({ length: 40 }, (_, index) => `/f${index}`);
    fight('wide', many, 5, 1_000);
    assert.equal(many.filter((path) => fights.rate('wide', path)).length, 16);
    for (let index = 0; index < 9_999; index += 1) fights.changed(`o${index}`, ['/x'], clock.elapsed());
    assert.deepEqual(over, ['first'], 'whoever is forgotten in a fight is told of it');
    assert.equal(fights.isFought('wide'), true);
  });

  it('is quiet where changes come hours apart', () => {
    fight('a', ['/x'], 30, 3 * 3_600_000);
    assert.equal(fights.isFought('a'), false);
    assert.equal(clock.pending, 0);
  });
});
