import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RenderCache } from './cache.ts';
import type { DeclareSettings } from './declare.ts';
import type { Declared } from './declared.ts';
import { keptFiles, restoreFiles } from './kept.ts';
import { allOf, render } from './render.ts';

const FILES = {
  'apps/many.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {__proto__: x}}
data: {big: "9007199254740993", text: "line\\nline ✓"}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: b
  annotations: {plumbline.dev/prune: disabled, plumbline.dev/ssa: Merge}
`,
  'apps/crd.yaml': `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Widget}}
`,
  'apps/widget.yaml': `apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: 9007199254740993}
`,
  'apps/values.yaml': 'x: 1\n',
};
const KNOWN: Record<string, 'Namespaced' | 'Cluster'> = {
  ConfigMap: 'Namespaced',
  CustomResourceDefinition: 'Cluster',
};
const SETTINGS: DeclareSettings = {
  source: { namespace: 'team', name: 'web' },
  scopeOf: (_group, kind) => KNOWN[kind],
};
const { signal } = new AbortController();

async function rendered() {
  const cache = new RenderCache();
  const input = {
    files: Object.entries(FILES).map(([path, oid]) => ({ path, oid })),
    read: (oids: readonly string[]) => Promise.resolve(new Map(oids.map((oid) => [oid, Buffer.from(oid)]))),
    selection: { path: 'apps', include: [], exclude: [] },
    settings: SETTINGS,
    signal,
  };
  return {
    cache,
    result: await render({ ...input, cache }),
    again: (other: RenderCache) => render({ ...input, cache: other }),
  };
}

async function restored(cache: RenderCache): Promise<RenderCache> {
  const other = new RenderCache();
  other.use(SETTINGS);
  await restoreFiles([...keptFiles(cache)], other, signal);
  return other;
}

const textOf = ({ body }: Declared) => body.text;

test('what is kept comes back as it was rendered', async () => {
  const { cache, result } = await rendered();
  const back = await restored(cache);
  assert.deepEqual(result.problems, []);
  assert.equal(result.declared.length, 4);
  const declared = sorted(allOf(back, SETTINGS.scopeOf)!.declared);
  assert.deepEqual(declared, sorted(result.declared));
  assert.deepEqual(declared.map(textOf), sorted(result.declared).map(textOf));
  assert.deepEqual(new Map(back.entries()), new Map(cache.entries()));
  assert.equal(back.bytes, cache.bytes);
});

test('what is kept is what the cache held when it was asked, whenever the lines are read', async () => {
  const { cache } = await rendered();
  const lines = keptFiles(cache);
  const before = [...cache.entries()].length;
  cache.keepOnly(new Set());
  assert.equal([...lines].length, before);
});

test('a render goes on from it: only what changed is read', async () => {
  const { cache, result, again } = await rendered();
  const next = await again(await restored(cache));
  assert.equal(next.parsedFiles, 0);
  assert.deepEqual([next.declared, next.ignored, next.problems], [result.declared, ['apps/values.yaml'], []]);
  assert.deepEqual(next.declared.map(textOf), result.declared.map(textOf));
});

test('it is not taken when a kind is placed otherwise now', async () => {
  const { cache } = await rendered();
  const back = await restored(cache);
  assert.equal(
    allOf(back, (group, kind) => (kind === 'ConfigMap' ? 'Cluster' : SETTINGS.scopeOf(group, kind))),
    undefined,
  );
  assert.equal(
    allOf(back, (group, kind) => (kind === 'Widget' ? 'Namespaced' : SETTINGS.scopeOf(group, kind))),
    undefined,
  );
});

function sorted<T extends { key: string }>(objects: readonly T[]): T[] {
  return [...objects].sort((a, b) => (a.key < b.key ? -1 : 1));
}
