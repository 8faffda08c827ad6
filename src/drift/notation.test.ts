import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rewritten } from './notation.ts';

const at = (declared: unknown, live: unknown) => rewritten([{ path: [], declared, live }]).length;

test('numbers and quantities that mean the same are notation, everything else is rewritten', () => {
  assert.equal(at('1000m', '1'), 0);
  assert.equal(at(2, '2'), 0);
  assert.equal(at('1Gi', '1024Mi'), 0);
  assert.equal(at('1Gi', '1G'), 1);
  assert.equal(at('a', 'b'), 1);
});

test('a map is no quantity, whatever its fields are called', () => {
  assert.equal(at({ toString: 5 }, '5'), 1);
  assert.equal(at('5', { toString: 5, valueOf: null }), 1);
  assert.equal(at(['5'], '5'), 1);
});
