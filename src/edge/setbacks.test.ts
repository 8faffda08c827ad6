import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import type { EdgeObject } from './input.ts';
import { findingsOf } from './judge.ts';
import { from, host, judgedOf, listener, mapping } from './rules/case.ts';
import { setbacksOf } from './setbacks.ts';

const shop = (object: EdgeObject) => from('shop/app', object);
const blog = (object: EdgeObject) => from('blog/app', object);

function told(objects: readonly EdgeObject[], limit = 20): Record<string, string[]> {
  const judged = judgedOf({ objects: [listener('emissary/http'), host('emissary/a'), ...objects], bare: true });
  const bySource = setbacksOf(judged.edge, findingsOf(judged), limit);
  return Object.fromEntries(
    [...bySource].map(([source, { count, first }]) => [
      source,
      [`${count}`, ...first.map(({ object, state, message }) => `${state} ${object.kind} ${object.name}: ${message}`)],
    ]),
  );
}

const CASES: Record<string, [objects: readonly EdgeObject[], told: Record<string, string[]>]> = {
  'nothing of what is served as declared': [[shop(mapping('shop/m')), blog(mapping('blog/n', { prefix: '/y/' }))], {}],
  'what the compiler leaves out, and for whom': [
    [shop(mapping('shop/m')), shop(mapping('shop/m.twin'))],
    {
      'shop/app': [
        '1',
        'Dropped Mapping m.twin: its name is equal to m up to the first dot, so both are taken for one: Mapping shop/m (source shop/app, m.yaml:1)',
      ],
    },
  ],
  'what nothing leads to': [
    [shop(mapping('shop/m', { hostname: 'b.com' }))],
    { 'shop/app': ['1', 'Unserved Mapping m: no Host serves it'] },
  ],
  'whose requests another route takes': [
    [
      shop(mapping('shop/all', { prefix: '/api/(v1|v2)/.*', prefix_regex: true })),
      blog(mapping('blog/hidden', { prefix: '/api/v1/users' })),
    ],
    {
      'blog/app': [
        '1',
        'Shadowed Mapping hidden: Mapping shop/all (source shop/app, all.yaml:1) takes all of the requests for a.com/api/v1/users',
      ],
    },
  ],
  'who shares a route with others, on both sides': [
    [shop(mapping('shop/m')), blog(mapping('blog/n', { weight: 10 }))],
    {
      'blog/app': [
        '1',
        'Split Mapping n: it gets 10 % of the requests for a.com/x/, others get the rest: Mapping shop/m (source shop/app, m.yaml:1) 90 %',
      ],
      'shop/app': [
        '1',
        'Split Mapping m: it gets 90 % of the requests for a.com/x/, others get the rest: Mapping blog/n (source blog/app, n.yaml:1) 10 %',
      ],
    },
  ],
  'not that one owner shares a route out among his own': [
    [shop(mapping('shop/m')), shop(mapping('shop/n', { weight: 10 }))],
    {},
  ],
  'nor that a canary has its part': [[shop(mapping('shop/m')), mapping('shop/m-canary', { weight: 10 })], {}],
  'nothing of objects that no source declares': [[mapping('shop/m', { hostname: 'b.com' })], {}],
};

describe('setbacks tell', () => {
  for (const [title, [objects, expected]] of Object.entries(CASES)) {
    it(title, () => assert.deepEqual(told(objects), expected));
  }

  it('all of them by number, the first ones by name', () => {
    const many = Array.from({ length: 30 }, (_, at) => shop(mapping(`shop/m${at}`, { hostname: `h${at}.com` })));
    const [count, ...first] = told(many, 2)['shop/app'] ?? [];
    assert.deepEqual([count, first.length], ['30', 2]);
  });

  it('a route that many share in a moment', () => {
    const many = Array.from({ length: 1_000 }, (_, at) => from(`s${at % 500}/app`, mapping(`n${at}/m`)));
    const judged = judgedOf(many);
    const findings = findingsOf(judged);
    const setbacks = inTime(2_000, () => setbacksOf(judged.edge, findings, 20));
    assert.equal(setbacks.size, 500);
  });
});
