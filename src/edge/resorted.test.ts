import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Resorted } from './resorted.ts';

/** Sorted by the number, told apart by the letter. */
const compare = (a: string, b: string) => Number(a.slice(1)) - Number(b.slice(1));

void test('whatever changed since the last time, the order is that of the list alone', () => {
  const lists = [
    ['a3', 'b1', 'c2', 'd1'],
    ['a3', 'b1', 'x0', 'c2', 'd1'],
    ['a3', 'b1', 'x1', 'c2', 'd1'],
    ['a3', 'b1', 'c2', 'd1'],
    ['d1', 'c2', 'b1', 'a3'],
    ['d1', 'c2', 'c2', 'b1'],
    ['d1', 'c2', 'c2', 'c2', 'b1'],
    [],
    ['z9'],
    ['z9', 'b1'],
    ['y9', 'z9', 'b1'],
    ['y9'],
  ];
  const resorted = new Resorted<string>();
  for (const list of lists) assert.deepEqual(resorted.sort(list, compare), list.toSorted(compare), list.join());
});
