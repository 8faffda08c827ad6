import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Body } from './body.ts';

const { signal } = new AbortController();
const TEXTS = [
  ['', '{}', '{"a":1}', '""'],
  ['{"text":"one\\ntwo\\r\\n\\u2028"}', '{"text":"ä漢😀\\ud83d"}', '{"big":9007199254740993}'],
  Array.from({ length: 300 }, (_, index) => JSON.stringify({ index, text: 'much the same '.repeat(10) })),
  [JSON.stringify('x'.repeat(3 * 1024 * 1024)), '{"after":"a large one"}'],
].map((texts) => texts.map((text) => [text, new Body(text)] as const));

describe('bodies', () => {
  for (const [index, pairs] of TEXTS.entries())
    it(`read the same packed, in any order: ${index}`, async () => {
      await Body.pack(
        pairs.map(([, body]) => body),
        signal,
      );
      for (const [text, body] of pairs) assert.equal(body.text, text);
      for (const [text, body] of pairs.toReversed()) assert.equal(body.text, text);
    });

  it('read the same when others are packed beside them later, by two at a time too', async () => {
    const all = Array.from({ length: 500 }, (_, index) => `{"name":"object-${index}","more":"${'.'.repeat(200)}"}`);
    const bodies = all.map((text) => new Body(text));
    await Body.pack(
      bodies.filter((_, index) => index % 3 === 0),
      signal,
    );
    await Promise.all([Body.pack(bodies, signal), Body.pack(bodies.toReversed(), signal)]);
    assert.deepEqual(
      bodies.map(({ text }) => text),
      all,
    );
  });

  it('are as they were when the packing is cut short', async () => {
    const bodies = ['{"a":1}', '{"b":2}'].map((text) => new Body(text));
    const big = new Body(JSON.stringify('y'.repeat(20_000)));
    await assert.rejects(Body.pack([big, ...bodies], AbortSignal.abort()), { name: 'AbortError' });
    assert.deepEqual(
      [...bodies, big].map(({ text }) => text.length),
      [7, 7, 20_002],
    );
  });
});
