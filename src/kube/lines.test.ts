import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter } from './lines.ts';

function cut(bytes: Uint8Array, size: number, limit = 1_000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), limit);
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
  return lines;
}

const text = Buffer.from('one\n\nzwölf €\n{"a":"😀"}\nunfinished');
for (const size of [1, 2, 3, 7, 1_000]) {
  test(`pieces of ${size} bytes give the same lines`, () => {
    assert.deepEqual(cut(text, size), ['one', 'zwölf €', '{"a":"😀"}']);
  });
}

test('a line over the cap is an error, whether it ends or not', () => {
  assert.throws(() => cut(Buffer.from('x'.repeat(2_000)), 100), { code: 'ApiAnswerTooLarge' });
  assert.throws(() => cut(Buffer.from(`${'x'.repeat(2_000)}\n`), 5_000), { code: 'ApiAnswerTooLarge' });
  assert.deepEqual(cut(Buffer.from(`${'x'.repeat(1_000)}\n`.repeat(3)), 64).length, 3);
});

test('what a line throws comes out of push', () => {
  const splitter = new LineSplitter(() => {
    throw new Error('no');
  }, 10);
  assert.throws(() => splitter.push(Buffer.from('a\n')), /no/);
});
