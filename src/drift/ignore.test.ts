import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldsV1, Identity, KubeObject } from '../kube/object.ts';
import { formatPath } from './fields.ts';
import { leavesOutside, pick } from './handover.ts';
import { ignoredFor, withoutPaths, type IgnoreRule } from './ignore.ts';

const object = (fields: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'x', namespace: 'n' },
  ...fields,
});

describe('an object without its ignored fields', () => {
  const declared = {
    spec: {
      replicas: 2,
      '': 'empty name',
      'a/b': { 'c~d': 1 },
      containers: [
        { name: 'app', image: 'a', ports: [{ port: 53 }, { port: 53, protocol: 'UDP' }] },
        { name: 'side', image: 's' },
      ],
      set: ['x', 'y'],
      '*': 'a field of this name, because this is no list',
    },
  };
  const CASES: [pointer: string, at: string[], left: unknown][] = [
    ['/spec/replicas', ['spec', 'replicas'], undefined],
    ['/spec/a~1b/c~0d', ['spec', 'a/b'], {}],
    ['/spec/', ['spec', ''], undefined],
    ['/spec/containers/1/image', ['spec', 'containers', '1'], { name: 'side' }],
    ['/spec/containers/1', ['spec', 'containers', '1'], undefined],
    ['/spec/containers[name=side]/image', ['spec', 'containers', '1'], { name: 'side' }],
    ['/spec/containers[name=app]/ports[port=53,protocol=UDP]', ['spec', 'containers', '0', 'ports'], [{ port: 53 }]],
    ['/spec/set[=x]', ['spec', 'set'], ['y']],
    ['/spec/containers/*/image', ['spec', 'containers', '1'], { name: 'side' }],
    ['/spec/containers[*]/ports[*]/protocol', ['spec', 'containers', '0', 'ports'], [{ port: 53 }, { port: 53 }]],
    ['/spec/containers/*', ['spec', 'containers'], []],
    ['/spec/set/*', ['spec', 'set'], []],
    ['/spec/*', ['spec', '*'], undefined],
    ['/spec', ['spec'], undefined],
  ];
  for (const [pointer, at, left] of CASES) {
    it(pointer, () => {
      const input = object(structuredClone(declared));
      const result = withoutPaths(input, [pointer]);
      const found = at.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], result);
      assert.deepEqual(found, left);
      assert.deepEqual(input, object(declared), 'the input is not touched');
    });
  }

  const NOTHING = [
    '/spec/absent',
    '/spec/containers/9',
    '/spec/containers/-',
    '/spec/containers[name=zz]',
    '/spec/replicas/x',
    '/kind',
    '/metadata',
    '/metadata/name',
    'spec',
    '',
    '/__proto__/x',
    '/constructor',
  ];
  for (const pointer of NOTHING) {
    it(`${JSON.stringify(pointer)} takes nothing away`, () =>
      assert.deepEqual(withoutPaths(object(declared), [pointer]), object(declared)));
  }

  it('takes several', () => {
    assert.deepEqual(withoutPaths(object({ a: 1, b: 2, c: 3 }), ['/a', '/b']), object({ c: 3 }));
  });
});

