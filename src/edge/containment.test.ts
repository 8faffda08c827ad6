import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { compileEdge } from './compile.ts';
import { covers, literalOf, witnessPath } from './containment.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';
import type { RouteGroup } from './model.ts';
import { overlapsOf } from './overlaps.ts';
import { compareWeights } from './route-order.ts';
import { judgedOf, mapping } from './rules/case.ts';
import { inputOf, readEdgeVectors } from '../../test/edge-vectors.ts';

/** `x` is short for a Mapping of host a.com and prefix /x/ with these fields. */
const COVERS: [a: object, b: object, covered: boolean][] = [
  [{}, {}, true],
  [{ prefix: '/' }, { prefix: '/x/' }, true],
  [{ prefix: '/x/' }, { prefix: '/' }, false],
  [{ prefix: '/x' }, { prefix: '/x', prefix_exact: true }, true],
  [{ prefix: '/x', prefix_exact: true }, { prefix: '/x' }, false],
  [{ prefix: '/x', prefix_exact: true }, { prefix: '/x', prefix_exact: true, method: 'GET' }, true],
  [{ prefix: '/x/.*', prefix_regex: true }, { prefix: '/x/y' }, true],
  [{ prefix: '/x/.+$', prefix_regex: true }, { prefix: '/x/y' }, true],
  [{ prefix: '/x/[a-z]*', prefix_regex: true }, { prefix: '/x/y' }, false],
  [{ prefix: '/x/[a-z]*', prefix_regex: true }, { prefix: '/x/y', prefix_exact: true }, true],
  [{ prefix: '/(x/y|z/.*)', prefix_regex: true }, { prefix: '/x/y' }, false],
  [{ prefix: '/x/y|/z/.*', prefix_regex: true }, { prefix: '/x/y' }, false],
  [{ prefix: String.raw`/x/y[\](]?|/z/[\])].*`, prefix_regex: true }, { prefix: '/x/y' }, false],
  [{ prefix: '/x/y[](]?|/z/[])].*', prefix_regex: true }, { prefix: '/x/y' }, false],
  [{ prefix: '/x/[[:alpha:](]?.*', prefix_regex: true }, { prefix: '/x/y' }, true],
  [{ prefix: String.raw`/x/y\.*`, prefix_regex: true }, { prefix: '/x/y' }, false],
  [{ prefix: '/x' }, { prefix: '/x/[0-9]+', prefix_regex: true }, true],
  [{ prefix: '/x/1' }, { prefix: '/x/[0-9]+', prefix_regex: true }, false],
  [{ prefix: '/x/' }, { prefix: '/x/?y', prefix_regex: true }, false],
  [{ prefix: '/x/' }, { prefix: '/x/a|/y/', prefix_regex: true }, false],
  [{ prefix: '/X/', case_sensitive: false }, { prefix: '/x/y' }, true],
  [{ prefix: '/x/' }, { prefix: '/x/y', case_sensitive: false }, false],
  [{ hostname: '*' }, {}, true],
  [{}, { hostname: '*' }, false],
  [{ hostname: '*.com' }, { hostname: 'a.b.com' }, true],
  [{ hostname: '*.com' }, { hostname: '*.b.com' }, true],
  [{ hostname: '*.b.com' }, { hostname: '*.com' }, false],
  [{ hostname: 'a.*' }, {}, true],
  [{ hostname: 'A.com' }, {}, false],
  [{ hostname: '*.com' }, { hostname: '.com' }, false],
  [{ hostname: undefined, host: 'a[.]com', host_regex: true }, {}, true],
  [{ hostname: undefined, host: 'b[.]com', host_regex: true }, {}, false],
  [{}, { headers: { 'x-v': '1' } }, true],
  [{ headers: { 'x-v': '1' } }, {}, false],
  [{ headers: { 'X-V': '1' } }, { headers: { 'x-v': '1', 'x-w': '2' } }, true],
  [{ headers: { 'x-v': true } }, { headers: { 'x-v': '1' } }, true],
  [{ regex_headers: { 'x-v': '[0-9]' } }, { headers: { 'x-v': '1' } }, true],
  [{ regex_headers: { 'x-v': '[0-9]' } }, { headers: { 'x-v': 'a' } }, false],
  [{ query_parameters: { q: '1' } }, { query_parameters: { q: '1' }, method: 'GET' }, true],
  [{ query_parameters: { q: '1' } }, { query_parameters: { q: '2' } }, false],
  [{ method: 'GET' }, { method: 'POST' }, false],
];

