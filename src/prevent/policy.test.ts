import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expressionFor } from './policy.ts';

const CASES: [pattern: string, expression: string][] = [
  ['image-*', '^image-.*$'],
  ['*', '^.*$'],
  ['a.b*', String.raw`^a\.b.*$`],
  ['c++ (x', String.raw`^c\+\+ \(x$`],
  [String.raw`^[a]{2}|b?\d$`, String.raw`^\^\[a\]\{2\}\|b\?\\d\$$`],
];
for (const [pattern, expression] of CASES)
  test(`the pattern ${pattern} is the expression ${expression}`, () => {
    assert.equal(expressionFor(pattern), expression);
  });
