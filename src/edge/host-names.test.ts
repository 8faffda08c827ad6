import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { Random } from '../../test/random.ts';
import { HostNames } from './host-names.ts';
import { globsOverlap } from './hostglob.ts';

/** Short, of few letters, so that many are equal, overlap or are broken. */
function anyName(random: Random): string {
  const letters = ['a', 'b', '.', '*', 'A', ':'];
  const middle = Array.from({ length: random.below(4) }, () => random.pick(letters)).join('');
  return `${random.pick(['', '', '*', '*.'])}${middle}${random.pick(['', '', '*', '.*'])}`;
}

void test('finds exactly what overlaps, in order', () => {
  const random = new Random(1);
  for (let round = 0; round < 2_000; round += 1) {
    const hostnames = Array.from({ length: random.below(12) }, () => anyName(random));
    const names = new HostNames(hostnames);
    for (const asked of [...hostnames, anyName(random), anyName(random)]) {
      const naive = [...hostnames.keys()].filter((position) => globsOverlap(hostnames[position]!, asked));
      assert.deepEqual(names.overlapping(asked), naive, `${asked} of ${hostnames.join(' ')}`);
    }
  }
});

const MANY = 20_000;
const many = (name: (at: number) => string) => Array.from({ length: MANY }, (_, at) => name(at));

const HOSTILE = {
  'names below globs': [many((at) => `*.h${at}.t`), many((at) => `a.h${at}.t`)],
  'globs above names': [many((at) => `a.h${at}.t`), many((at) => `*.h${at}.t`)],
  'globs beside globs': [many((at) => `h${at}.t.*`), many((at) => `h${at}.t.b.*`)],
} as const;

for (const [title, [hostnames, asked]] of Object.entries(HOSTILE)) {
  void test(`thousands of hostnames are found at once: ${title}`, () => {
    const found = inTime(5_000, () => {
      const names = new HostNames(hostnames);
      return asked.map((name) => names.overlapping(name));
    });
    assert.ok(found.every((positions, at) => positions.length === 1 && positions[0] === at));
  });
}