describe('covers', () => {
  for (const [a, b, covered] of COVERS) {
    it(`${JSON.stringify(a)} ${covered ? 'takes all of' : 'leaves some of'} ${JSON.stringify(b)}`, () => {
      assert.equal(covers(groupOf(a), groupOf(b)), covered);
    });
  }
});

describe('literalOf', () => {
  const REGEXES = {
    '/api/(v1|v2)/.*': '/api/',
    '^/api': '/api',
    '/x?': '/',
    '/ab*': '/a',
    '/a{2}': '/',
    '/a|/b': '',
    '.*': '',
    [String.raw`/a\.b`]: '/a',
  };
  for (const [regex, literal] of Object.entries(REGEXES)) {
    it(`${regex} starts with "${literal}"`, () => {
      assert.equal(literalOf(groupOf({ prefix: regex, prefix_regex: true })), literal);
    });
  }
});

it('a witness is a path that both take', () => {
  const regex = groupOf({ prefix: '/x/[^/]+/edit', prefix_regex: true });
  assert.equal(witnessPath(regex, groupOf({ prefix: '/x/y/edit' })), '/x/y/edit');
  assert.equal(witnessPath(regex, groupOf({ prefix: '/z/' })), undefined);
});

it('the index of routes finds what comparing each with each finds', () => {
  for (const vector of readEdgeVectors('test/vectors/edge/random.jsonl')) {
    const edge = compileEdge(inputOf(vector));
    const routes = edge.groups.filter(({ internal, redirect, members }) => !internal && (redirect ?? members[0]));
    const behind = routes.filter((later) => routes.some((first) => isBehind(later, first)));
    const found = new Set(overlapsOf(edge).covered.map(({ later }) => later.identity));
    assert.deepEqual([...found].sort(), behind.map(({ identity }) => identity).sort(), vector.id);
  }
});

function isBehind(later: RouteGroup, first: RouteGroup): boolean {
  return compareWeights(first.weight, later.weight) > 0 && takesAll(first) && covers(first, later);
}

/** Sets of 4,000 Mappings that would be slow to compare each with each. */
const CROWDED: Record<string, (at: number) => object> = {
  'one path, each with a header of its own': (at) => ({ headers: { 'x-v': String(at) } }),
  'one path, with one header in common': (at) => ({ headers: { 'x-a': '1', [`x-${at}`]: '1' } }),
  'each path within the one before': (at) => ({ prefix: `/${'a'.repeat(at % 1000)}/${at}` }),
  'regular expressions that start alike': (at) => ({ prefix: `/x/[a-z]+/${at}`, prefix_regex: at % 2 === 0 }),
  'each on a glob of its own': (at) => ({ hostname: `*.${at}.com` }),
  'every second on every host': (at) => ({ hostname: at % 2 === 0 ? '*' : `${at}.com`, prefix: `/x/${at}/` }),
};

describe('overlaps of many routes', () => {
  for (const [title, specOf] of Object.entries(CROWDED)) {
    it(title, () => {
      const objects = Array.from({ length: 4000 }, (_, at) => mapping(`t${at % 7}/m${at}`, specOf(at)));
      const { edge } = judgedOf(objects);
      inTime(3_000, () => overlapsOf(edge));
    });
  }
});

describe('long expressions', () => {
  const HOSTILE = {
    nested: `/x/${'('.repeat(100_000)}a${')'.repeat(100_000)}`,
    brackets: `/x/${'['.repeat(200_000)}`,
    alternatives: `/x/${'(a|'.repeat(70_000)}`,
    backslashes: `/x/${'\\'.repeat(200_001)}`,
  };
  for (const [title, prefix] of Object.entries(HOSTILE))
    it(`${title}: the literal text before is read in one pass`, () =>
      inTime(5_000, () => void literalOf(groupOf({ prefix, prefix_regex: true }))));

  const LITERALS: Record<string, string> = {
    '/a/[b|c]d': '/a/',
    '/a/(b|c)': '/a/',
    '/a|/b': '',
    '/a\\|b': '/a',
    '/a((b|c)|d)?e': '/a',
    '/a(b': '',
    '/a)b': '/a',
  };
  for (const [regex, literal] of Object.entries(LITERALS))
    it(`${regex} begins with ${JSON.stringify(literal)}`, () =>
      assert.equal(literalOf(groupOf({ prefix: regex, prefix_regex: true })), literal));
});

function takesAll({ redirect, members }: RouteGroup): boolean {
  return redirect !== undefined || members.some(({ cumulative }) => cumulative >= 100);
}

function groupOf(spec: object): RouteGroup {
  const secret = () => undefined;
  const { groups } = compileEdge({ objects: [mapping('t1/m', spec)], secret, settings: DEFAULT_EDGE_SETTINGS });
  return groups.find(({ internal }) => !internal)!;
}
