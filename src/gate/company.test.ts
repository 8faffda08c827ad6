import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding, Party } from '../edge/finding.ts';
import { companiesOf, type Stopped } from './company.ts';

type Named = { readonly source: string };

const party = (source: string): Party => ({ kind: 'Mapping', namespace: 'n', name: 'm', origin: { source } });

/** `a>b`: a is stopped by an object of b; `a`: by its own alone. */
function stopped(...words: string[]): Stopped<Named>[] {
  const bySource = Map.groupBy(words, (word) => word.split('>')[0]!);
  return [...bySource].map(([source, all]) => {
    const by = all.map((word): Finding => {
      const [, other] = word.split('>');
      const named = { object: party(source), ...(other !== undefined && { other: party(other) }) };
      return { ...named, rule: 'EM010', key: word, severity: 'error', impact: 'steal', message: 'm', mend: 'm' };
    });
    return { candidate: { source }, by };
  });
}

const CASES: [waiting: string[], companies: string[]][] = [
  [['a>b', 'b>a'], ['ab']],
  [
    ['a>b', 'b>c', 'c>a', 'x', 'y>z'],
    ['abc', 'ab', 'ac'],
  ],
  // Whoever only wants what they have is tried with them last.
  [
    ['a>b', 'b>a', 'x>a'],
    ['ab', 'abx', 'ax'],
  ],
  [['a>elsewhere', 'b>c', 'c>b'], []],
  [
    ['a', 'b', 'c>b'],
    ['ab', 'ac', 'abc'],
  ],
  [['a'], []],
];

for (const [waiting, expected] of CASES) {
  test(`those who wait: ${waiting.join(' ')}`, () => {
    const [first, ...others] = stopped(...waiting);
    const companies = companiesOf(first!, others).map((group) => group.map(({ source }) => source));
    assert.ok(companies.every(([source]) => source === 'a'));
    assert.deepEqual(
      companies.map((group) => group.toSorted().join('')),
      expected,
    );
  });
}

test('however many wait, few are tried', () => {
  const many = Array.from({ length: 500 }, (_, at) => `s${at}>a`);
  const [first, ...others] = stopped('a>s0', ...many);
  const companies = companiesOf(first!, others);
  assert.deepEqual(
    companies.slice(0, 2).map(({ length }) => length),
    [2, 501],
  );
  assert.ok(companies.length <= 12);
});
