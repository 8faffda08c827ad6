import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attach } from './attachment.ts';
import type { Host, RouteGroup } from './model.ts';

function host(hostname: string, selector?: Record<string, string>): Host {
  const nothing = { policy: undefined, context: undefined, insecureAction: 'Redirect' } as const;
  return { name: hostname, namespace: 'n', hostname, selector, ...nothing };
}

function group(value: string, fields: Partial<RouteGroup>): RouteGroup {
  const path = { match: 'prefix', value } as const;
  const bare = { host: null, hostGlob: null, hostRegex: null, labels: {}, internal: false, path };
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
  group('/probe', { internal: true }),
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
