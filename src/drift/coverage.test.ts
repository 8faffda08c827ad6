// What the real server writes is in test/drift-shapes.test.ts and test/drift-edits.test.ts; here is what it cannot show on demand.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { differences, isServedAs } from './compare.ts';
import { surplus, uncovered } from './coverage.ts';
import { formatPath } from './fields.ts';
import { rewritten } from './notation.ts';

const object = (fields: object): KubeObject => ({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, ...fields });

const ports: FieldsV1 = {
  'f:ports': {
    'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:port': {} },
    'k:{"port":53,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {} },
  },
};

interface CoverageCase {
  what: string;
  declared: object;
  fields: FieldsV1;
  others?: FieldsV1;
  missing?: string[];
  extra?: string[];
}

const CASES: CoverageCase[] = [
  { what: 'nothing declared', declared: {}, fields: {} },
  { what: 'identity and status are nobody’s', declared: { status: { a: 1 } }, fields: {} },
  { what: 'a whole branch', declared: { spec: { a: { b: 1 } } }, fields: {}, missing: ['/spec'] },
  {
    what: 'labels, where there is no metadata',
    declared: { metadata: { name: 'x', uid: 'u', labels: { a: 'b' } } },
    fields: {},
    missing: ['/metadata/labels'],
  },
  {
    what: 'an empty map counts',
    declared: { spec: { a: {} } },
    fields: { 'f:spec': { 'f:b': {} } },
    missing: ['/spec/a'],
    extra: ['/spec/b'],
  },
  {
    what: 'null counts',
    declared: { spec: { a: null } },
    fields: { 'f:spec': { 'f:b': {} } },
    missing: ['/spec/a'],
    extra: ['/spec/b'],
  },
  { what: 'an empty list does not', declared: { spec: { a: [], b: 1 } }, fields: { 'f:spec': { 'f:b': {} } } },
  { what: 'an atomic node covers what is below', declared: { spec: { a: { b: [1] } } }, fields: { 'f:spec': {} } },
  {
    what: 'a node that was emptied, which other entries tell from an atomic one',
    declared: { spec: { map: { a: 1, b: 2 } } },
    fields: { 'f:spec': { 'f:map': {} } },
    others: { 'f:spec': { 'f:map': { 'f:a': {} } } },
    missing: ['/spec/map/a', '/spec/map/b'],
  },
  {
    what: 'keys with a default, in any order',
    declared: { ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] },
    fields: ports,
  },
  {
    what: 'the complete key goes first',
    declared: { ports: [{ port: 53 }, { port: 53, protocol: 'UDP' }] },
    fields: ports,
  },
  {
    what: 'an item that is lost',
    declared: { ports: [{ port: 53 }, { port: 53, protocol: 'UDP' }, { port: 80 }] },
    fields: ports,
    missing: ['/ports[port=80]'],
  },
  {
    what: 'an item that is not declared',
    declared: { ports: [{ port: 53 }] },
    fields: ports,
    extra: ['/ports[port=53,protocol=UDP]'],
  },
  {
    what: 'a field of an item',
    declared: {
      ports: [
        { port: 53, name: 'x' },
        { port: 53, protocol: 'UDP' },
      ],
    },
    fields: ports,
    missing: ['/ports[port=53,protocol=TCP]/name'],
  },
  {
    what: 'members of a set',
    declared: { set: ['a&b', 2] },
    fields: { 'f:set': { [String.raw`v:"a\u0026b"`]: {}, 'v:3': {} } },
    missing: ['/set[=2]'],
    extra: ['/set[=3]'],
  },
  {
    what: 'a list of which only the list itself is left',
    declared: { spec: { l: [{ name: 'a' }] } },
    fields: { 'f:spec': { 'f:l': { '.': {} } } },
    missing: ['/spec/l'],
  },
  {
    what: 'names like those of the prototype',
    declared: { data: { constructor: 'x' } },
    fields: { 'f:data': { 'f:toString': {} } },
    missing: ['/data/constructor'],
    extra: ['/data/toString'],
  },
];

describe('coverage', () => {
  for (const { what, declared, fields, others, missing = [], extra = [] } of CASES) {
    it(what, () => {
      assert.deepEqual(uncovered(object(declared), fields, others).map(formatPath), missing);
      assert.deepEqual(surplus(object(declared), fields).map(formatPath), extra);
    });
  }
});

describe('values', () => {
  const SERVED: [declared: unknown, live: unknown, served: boolean][] = [
    [1, 1, true],
    ['1', 1, false],
    [null, 'anything', true],
    ['', undefined, true],
    [false, undefined, true],
    [true, undefined, false],
    [[], null, true],
    [[''], undefined, false],
    [{ a: '' }, undefined, true],
    [{ a: 1, b: '' }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [[1, 2], [2, 1], false],
    [[1], { 0: 1 }, false],
    [{}, { a: 1 }, false],
  ];
  for (const [declared, live, served] of SERVED) {
    it(`${JSON.stringify(declared)} served as ${JSON.stringify(live)}: ${served}`, () =>
      assert.equal(isServedAs(declared, live), served));
  }

  it('are compared by key, membership, or whole, as the trie says', () => {
    const declared = object({ ports: [{ port: 53, name: 'a' }], set: ['a', 'b'], atomic: [1, 2], map: { x: 1, y: 2 } });
    const live = object({
      ports: [
        { port: 80, protocol: 'TCP', name: 'n' },
        { port: 53, protocol: 'TCP', name: 'b' },
      ],
      set: ['c', 'b'],
      atomic: [1, 2, 3],
      map: { y: 3, z: 4 },
    });
    const fields: FieldsV1 = {
      'f:ports': { 'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:name': {} } },
      'f:set': { 'v:"a"': {}, 'v:"b"': {} },
      'f:atomic': {},
      'f:map': { 'f:x': {}, 'f:y': {} },
    };
    const found = differences(declared, live, fields).map((one) => [formatPath(one.path), one.declared, one.live]);
    assert.deepEqual(found, [
      ['/ports[port=53,protocol=TCP]/name', 'a', 'b'],
      ['/set[=a]', 'a', undefined],
      ['/atomic', [1, 2], [1, 2, 3]],
      ['/map/x', 1, undefined],
      ['/map/y', 2, 3],
    ]);
  });

  const NOTATION: [declared: unknown, live: unknown, reported: boolean][] = [
    ['1000m', '1', false],
    ['1024Mi', '1Gi', false],
    ['1.5', '1500m', false],
    ['1e3', '1k', false],
    [1, '1', false],
    ['0.1', '100m', false],
    ['1', '2', true],
    ['app:1', 'mirror/app:1', true],
    [{ port: 80 }, { port: 80, protocol: 'TCP' }, false],
    [[{ port: 80 }], [{ port: 80, protocol: 'TCP' }], false],
    [[{ port: 80 }], [{ port: 80 }, { port: 81 }], true],
    [{}, { mode: 'auto' }, false],
    [{ a: 1 }, { a: 2, b: 1 }, true],
    [{ a: '' }, {}, false],
    ['', null, false],
    ['x', undefined, true],
  ];
  for (const [declared, live, reported] of NOTATION) {
    it(`${JSON.stringify(declared)} → ${JSON.stringify(live)} is ${reported ? 'a rewriting' : 'notation'}`, () => {
      assert.equal(rewritten([{ path: [], declared, live }]).length > 0, reported);
    });
  }
});
