import assert from 'node:assert/strict';
import { test } from 'node:test';
import { yamlSafe } from './apply-body.ts';

test('only what YAML would read otherwise is escaped, and the JSON says the same', () => {
  const body = JSON.stringify({ a: 'x\u007f\u0085\u009f\ufffe\uffffy', b: 'ä€😀\u2028\u00a0\ufeff' });
  const safe = yamlSafe(body);
  assert.deepEqual(JSON.parse(safe), JSON.parse(body));
  assert.equal(safe, String.raw`{"a":"x\u007f\u0085\u009f\ufffe\uffffy","b":"ä€😀` + '\u2028\u00a0\ufeff"}');
  const plain = '{"n":9007199254740993}';
  assert.equal(yamlSafe(plain), plain);
});
