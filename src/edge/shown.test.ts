import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { shown } from './shown.ts';

const CASES: [title: string, value: unknown, expected: string][] = [
  ['a text', 'a.com', '"a.com"'],
  ['an integer of YAML', 5n, '5'],
  ['nothing', undefined, 'nothing'],
  ['null', null, 'null'],
  ['a list', ['a', 1], '["a", 1]'],
  ['an object', { peer: '192.0.2.1' }, '{"peer": "192.0.2.1"}'],
  ['what is deep', { a: { b: { c: { d: 1 } } } }, '{"a": {"b": {"c": {…}}}}'],
  ['credentials', 'http://user:hunter2@svc', '"http://***@svc"'],
  ['credentials twice', ['u:p@a', 'u:p@b'], '["***@a", "***@b"]'],
  ['credentials where the text is cut', `http://${'u'.repeat(90)}:hunter2@svc`, '"http://***@svc"'],
];

describe('shown', () => {
  for (const [title, value, expected] of CASES) it(title, () => assert.equal(shown(value), expected));

  it('cuts what is long', () => {
    assert.equal(shown('x'.repeat(200)).length, 80);
    assert.equal(shown(Array.from({ length: 100 }, () => 'x'.repeat(50))).length, 80);
  });

  it('takes a megabyte in its stride', () => {
    inTime(250, () => {
      shown('x'.repeat(2 ** 20));
      shown({ list: Array.from({ length: 100_000 }, (_, index) => index) });
    });
  });

  it('takes any depth', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    assert.equal(shown(deep), '[[[[…]]]]');
  });
});
