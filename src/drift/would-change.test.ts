import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { wouldChange } from './would-change.ts';

const live: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    resourceVersion: '7',
    annotations: { 'a.b/c': 'x' },
    managedFields: [{ manager: 'plumbline' }],
  },
  spec: { ports: [{ port: 80 }, { port: 81 }], type: 'ClusterIP' },
  status: { seen: 1 },
};
const changed = (edit: (object: KubeObject) => void) => {
  const object = structuredClone(live);
  edit(object);
  return object;
};

describe('what an apply would change', () => {
  it('is nothing where only bookkeeping and status differ', () => {
    const answer = changed((object) => {
      object.metadata = { ...object.metadata, resourceVersion: '8', generation: 2, managedFields: [] };
      object['status'] = { seen: 2 };
    });
    assert.deepEqual(wouldChange(live, answer), []);
  });

  it('is told with both values', () => {
    const answer = changed((object) => {
      object['spec'] = { ports: [{ port: 80 }, { port: 90 }], sessionAffinity: 'None' };
      delete object.metadata.annotations;
    });
    const byPath = wouldChange(live, answer).sort((a, b) => (a.path < b.path ? -1 : 1));
    assert.deepEqual(byPath, [
      { path: '/metadata/annotations', declared: undefined, live: { 'a.b/c': 'x' } },
      { path: '/spec/ports/1/port', declared: 90, live: 81 },
      { path: '/spec/sessionAffinity', declared: 'None', live: undefined },
      { path: '/spec/type', declared: undefined, live: 'ClusterIP' },
    ]);
  });

  it('names fields with slashes and leaves its input alone', () => {
    const answer = changed((object) => void (object.metadata.annotations = { 'a.b/c': 'y' }));
    const before = structuredClone(live);
    assert.deepEqual(wouldChange(live, answer), [{ path: '/metadata/annotations/a.b~1c', declared: 'y', live: 'x' }]);
    assert.deepEqual(live, before);
  });

  it('is told where others nested a value very deeply', () => {
    const lists = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) as unknown;
    const before = { ...live, extra: lists };
    const answer = { ...changed((object) => void (object.metadata.annotations = { 'a.b/c': 'y' })), extra: lists };
    assert.deepEqual(wouldChange(before, answer), [{ path: '/metadata/annotations/a.b~1c', declared: 'y', live: 'x' }]);
  });
});
