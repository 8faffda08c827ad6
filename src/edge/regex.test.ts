import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { matchesWhole, readRegex } from './regex.ts';

/** Measured with RE2 in C++ (`RE2::ProgramSize()`). */
const SIZES: [text: string, steps: number][] = [
  ['', 4],
  ['abc', 7],
  ['^abc', 4],
  ['^/', 4],
  ['^$', 2],
  ['abc$', 7],
  ['^[a-z]bc', 5],
  ['^(abc)d', 8],
  ['(^ab)', 6],
  ['^ab|cd', 9],
  ['a|b|c', 5],
  ['(foo|foobar)', 13],
  ['x{0,3}', 10],
  ['a*', 5],
  ['(a|b)*c', 8],
  ['[a-z]+', 6],
  ['(?i)abc', 7],
  ['(?i)^abc', 4],
  ['(?i)[a-z]+', 11],
  [String.raw`\w+`, 8],
  ['.', 12],
  ['(?s).', 11],
  ['[^/]+', 13],
  ['[α-ω]', 8],
  ['[一-龠]', 13],
  ['/x/.*', 15],
  ['^/x/[^/]+/y$', 15],
  ['/api/(v1|v2)/.*', 22],
  ['complex.{1,128}regexp', 1168],
];

describe('readRegex', () => {
  for (const [text, steps] of SIZES) {
    it(`measures ${text} as RE2 does`, () => {
      const regex = readRegex(text);
      assert.equal(regex.kind === 'valid' && regex.programSize, steps);
    });
  }

  for (const text of ['/x/(?=foo)', '(?<=a)b', String.raw`(a)\1`, '(a', 'a)', '[a', '*a', 'a**', 'x{1001}', '(?>a)']) {
    it(`refuses ${text}`, () => assert.equal(readRegex(text).kind, 'invalid'));
  }

  it('matches whole texts', () => {
    const paths = ['/api/v1/users', '/api/v3/users', '/x/api/v1/'];
    assert.deepEqual(
      paths.map((path) => matchesWhole('/api/(v1|v2)/.*', path)),
      [true, false, false],
    );
    assert.equal(matchesWhole('(', '('), false);
  });

  const HOSTILE = {
    'nested counts': '((a{30}){30}){30}',
    'counts in a row': '(x{0,1000})'.repeat(100),
    'a long text, repeated': `(${'a'.repeat(1300)}){1000}`,
    'counts of nothing': '((){100}){10}'.repeat(300),
    'deep parentheses': '('.repeat(50_000),
    'a megabyte': 'a|'.repeat(500_000),
    'escaped counts': String.raw`\{9999999}`.repeat(1000),
  };
  for (const [title, text] of Object.entries(HOSTILE)) {
    it(`answers quickly: ${title}`, () => inTime(500, () => void readRegex(text)));
  }
});
