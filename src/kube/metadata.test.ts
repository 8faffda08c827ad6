import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeSound } from './metadata.ts';
import type { FieldsV1, KubeObject } from './object.ts';

function made(metadata: object): unknown {
  const object: unknown = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', ...metadata } };
  return makeSound(object as KubeObject).metadata;
}

const ENTRY = { manager: 'plumbline', operation: 'Apply', fieldsV1: { 'f:data': { '.': {}, 'f:a': {} } } };

function deep(levels: number): FieldsV1 {
  let trie: FieldsV1 = {};
  for (let level = 0; level < levels; level += 1) trie = { 'f:x': trie };
  return trie;
}

describe('metadata as it came over the wire', () => {
  it('stays as it is when it is what an API server writes', () => {
    const metadata = {
      name: 'a',
      uid: 'u',
      labels: { a: 'b' },
      annotations: {},
      finalizers: ['x'],
      ownerReferences: [{ kind: 'A' }],
      managedFields: [
        ENTRY,
        { manager: 'other', fieldsV1: { 'k:{"a":1}': {}, 'v:5': {}, 'i:0': {} } },
        { manager: 'm' },
      ],
    };
    assert.deepEqual(made(structuredClone(metadata)), metadata);
  });

  const bad: [string, unknown][] = [
    ['a text in the place of a node', { ...ENTRY, fieldsV1: { 'f:data': 'all' } }],
    ['a list in the place of a node', { ...ENTRY, fieldsV1: { 'f:data': [{}] } }],
    ['null in the place of the trie', { ...ENTRY, fieldsV1: null }],
    ['a key of no sort', { ...ENTRY, fieldsV1: { data: {} } }],
    ['a key that would be a prototype', JSON.parse('{"manager":"m","fieldsV1":{"__proto__":{"f:x":{}}}}')],
    ['a manager that is no text', { ...ENTRY, manager: 5 }],
    ['null', null],
    ['a text', 'plumbline'],
  ];
  for (const [title, entry] of bad) {
    it(`loses an entry of managedFields that is bad, and no other: ${title}`, () => {
      assert.deepEqual(made({ managedFields: [entry, ENTRY] }), { name: 'a', managedFields: [ENTRY] });
    });
  }

  it('keeps of a trie that is nested too deeply what lies above', () => {
    const entry = (levels: number) => ({ ...ENTRY, fieldsV1: { ...deep(levels), 'f:y': {} } });
    assert.deepEqual(made({ managedFields: [entry(20_000)] }), { name: 'a', managedFields: [entry(500)] });
  });

  for (const [name, value] of Object.entries({
    labels: { a: 5 },
    annotations: ['x'],
    finalizers: [null],
    ownerReferences: ['x'],
    managedFields: 'none',
  })) {
    it(`loses ${name} of another form`, () => assert.deepEqual(made({ [name]: value }), { name: 'a' }));
  }
});
