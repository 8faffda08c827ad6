import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';
import type { RouteGroup } from './model.ts';
import { compareWeights, inMatchingOrder, weightText } from './route-order.ts';

void test('what differs first decides, and the longer of two that do not differ', () => {
  const ascending = [
    [-1, 99, 0, 0, '/'],
    [0, 1, 0, 0, '/'],
    [0, 2, 0, 0, '/a'],
    [0, 2, 0, 0, '/b'],
    [0, 2, 0, 0, '/b', 'GET'],
    [0, 2, 17, 0, '/a'],
    [0, 10, 0, 0, '/'],
    [1, 1, 0, 0, '/'],
    [1_000_000, 1, 0, 0, '/'],
  ].map(weightText);
  for (const [at, weight] of ascending.entries()) {
    assert.equal(compareWeights(weight, weight), 0);
    for (const lighter of ascending.slice(0, at)) {
      assert.ok(compareWeights(weight, lighter) > 0, `${weight} over ${lighter}`);
      assert.ok(compareWeights(lighter, weight) < 0, `${lighter} under ${weight}`);
    }
  }
});

void test('of equal ones the younger is tried first', () => {
  const groups = ['old', 'young'].map(
    (identity) => ({ identity, weight: weightText([0, 1]) }) as unknown as RouteGroup,
  );
  const order = (list: readonly RouteGroup[]) =>
    inMatchingOrder(list, DEFAULT_EDGE_SETTINGS).map(({ identity }) => identity);
  assert.deepEqual(order(groups), ['young', 'old']);
  // Also when they lay the other way round the last time.
  assert.deepEqual(order(groups.toReversed()), ['old', 'young']);
});
