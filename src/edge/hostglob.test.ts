import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globsOverlap, isGlob } from './hostglob.ts';

const TABLE: readonly (readonly [string, string, boolean])[] = [
  ['a.com', 'a.com', true],
  ['a.com', 'b.com', false],
  ['A.com', 'a.com', false],
  ['a.com:8443', 'a.com', false],
  ['*', 'a.com', true],
  ['*', '*.com', true],
  ['*.com', 'a.com', true],
  ['*.com', '.com', false],
  ['*a.com', 'a.com', false],
  ['*a.com', 'ba.com', true],
  ['*example.com', '*.example.com', true],
  ['*.a.com', '*.b.com', false],
  ['a.*', 'a.com', true],
  ['a.*', 'a.', false],
  ['a.*', 'a.b.*', true],
  ['a.*', 'b.*', false],
  ['*.com', 'a.*', true],
  ['*.a.*', 'x.a.com', false],
  ['*.a.*', '*.a.*', true],
  ['*.*.com', 'x.y.com', false],
  ['a.*.com', 'a.b.com', false],
  ['.a.com', '*.com', false],
];

void test('two host globs overlap when one name can match both', () => {
  for (const [a, b, overlap] of TABLE) {
    assert.equal(globsOverlap(a, b), overlap, `${a} and ${b}`);
    assert.equal(globsOverlap(b, a), overlap, `${b} and ${a}`);
  }
});

void test('a glob means more names than one', () => {
  for (const glob of ['*', '*.com', 'a.*']) assert.ok(isGlob(glob), glob);
  for (const name of ['a.com', '*a*', 'a.*.com', '.com', '']) assert.ok(!isGlob(name), name);
});
