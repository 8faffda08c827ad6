import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { alternativesOf, BadPattern, Effort, matchesName, matchesPath, readName, readNamePattern } from './glob.ts';

const enough = () => new Effort(1_000_000);
const matches = (pattern: string, name: string) => matchesName(readNamePattern(pattern), name, enough());
const NAMES = ['', 'a', 'b', 'ab', 'abc', 'a.yaml', 'aaa', 'a*', '[a]', ']', '-', '\\', 'é', '😀'];

describe('the pattern of a name', () => {
  const cases: [string, string[]][] = [
    ['*', NAMES],
    ['**', NAMES],
    ['a*', ['a', 'ab', 'abc', 'a.yaml', 'aaa', 'a*']],
    ['*a', ['a', 'aaa']],
    ['*a*a*', ['a.yaml', 'aaa']],
    ['a*c', ['abc']],
    ['?', ['a', 'b', ']', '-', '\\', 'é']],
    ['??', ['ab', 'a*', '😀']],
    ['*.yaml', ['a.yaml']],
    ['[ab]', ['a', 'b']],
    ['[!a]', ['b', ']', '-', '\\', 'é']],
    ['[^a-z]', [']', '-', '\\', 'é']],
    ['[]a]', ['a', ']']],
    ['[]-]', [']', '-']],
    ['[a-]', ['a', '-']],
    ['[[:alpha:]]*', ['a', 'b', 'ab', 'abc', 'a.yaml', 'aaa', 'a*']],
    ['[\\]]', [']']],
    ['a\\*', ['a*']],
    ['\\[a\\]', ['[a]']],
    ['[[]a]', ['[a]']],
    ['', ['']],
  ];
  for (const [pattern, expected] of cases)
    it(`${JSON.stringify(pattern)} stands for ${expected.length}`, () =>
      assert.deepEqual(
        NAMES.filter((name) => matches(pattern, name)),
        expected,
      ));

  for (const pattern of ['[', '[a', '[]', 'a\\', '[[:nothing:]]', '[[:__proto__:]]'])
    it(`${JSON.stringify(pattern)} cannot be read`, () => assert.throws(() => readNamePattern(pattern), BadPattern));
});

it('the pattern of a path: ** stands for any names, and none', () => {
  const of = (pattern: string, path: string) =>
    matchesPath(pattern.split('/').map(readName), path.split('/'), enough());
  for (const path of ['a/b', 'a/x/b', 'a/b/b', 'a/x/b/y/b']) assert.ok(of('a/**/b', path), path);
  for (const path of ['a', 'b', 'a/b/c', 'x/a/b']) assert.ok(!of('a/**/b', path), path);
  for (const path of ['a', 'a/b', 'x/a/b']) assert.ok(of('**', path), path);
  assert.ok(of('**/a/*/**', 'x/y/a/b'));
  assert.ok(!of('**/a/*/**', 'x/y/a'));
});

it('the effort counts what is compared, and ends it', () => {
  const effort = new Effort(1000);
  assert.throws(() => matchesName(readNamePattern('*a*a*b'), 'a'.repeat(2000), effort), { name: 'TooMuchEffort' });
});

it('alternatives', () => {
  const cases: [string, string[]][] = [
    ['a', ['a']],
    ['{a,b}', ['a', 'b']],
    ['x{a,b}y', ['xay', 'xby']],
    ['{a,b}{c,d}', ['ac', 'ad', 'bc', 'bd']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd']],
    ['{a}', ['{a}']],
    ['{}', ['{}']],
    ['{,a}', ['', 'a']],
    ['{a', ['{a']],
    ['a}', ['a}']],
    ['{a,b', ['{a,b']],
    ['{a}{b,c}', ['{a}b', '{a}c']],
    ['\\{a,b}', ['\\{a,b}']],
    ['{a\\,b,c}', ['a\\,b', 'c']],
    ['{a/b,c}/*.yaml', ['a/b/*.yaml', 'c/*.yaml']],
  ];
  for (const [pattern, expected] of cases) assert.deepEqual(alternativesOf(pattern), expected, pattern);
  assert.throws(() => alternativesOf('{a,b}'.repeat(7)), BadPattern);
});
