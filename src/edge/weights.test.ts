import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharesOf, weightsOf } from './weights.ts';

const none = undefined;

// [weights in order, cumulative in the final order, positions in the final order, problem]
const TABLE: [(number | undefined)[], number[], number[], string | undefined][] = [
  [[none], [100], [0], none],
  [[0], [100], [0], none],
  [[101], [100], [0], none],
  [[none, none], [50, 100], [0, 1], none],
  [[none, none, none], [33, 66, 100], [0, 1, 2], none],
  [[none, 10], [10, 100], [1, 0], none],
  [[30, 20], [30, 50], [0, 1], none],
  [[98, none, none, none], [98, 99, 100, 100], [0, 1, 2, 3], none],
  [[92, none, none, none, none, none], [92, 94, 96, 98, 100, 100], [0, 1, 2, 3, 4, 5], none],
  [
    [86, ...Array.from({ length: 9 }, () => none)],
    [86, 88, 90, 92, 94, 96, 98, 100, 102, 100],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    none,
  ],
  [[100, none], [100, 100], [0, 1], none],
  [[60, 60], [60, 120], [0, 1], 'sum-over-100'],
  [[101, none], [0, 0], [0, 1], 'over-100'],
  [[10, 101], [10, 0], [0, 1], 'over-100'],
  [[-5, none], [-5, 100], [0, 1], none],
];

void test('cumulative weights', () => {
  for (const [weights, cumulative, order, problem] of TABLE) {
    assert.deepEqual(weightsOf(weights), { cumulative, order, problem }, JSON.stringify(weights));
  }
});

void test('shares', () => {
  assert.deepEqual(sharesOf([98, 99, 100, 100]), [98, 1, 1, 0]);
  assert.deepEqual(sharesOf([30, 50]), [30, 20]);
  assert.deepEqual(sharesOf([60, 120]), [60, 40]);
  assert.deepEqual(sharesOf([0, 0]), [0, 0]);
  assert.deepEqual(sharesOf([98, 102, 100]), [98, 2, 0]);
});
