import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from './input.ts';
import { watchedBy } from './watched.ts';

const object = (name: string, namespace: string | undefined, labels?: unknown) => ({
  object: {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, ...(namespace !== undefined && { namespace }), ...(labels !== undefined && { labels }) },
  } as never,
  origin: {},
});
const OBJECTS = [
  object('own', 'emissary', { edge: 'public' }),
  object('other', 'shop', { edge: 'public' }),
  object('plain', 'emissary'),
  object('broken', 'shop', { edge: 5 }),
  object('class', undefined, { edge: 'public' }),
];

const CASES: [what: string, settings: Partial<EdgeSettings>, names: string[]][] = [
  ['everything', {}, ['own', 'other', 'plain', 'broken', 'class']],
  ['its own namespace', { singleNamespace: true }, ['own', 'plain']],
  ['what has the labels', { labelSelector: 'edge=public' }, ['own', 'other', 'class']],
  ['both', { singleNamespace: true, labelSelector: 'edge=public' }, ['own']],
];

for (const [what, settings, names] of CASES) {
  test(`Emissary reads ${what}`, () => {
    const watched = watchedBy({ ...DEFAULT_EDGE_SETTINGS, ...settings }, OBJECTS);
    assert.deepEqual(
      watched.map((one) => one.object.metadata.name),
      names,
    );
  });
}
