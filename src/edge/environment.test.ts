import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandVariables } from './environment.ts';

const environment = { A: '1', LONG_NAME: 'x', EMPTY: '', DOLLAR: '$A' };

const TABLE: [written: string, read: string][] = [
  ['$A', '1'],
  ['a$A-${A}b', 'a1-1b'],
  ['$AB', '$AB'],
  ['${LONG_NAME}', 'x'],
  ['$EMPTY|', '|'],
  ['$DOLLAR', '$A'],
  ['^/foo$', '^/foo$'],
  ['${}', '${}'],
  ['${A', '${A'],
  ['$__proto__', '$__proto__'],
  ['$constructor', '$constructor'],
];

void test('variables in texts', () => {
  for (const [written, read] of TABLE) assert.equal(expandVariables(written, environment), read, written);
});

void test('every text of a value, keys too; the value itself where nothing changes', () => {
  const value = { $A: [{ b: '$A', c: 5, d: null }] };
  assert.deepEqual(expandVariables(value, environment), { '1': [{ b: '1', c: 5, d: null }] });
  const plain = { a: [{ b: '$x', c: [] }] };
  assert.equal(expandVariables(plain, environment), plain);
  assert.equal(expandVariables(value, {}), value);
});
