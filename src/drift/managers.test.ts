import assert from 'node:assert/strict';
import { it } from 'node:test';
import { matchesAny } from './managers.ts';

const CASES: [pattern: string, text: string, matches: boolean][] = [
  ['', '', true],
  ['', 'a', false],
  ['kubectl', 'kubectl', true],
  ['kubectl', 'kubectl-edit', false],
  ['*', '', true],
  ['*', 'anything\nat all', true],
  ['kubectl-*', 'kubectl-edit', true],
  ['kubectl-*', 'kubectl', false],
  ['*-edit', 'kubectl-edit', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['*ab*ab', 'ab', false],
  ['a.c', 'abc', false],
  ['**', 'x', true],
];

for (const [pattern, text, expected] of CASES) {
  it(`${JSON.stringify(pattern)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
    assert.equal(matchesAny([pattern], text), expected);
  });
}

it('a hostile pattern costs no more than a harmless one', () => {
  // By backtracking this would take longer than the universe has existed.
  assert.equal(matchesAny([`${'*a'.repeat(60)}b`], 'a'.repeat(253)), false);
});