describe('what is handed over', () => {
  const fields: FieldsV1 = {
    'f:spec': {
      'f:replicas': {},
      'f:selector': {},
      'f:set': { 'v:"x"': {}, 'v:"y"': {}, [String.raw`v:"a\u0026b"`]: {} },
      'f:ports': {
        'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} },
        'k:{"port":53,"protocol":"UDP"}': { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:name': {} },
      },
    },
  };
  const declared = object({
    spec: {
      replicas: 2,
      selector: { app: 'x', tier: 'y' },
      set: ['x', 'y', 'a&b'],
      ports: [
        { port: 53, name: 'tcp' },
        { port: 53, protocol: 'UDP', name: 'udp' },
      ],
      lost: 1,
    },
  });
  const CASES: [what: string, pointers: string[], spec: unknown][] = [
    ['a field', ['/spec/replicas'], { replicas: 2 }],
    ['part of an atomic map: all of it', ['/spec/selector/app'], { selector: { app: 'x', tier: 'y' } }],
    ['a member of a set', ['/spec/set[=y]'], { set: ['y'] }],
    [
      'a field of an item, with the complete key',
      ['/spec/ports/0/name'],
      { ports: [{ port: 53, protocol: 'TCP', name: 'tcp' }] },
    ],
    [
      'fields of two items',
      ['/spec/ports/0/name', '/spec/ports[protocol=UDP]/name'],
      {
        ports: [
          { port: 53, protocol: 'TCP', name: 'tcp' },
          { port: 53, protocol: 'UDP', name: 'udp' },
        ],
      },
    ],
    [
      'a field of every item',
      ['/spec/ports/*/name'],
      {
        ports: [
          { port: 53, protocol: 'TCP', name: 'tcp' },
          { port: 53, protocol: 'UDP', name: 'udp' },
        ],
      },
    ],
    ['every member of a set', ['/spec/set/*'], { set: ['x', 'y', 'a&b'] }],
    [
      'an item that is no more than its key',
      ['/spec/ports[protocol=UDP]/port'],
      { ports: [{ port: 53, protocol: 'UDP' }] },
    ],
    ['what is still ours', ['/spec/lost', '/spec/replicas'], { replicas: 2 }],
  ];
  for (const [what, pointers, spec] of CASES) {
    it(what, () => assert.deepEqual(pick(declared, pointers, fields), object({ spec })));
  }

  it('has the live values of what the paths mean in Git, in whatever order the live items are', () => {
    const ports = [
      { port: 53, protocol: 'UDP', name: 'udp' },
      { port: 53, protocol: 'TCP', name: 'live' },
    ];
    const live = object({ spec: { replicas: 3, ports } });
    assert.deepEqual(
      pick(declared, ['/spec/ports/0/name', '/spec/replicas'], fields, live),
      object({ spec: { replicas: 3, ports: [{ port: 53, protocol: 'TCP', name: 'live' }] } }),
    );
  });

  it('is nothing when nothing is ours or there', () => {
    assert.equal(pick(declared, ['/spec/lost', '/spec/absent', '/metadata/name', 'x'], fields), undefined);
    assert.equal(pick(declared, ['/spec/replicas'], {}), undefined);
  });
});

describe('what one entry holds and another does not', () => {
  const CASES: [what: string, fields: FieldsV1, others: FieldsV1, paths: string[]][] = [
    ['a field', { 'f:a': {}, 'f:b': {} }, { 'f:b': {} }, ['/a']],
    ['an atomic node, which both hold', { 'f:a': {} }, { 'f:a': {} }, []],
    ['a map that the other one declares empty', { 'f:data': { 'f:a': {} } }, { 'f:data': {} }, ['/data/a']],
    ['a map that is empty here', { 'f:data': {} }, { 'f:data': { 'f:a': {} } }, []],
  ];
  for (const [what, fields, others, paths] of CASES) {
    it(what, () => assert.deepEqual(leavesOutside(fields, others).map(formatPath), paths));
  }
});

describe('rules', () => {
  const identity: Identity = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web-1' };
  const CASES: [target: IgnoreRule['target'], applies: boolean][] = [
    [undefined, true],
    [{}, true],
    [{ kind: 'Deployment' }, true],
    [{ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web-*' }, true],
    [{ kind: 'Service' }, false],
    [{ group: '' }, false],
    [{ name: 'web' }, false],
    [{ name: 'w.b-1' }, false],
    [{ namespace: 's*' }, true],
    [{ labelSelector: {} }, true],
    [{ labelSelector: { matchLabels: { app: 'web' } } }, true],
    [{ labelSelector: { matchLabels: { app: 'web', tier: 'x' } } }, false],
    [{ labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['api', 'web'] }] } }, true],
    [{ labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['api'] }] } }, false],
    [{ labelSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['x'] }] } }, false],
    [{ labelSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] } }, false],
    [{ labelSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['x'] }] } }, true],
    [{ labelSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } }, true],
    [{ labelSelector: { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] } }, false],
    [{ labelSelector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] } }, true],
    [
      {
        labelSelector: {
          matchLabels: { app: 'web' },
          matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }],
        },
      },
      false,
    ],
  ];
  for (const [target, applies] of CASES) {
    it(`${JSON.stringify(target)}: ${applies}`, () => {
      const rules = [{ paths: ['/spec/replicas'], ...(target && { target }) }];
      assert.deepEqual(ignoredFor(identity, { app: 'web' }, rules).paths, applies ? ['/spec/replicas'] : []);
    });
  }

  it('name each path once', () => {
    const rules = [{ paths: ['/a', '/b'] }, { paths: ['/b', '/c'] }];
    assert.deepEqual(ignoredFor(identity, {}, rules), { paths: ['/a', '/b', '/c'], concessions: [] });
  });

  it('with managers give nothing up: they say who may take it', () => {
    const rules = [{ paths: ['/a'], managers: ['x-*'] }, { paths: ['/b'] }];
    const concessions = [{ managers: ['x-*'], paths: ['/a'] }];
    assert.deepEqual(ignoredFor(identity, {}, rules), { paths: ['/b'], concessions });
  });
});
