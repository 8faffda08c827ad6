import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { ignoredFields } from './beside.ts';

const object = (spec: object): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec });
const whole = object({ data: { a: '1', b: '2' }, set: ['x', 'y'], items: [{ name: 'app', image: 'a' }] });

const CASES: [what: string, paths: string[], live: object, told: [path: string, declared: unknown][]][] = [
  ['nothing, where nothing differs', ['/spec/data/a'], whole['spec'] as object, []],
  [
    'a field with another value',
    ['/spec/data/a'],
    { ...(whole['spec'] as object), data: { a: '9', b: '2' } },
    [['/spec/data/a', '1']],
  ],
  [
    'a field that is gone',
    ['/spec/data/a'],
    { ...(whole['spec'] as object), data: { b: '2' } },
    [['/spec/data/a', '1']],
  ],
  [
    'a field that went with its map',
    ['/spec/data/a'],
    { ...(whole['spec'] as object), data: undefined },
    [['/spec/data/a', '1']],
  ],
  [
    'members that went with their set',
    ['/spec/set/*'],
    { ...(whole['spec'] as object), set: [] },
    [
      ['/spec/set[=x]', 'x'],
      ['/spec/set[=y]', 'y'],
    ],
  ],
  [
    'a field of an item that went with its list',
    ['/spec/items[name=app]/image'],
    { ...(whole['spec'] as object), items: null },
    [['/spec/items[0]/image', 'a']],
  ],
];

describe('what is told of fields that are left to others', () => {
  for (const [what, paths, live, told] of CASES)
    it(what, () => {
      const found = ignoredFields(whole, object(live), { paths, surrendered: [] });
      assert.deepEqual(
        found.map(({ path, declared }) => [path, declared]),
        told,
      );
    });
});
