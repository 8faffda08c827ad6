import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driftGuardSpec } from '../api/drift-guard.ts';
import { Ledger } from './ledger.ts';
import { sharesOf, type Wish } from './shares.ts';

type Object = Wish['objects'][number];

const deployment = (name: string, namespace = 'shop', isScaled = false): Object => ({
  group: 'apps',
  plural: 'deployments',
  namespace,
  name,
  isScaled,
});
const role = (name: string): Object => ({
  group: 'rbac.authorization.k8s.io',
  plural: 'clusterroles',
  namespace: '',
  name,
  isScaled: false,
});
const by = { account: 'system:serviceaccount:team:plumbline', git: 'https://git.example.com/a.git, branch main' };
const shares = (objects: Object[], more: object = {}) =>
  sharesOf({ source: 'team/app', by: { ...by, ...more }, objects }, 'home');

test('a guard says by kind and name whose an object is, and which have replicas', () => {
  const ledger = new Ledger();
  const changed = ledger.put('team/app', shares([deployment('web', 'shop', true), deployment('api'), role('My:Role')]));
  assert.deepEqual(changed.sort(), ['home', 'shop']);
  assert.deepEqual(ledger.specOf('shop'), {
    sources: { 'team/app': by },
    objects: { 'apps/deployments': { web: 'team/app', api: 'team/app' } },
    scaled: { 'apps/deployments': { web: 'team/app' } },
  });
  assert.deepEqual(ledger.specOf('home')?.objects, {
    'rbac.authorization.k8s.io/clusterroles': { 'My:Role': 'team/app' },
  });
});

test('only the namespaces in which something changed are named', () => {
  const ledger = new Ledger();
  ledger.put('team/app', shares([deployment('web'), deployment('api'), deployment('web', 'other')]));
  assert.deepEqual(
    ledger.put('team/app', shares([deployment('api'), deployment('web'), deployment('web', 'other')])),
    [],
  );
  assert.deepEqual(ledger.put('team/app', shares([deployment('api'), deployment('web', 'other')])), ['shop']);
  assert.deepEqual(ledger.put('team/app', shares([deployment('api')])), ['other']);
  assert.equal(ledger.specOf('other'), undefined);
  assert.deepEqual(ledger.put('team/app', shares([deployment('api')], { managers: ['image-*'] })), ['shop']);
  assert.deepEqual(ledger.put('team/app', new Map()), ['shop']);
  assert.deepEqual([ledger.isEmpty, ledger.sources(), ledger.namespacesOf('team/app')], [true, [], []]);
});

test('another account is known wherever the source holds something, and nothing else changes', () => {
  const ledger = new Ledger();
  ledger.put('team/app', shares([deployment('web'), deployment('web', 'other')]));
  const before = ledger.specOf('shop')!;
  assert.deepEqual(ledger.rename('team/app', 'somebody').sort(), ['other', 'shop']);
  assert.deepEqual(ledger.specOf('shop'), { ...before, sources: { 'team/app': { ...by, account: 'somebody' } } });
  assert.deepEqual(ledger.rename('team/app', 'somebody'), []);
  assert.deepEqual(ledger.rename('team/unknown', 'somebody'), []);
});

test('of two sources that name one object the later one has it', () => {
  const ledger = new Ledger();
  ledger.put('team/a', shares([deployment('web'), deployment('a')]));
  ledger.put('team/b', shares([deployment('web')]));
  assert.deepEqual(ledger.specOf('shop')?.objects, { 'apps/deployments': { web: 'team/b', a: 'team/a' } });
  assert.deepEqual(ledger.sourcesIn('shop'), ['team/a', 'team/b']);
  ledger.put('team/b', new Map());
  assert.deepEqual(ledger.specOf('shop')?.objects, { 'apps/deployments': { web: 'team/a', a: 'team/a' } });
});

test('what one process wrote another takes up as it is, whatever the names', () => {
  const ledger = new Ledger();
  ledger.put('team/a', shares([deployment('web', 'home', true), role('__proto__'), role('constructor')]));
  ledger.put('team/b', shares([deployment('api', 'home')], { managers: ['x'] }));
  const told = JSON.stringify(ledger.specOf('home'));
  assert.match(told, /"__proto__":"team\/a","constructor":"team\/a"/);
  const stored: unknown = JSON.parse(told);
  const next = new Ledger();
  next.adopt('home', driftGuardSpec.parse(stored));
  assert.deepEqual(next.sources(), ['team/a', 'team/b']);
  assert.deepEqual(next.namespacesOf('team/a'), ['home']);
  assert.deepEqual(next.put('team/b', shares([deployment('api', 'home')], { managers: ['x'] })), []);
});
