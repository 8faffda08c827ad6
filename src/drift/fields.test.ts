import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatPath,
  isWithin,
  ownEntry,
  parsePath,
  stepOf,
  trieItems,
  trieValues,
  unionOf,
  type FieldPath,
} from './fields.ts';
import { childOf } from './lookup.ts';

const field = (name: string) => ({ field: name });

describe('paths as text', () => {
  const CASES: [path: FieldPath, text: string][] = [
    [[field('spec'), field('replicas')], '/spec/replicas'],
    [[field('metadata'), field('labels'), field('a.b/c~d')], '/metadata/labels/a.b~1c~0d'],
    [[field('containers'), { key: { name: 'app' } }, field('image')], '/containers[name=app]/image'],
    [[field('ports'), { key: { port: '53', protocol: 'UDP' } }], '/ports[port=53,protocol=UDP]'],
    [[field('volumeMounts'), { key: { mountPath: '/data/x' } }], '/volumeMounts[mountPath=/data/x]'],
    [[field('names'), { value: 'a&b' }], '/names[=a&b]'],
    [[field('names'), { value: 'a]b,c=d' }], '/names[=a~3b~4c~5d]'],
    [[field('odd[1]')], '/odd~21]'],
    [[field('list'), { index: 3 }], '/list[3]'],
  ];
  for (const [path, text] of CASES) {
    it(text, () => {
      assert.equal(formatPath(path), text);
      assert.deepEqual(parsePath(text), path);
    });
  }

  it('numbers in keys come back as text', () => {
    assert.equal(formatPath([{ field: 'ports' }, { key: { port: 53 } }]), '/ports[port=53]');
  });

  for (const text of ['', 'spec', 'spec/replicas', '/a[', '/a[]', '/a]b[c', '/a[b=c']) {
    it(`${JSON.stringify(text)} is no path`, () => assert.equal(parsePath(text), undefined));
  }

  it('a pointer to an empty name is one', () => assert.deepEqual(parsePath('/'), [field('')]));

  it('a long hostile text is refused quickly', () => assert.equal(parsePath('/a['.repeat(50_000)), undefined));
});

describe('a path among others', () => {
  const CASES: [path: string, tops: string[], is: boolean][] = [
    ['/a/b', ['/a'], true],
    ['/a/b', ['/a/b'], true],
    ['/ab', ['/a'], false],
    ['/a', ['/a/b'], false],
    ['/a[name=x]/b', ['/a'], true],
    ['/a[name=x]/b', ['/a[name=x]'], true],
    ['/a[name=x]/b', ['/a[name=y]', '/c'], false],
    ['/a', [''], true],
    ['/a', [], false],
  ];
  for (const [path, tops, is] of CASES)
    it(`${path} is ${is ? '' : 'not '}one of ${JSON.stringify(tops)} or below`, () =>
      assert.equal(isWithin(parsePath(path)!, new Set(tops)), is));
});

describe('steps of a trie', () => {
  it('reads each kind of key', () => {
    assert.deepEqual(stepOf('f:a:b'), { field: 'a:b' });
    assert.deepEqual(stepOf('k:{"port":80,"protocol":"TCP"}'), { key: { port: 80, protocol: 'TCP' } });
    assert.deepEqual(stepOf(String.raw`v:"a\u0026b"`), { value: 'a&b' });
    assert.deepEqual(stepOf('i:2'), { index: 2 });
    assert.equal(stepOf('.'), undefined);
  });

  for (const key of ['k:{', 'k:', 'k:5', 'k:null', 'k:["a"]', 'v:', 'v:{', '', 'x']) {
    it(`a key that cannot be read covers nothing: ${JSON.stringify(key)}`, () => {
      assert.equal(stepOf(key), undefined);
      assert.deepEqual(trieItems({ [key]: {} }), []);
      assert.deepEqual(trieValues({ [key]: {} }), []);
      assert.equal(childOf({ [key]: {} }, { key: {} }), undefined);
      assert.equal(childOf({ [key]: {} }, { value: '' }), undefined);
    });
  }

  it('joins tries without changing them', () => {
    const [a, b] = [{ 'f:x': { 'f:y': {} } }, { 'f:x': { '.': {}, 'f:z': {} }, 'f:w': {} }];
    assert.deepEqual(unionOf([a, b]), { 'f:x': { 'f:y': {}, '.': {}, 'f:z': {} }, 'f:w': {} });
    assert.deepEqual(a, { 'f:x': { 'f:y': {} } });
  });
});

describe('our entry', () => {
  it('is the Apply entry without a subresource', () => {
    const entry = { manager: 'plumbline', operation: 'Apply' as const };
    const others = [
      { ...entry, operation: 'Update' as const },
      { ...entry, subresource: 'status' },
      { ...entry, manager: 'x' },
    ];
    const object = (managedFields: object[]) => ({
      apiVersion: 'v1',
      kind: 'X',
      metadata: { name: 'x', managedFields },
    });
    assert.equal(ownEntry(object(others), 'plumbline'), undefined);
    assert.equal(ownEntry(object([...others, entry]), 'plumbline'), entry);
  });
});
