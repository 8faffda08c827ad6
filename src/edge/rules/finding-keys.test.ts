// What counts as new: a key is the same for the same trouble, and another one for trouble of somebody else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Guard } from '../guard.ts';
import type { EdgeObject } from '../input.ts';
import { ask, host, mapping, object } from './case.ts';
import { RULES } from './table.ts';

const guard: Partial<Guard> = {
  grants: [{ holder: 'team shop', namespaces: new Set(['shop']), hosts: ['a.com', 'b.com'], prefixes: [], kinds: [] }],
};
const AUTH = ['n1', 'n2', 'n3'].map((name) => object('AuthService', `${name}/auth`, { auth_service: `auth.${name}` }));
const MODULES = ['n1', 'n2', 'n3'].map((name) => object('Module', `${name}/ambassador`, { config: {} }));
const HOSTS = ['n1', 'n2', 'n3'].map((name) => host(`${name}/${name}`));

const SAME: [rule: string, title: string, before: readonly EdgeObject[], after: readonly EdgeObject[]][] = [
  ['EM081', 'one of three goes', AUTH, AUTH.slice(1)],
  ['EM084', 'the Module that holds goes', MODULES, MODULES.slice(1)],
  ['EM072', 'the first claimant goes', HOSTS, HOSTS.slice(1)],
];

const OTHER: typeof SAME = [
  ['EM100', 'another path is claimed', [mapping('t1/m')], [mapping('t1/m', { prefix: '/y/' })]],
  ['EM100', 'another host is claimed', [mapping('t1/m')], [mapping('t1/m', { hostname: 'b.com' })]],
  [
    'EM072',
    'another hostname is claimed twice',
    [host('n1/h1'), host('n2/h2', { hostname: 'b.com' }), host('n3/h3')],
    [host('n1/h1'), host('n2/h2', { hostname: 'b.com' }), host('n3/h3', { hostname: 'b.com' })],
  ],
  [
    'EM045',
    'another service that cannot be read',
    [mapping('t1/m', { service: 'a:b' })],
    [mapping('t1/m', { service: 'c:b' })],
  ],
];

function keysOf(id: string, objects: readonly EdgeObject[]): string[] {
  const rule = RULES.find((row) => row.id === id);
  assert.ok(rule);
  return ask(rule, { objects, guard }).map(({ key }) => key);
}

describe('the key of a finding', () => {
  for (const [rule, title, before, after] of SAME) {
    it(`${rule} is no new one when ${title}`, () => {
      const known = new Set(keysOf(rule, before));
      const left = keysOf(rule, after);
      assert.ok(left.length > 0);
      assert.deepEqual(
        left.filter((key) => !known.has(key)),
        [],
      );
    });
  }

  for (const [rule, title, before, after] of OTHER) {
    it(`${rule} is a new one when ${title}`, () => {
      const known = new Set(keysOf(rule, before));
      assert.ok(known.size > 0);
      assert.ok(keysOf(rule, after).some((key) => !known.has(key)));
    });
  }
});
