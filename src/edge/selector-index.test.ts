import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { Random } from '../../test/random.ts';
import { SelectorIndex } from './selector-index.ts';
import { labelsMatch } from './selector.ts';

void test('finds exactly the selectors that fit, in order', () => {
  const random = new Random(1);
  const some = (): Record<string, string> => {
    const names = random.some(['a', 'b', 'c', '__proto__', 'constructor'], random.below(4));
    return Object.fromEntries(names.map((name) => [name, random.pick(['x', 'y', ''])]));
  };
  for (let round = 0; round < 2_000; round += 1) {
    const selectors = Array.from({ length: random.below(12) }, () => (random.chance(0.2) ? undefined : some()));
    const labels = some();
    for (const strict of [true, false]) {
      const naive = [...selectors.keys()].filter((at) => selectors[at] && labelsMatch(selectors[at], labels, strict));
      const found = new SelectorIndex(selectors, strict).matching(labels);
      assert.deepEqual(found, naive, JSON.stringify({ selectors, labels, strict }));
    }
  }
});

const MANY = 10_000;
const many = <T>(make: (at: number) => T): T[] => Array.from({ length: MANY }, (_, at) => make(at));

const HOSTILE: Record<string, [Record<string, string>[], Record<string, string>[]]> = {
  'all different': [many((at) => ({ a: `${at}` })), many((at) => ({ a: `x${at}` }))],
  'all the same': [many(() => ({ a: 'b', c: 'd' })), many((at) => ({ a: 'b', own: `${at}` }))],
  'with one label in common': [many((at) => ({ a: 'b', c: `${at}` })), many((at) => ({ a: 'b', own: `${at}` }))],
};

for (const [title, [selectors, labels]] of Object.entries(HOSTILE)) {
  void test(`thousands of selectors that fit to nothing cost little: ${title}`, () => {
    const found = inTime(1_500, () => {
      const index = new SelectorIndex(selectors, true);
      return labels.map((one) => index.matching(one));
    });
    assert.ok(found.every((positions) => positions.length === 0));
  });
}
