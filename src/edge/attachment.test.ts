import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { Random } from '../../test/random.ts';
import { attach, serves } from './attachment.ts';
import type { Host, RouteGroup } from './model.ts';

function host(hostname: string, selector?: Record<string, string>): Host {
  const nothing = { policy: undefined, context: undefined, insecureAction: 'Redirect' } as const;
  return { name: hostname, namespace: 'n', hostname, selector, ...nothing };
}

function group(value: string, fields: Partial<RouteGroup>): RouteGroup {
  const path = { match: 'prefix', value } as const;
  const bare = { host: null, hostGlob: null, hostRegex: null, labels: {}, isEverywhere: false, path };
  return { ...bare, ...fields } as RouteGroup;
}

const X = { team: 'x' };
const HOSTS = [host('a.com'), host('*.com'), host('b.org', { ...X, tier: 'web' }), host('*', X)];
const GROUPS = [
  group('/exact', { hostGlob: 'a.com' }),
  group('/other', { hostGlob: 'c.com' }),
  group('/glob', { hostGlob: '*.org', labels: { ...X, tier: 'web' } }),
  group('/labels', { labels: X }),
  group('/both', { hostGlob: 'a.com', labels: X }),
  group('/regex', { hostRegex: 'a.*' }),
  group('/bare', {}),
  group('/probe', { isEverywhere: true }),
];

function servedBy(strict: boolean): Record<string, string[]> {
  const { served, unserved } = attach(HOSTS, GROUPS, strict);
  const named = [...served].map(([{ hostname }, groups]) => [hostname, groups] as const);
  const paths = [...named, ['nobody', unserved] as const].map(([name, groups]) => [
    name,
    groups.map(({ path }) => path.value),
  ]);
  return Object.fromEntries(paths) as Record<string, string[]>;
}

void test('a Host serves what fits to its name and, if it has a selector, to its labels', () => {
  assert.deepEqual(servedBy(true), {
    'a.com': ['/exact', '/both', '/regex', '/probe'],
    '*.com': ['/exact', '/other', '/both', '/regex', '/probe'],
    'b.org': ['/glob', '/probe'],
    '*': ['/glob', '/labels', '/both', '/probe'],
    nobody: ['/bare'],
  });
});

void test('without strict selectors either is enough', () => {
  assert.deepEqual(servedBy(false), {
    'a.com': ['/exact', '/both', '/regex', '/probe'],
    '*.com': ['/exact', '/other', '/both', '/regex', '/probe'],
    'b.org': ['/glob', '/labels', '/both', '/regex', '/probe'],
    '*': ['/exact', '/other', '/glob', '/labels', '/both', '/regex', '/probe'],
    nobody: ['/bare'],
  });
});

void test('a Host serves the same as if each were held against each group', () => {
  const random = new Random(1);
  const pick = (list: readonly (string | null)[]): string | null => random.pick(list);
  const names = ['a.com', 'b.com', '*.com', '*', 'a.*', '*a.com', '*.a.com', 'x.a.com', '.com', '*.*'];
  const labels = (): Record<string, string> =>
    Object.fromEntries(random.some(['a', 'b', 'c'], 3).map((name) => [name, random.pick(['x', 'y'])]));
  const some = (): Record<string, string> => Object.fromEntries(random.some(Object.entries(labels()), random.below(3)));
  for (let round = 0; round < 1_000; round += 1) {
    const hosts = Array.from({ length: random.below(30) }, () =>
      host(random.pick(names), random.chance(0.5) ? some() : undefined),
    );
    const groups = Array.from({ length: 12 }, (_, at) =>
      group(`/${at}`, {
        hostGlob: pick([...names, null, null]),
        hostRegex: pick([null, null, null, 'a.*']),
        labels: some(),
        isEverywhere: random.chance(0.1),
      }),
    );
    for (const strict of [true, false]) {
      const { served, unserved } = attach(hosts, groups, strict);
      const naive = hosts.map((one) => groups.filter((each) => serves(one, each, strict)));
      assert.deepEqual([...served.keys()], hosts);
      assert.deepEqual([...served.values()], naive);
      assert.deepEqual(
        unserved,
        groups.filter((each) => !hosts.some((one) => serves(one, each, strict))),
      );
    }
  }
});

const MANY = 20_000;
const many = <T>(make: (at: number) => T): T[] => Array.from({ length: MANY }, (_, at) => make(at));

void test('thousands of Hosts that are globs and as many names below them are attached at once', () => {
  const hosts = many((at) => host(`*.h${at}.t`));
  const groups = many((at) => group('/', { hostGlob: `a.h${at}.t` }));
  const { served } = inTime(5_000, () => attach(hosts, groups, true));
  assert.ok(hosts.every((one) => served.get(one)?.length === 1));
});

const SELECTING = {
  'Mappings without a hostname': [many((at) => host(`h${at}.t`, X)), many(() => group('/', {}))],
  'Mappings of their name': [
    many(() => host('a.com', X)),
    many((at) => group('/', { hostGlob: 'a.com', labels: { at: `${at}` } })),
  ],
  'Mappings with a regular expression': [
    many((at) => host(`h${at}.t`, X)),
    many(() => group('/', { hostRegex: 'a.*' })),
  ],
} as const;

for (const [title, [hosts, groups]] of Object.entries(SELECTING)) {
  void test(`thousands of Hosts that select nothing of thousands of ${title} cost little`, () => {
    const { unserved } = inTime(5_000, () => attach(hosts, groups, true));
    assert.equal(unserved.length, MANY);
  });
}
