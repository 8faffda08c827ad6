import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RenderCache } from './cache.ts';
import type { DeclareSettings } from './declare.ts';
import { render, type RenderInput } from './render.ts';

const SETTINGS: DeclareSettings = { source: { namespace: 'team', name: 'web' }, scopeOf: () => 'Namespaced' };
const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

/** A tree whose blob ids are their contents. */
function repository(files: Record<string, string>) {
  const asked: string[] = [];
  return {
    asked,
    files: Object.entries(files).map(([path, oid]) => ({ path, oid })),
    read: (oids: readonly string[]) => {
      asked.push(...oids);
      return Promise.resolve(new Map(oids.map((oid) => [oid, Buffer.from(oid)])));
    },
  };
}

function run(files: Record<string, string>, cache: RenderCache, more: Partial<RenderInput> = {}) {
  const { asked, ...input } = repository(files);
  const selection = { path: 'apps', include: [], exclude: [] };
  const result = render({
    ...input,
    selection,
    settings: SETTINGS,
    cache,
    signal: new AbortController().signal,
    ...more,
  });
  return result.then((done) => ({ ...done, asked, keys: done.declared.map(({ key }) => key) }));
}

test('a commit costs the files that it changes', async () => {
  const cache = new RenderCache();
  const files = { 'apps/a.yaml': configMap('a'), 'apps/b.yaml': configMap('b'), 'apps/values.yaml': 'x: 1' };
  const first = await run(files, cache);
  assert.deepEqual(first.keys, ['/ConfigMap/team/a', '/ConfigMap/team/b']);
  assert.deepEqual([first.parsedFiles, first.ignored], [3, ['apps/values.yaml']]);

  const same = await run(files, cache);
  assert.deepEqual([same.parsedFiles, same.asked, same.keys], [0, [], first.keys]);

  const { 'apps/a.yaml': _gone, ...rest } = files;
  const changed = await run({ ...rest, 'apps/b.yaml': configMap('c') }, cache);
  assert.deepEqual([changed.parsedFiles, changed.asked, changed.keys], [1, [configMap('c')], ['/ConfigMap/team/c']]);
});

test('other settings of the source void the cache', async () => {
  const cache = new RenderCache();
  await run({ 'apps/a.yaml': configMap('a') }, cache);
  const moved = await run({ 'apps/a.yaml': configMap('a') }, cache, {
    settings: { ...SETTINGS, targetNamespace: 'x' },
  });
  assert.deepEqual(moved.keys, ['/ConfigMap/x/a']);
});

test('a CRD in a later file, and one that goes, move the objects of its kind', async () => {
  const cache = new RenderCache();
  const scopeOf = (_group: string, kind: string) => (kind === 'CustomResourceDefinition' ? 'Cluster' : undefined);
  const settings: DeclareSettings = { ...SETTINGS, scopeOf };
  const foo = { 'apps/a.yaml': 'apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: a}' };
  const crd = {
    'apps/z.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: f}\nspec: {group: x.io, scope: Cluster, names: {kind: Foo}}',
  };
  const both = await run({ ...foo, ...crd }, cache, { settings });
  assert.deepEqual([both.keys[0], both.unknownKinds], ['x.io/Foo//a', []]);
  const alone = await run(foo, cache, { settings });
  assert.deepEqual([alone.keys, alone.unknownKinds], [['x.io/Foo/team/a'], [{ group: 'x.io', kind: 'Foo' }]]);
});

test('every problem of every file is collected', async () => {
  const { problems } = await run(
    { 'apps/a.yaml': 'kind: A', 'apps/b.yaml': 'a: [', 'apps/c.yaml': configMap('x'), 'apps/d.yaml': configMap('x') },
    new RenderCache(),
  );
  assert.deepEqual(
    problems.map(({ code, file }) => [code, file]),
    [
      ['InvalidObject', 'apps/a.yaml'],
      ['InvalidObject', 'apps/a.yaml'],
      ['InvalidYaml', 'apps/b.yaml'],
      ['DuplicateObject', 'apps/d.yaml'],
    ],
  );
});

test('the ignore file is read from the tree, a missing blob is a problem', async () => {
  const files = { 'apps/.plumblineignore': 'b.yaml', 'apps/a.yaml': configMap('a'), 'apps/b.yaml': 'kind: broken' };
  const { keys, problems, skipped } = await run(files, new RenderCache());
  assert.deepEqual([keys, problems, skipped], [['/ConfigMap/team/a'], [], 1]);
  const lost = await run({ 'apps/a.yaml': 'x' }, new RenderCache(), { read: () => Promise.resolve(new Map()) });
  assert.equal(lost.problems[0]?.code, 'UnreadableFile');
  // Of a working copy it is there, and may not be read.
  assert.equal(lost.problems[0]?.message, 'the content of the file cannot be read');
});

test('there is one ignore file: those in folders below are not read', async () => {
  const files = {
    'apps/.plumblineignore': 'b.yaml',
    'apps/x/.plumblineignore': 'c.yaml',
    'apps/x/c.yaml': configMap('c'),
  };
  const { keys, skipped } = await run(files, new RenderCache());
  assert.deepEqual([keys, skipped], [['/ConfigMap/team/c'], 0]);
});

test('an abort stops the work between two files', async () => {
  const stop = new AbortController();
  const { files, read } = repository({ 'apps/a.yaml': configMap('a'), 'apps/b.yaml': configMap('b') });
  const abortingRead: RenderInput['read'] = (oids) => {
    stop.abort(new Error('new commit'));
    return read(oids);
  };
  const selection = { path: 'apps', include: [], exclude: [] };
  const input = {
    files,
    read: abortingRead,
    selection,
    settings: SETTINGS,
    cache: new RenderCache(),
    signal: stop.signal,
  };
  await assert.rejects(render(input), /new commit/);
});

const emptied = (files: Record<string, string>) => Object.fromEntries(Object.keys(files).map((path) => [path, '']));

test('files that are too much together are a problem, now and as long as they stay; the rest is not read', async () => {
  const cache = new RenderCache();
  const files = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`apps/${index}.yaml`, configMap(`a${index}`)]),
  );
  const first = await run(files, cache, { maxBytes: 1000 });
  assert.deepEqual(
    first.problems.map(({ code }) => code),
    ['TooMuch'],
  );
  assert.ok(first.asked.length < 1000, 'it stops reading');
  const again = await run(files, cache, { maxBytes: 1000 });
  assert.equal(again.problems[0]?.code, 'TooMuch');
  assert.ok(again.asked.length <= 256, 'and keeps no more');
  const { problems } = await run({ ...emptied(files), 'apps/0.yaml': configMap('a0') }, cache, { maxBytes: 1000 });
  assert.deepEqual(problems, []);
});

test('so are small files whose objects repeat much by aliases', async () => {
  const cache = new RenderCache();
  const repeating = (name: string) =>
    `${configMap(name)}data:\n  a: &a ${'x'.repeat(1000)}\n  b: [${'*a,'.repeat(100)}]\n`;
  const names = Array.from({ length: 50 }, (_, index) => `a${index}`);
  const files = Object.fromEntries(names.map((name) => [`apps/${name}.yaml`, repeating(name)]));
  const { problems } = await run(files, cache, { maxBytes: 1_000_000 });
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['TooMuch'],
  );
  assert.ok(cache.bytes < 1_200_000, 'and no more is kept');
});
