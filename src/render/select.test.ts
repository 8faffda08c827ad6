import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TreeFile } from '../git/remote.ts';
import { selectFiles, type Selection } from './select.ts';

const EVERYTHING: Selection = { path: 'apps', include: [], exclude: [] };

async function select(paths: (string | TreeFile)[], selection: Partial<Selection> = {}) {
  const files = paths.map((path) => (typeof path === 'string' ? { path, oid: path } : path));
  const { selected, problems, skipped } = await selectFiles(
    files,
    { ...EVERYTHING, ...selection },
    new AbortController().signal,
  );
  return {
    selected: selected.map(({ path }) => path),
    problems: problems.map(({ code, file }) => [code, file]),
    skipped,
  };
}

const FILES = ['apps/b.yaml', 'apps/a.yml', 'apps/x/c.json', 'apps/README.md', 'other/d.yaml', 'apps2/e.yaml'];

test('manifests below the path are selected in order', async () => {
  const all = ['apps/a.yml', 'apps/b.yaml', 'apps/x/c.json'];
  for (const path of ['apps', 'apps/', './apps', '/apps'])
    assert.deepEqual((await select(FILES, { path })).selected, all);
  assert.equal((await select(FILES, { path: '.' })).selected.length, 5);
  assert.equal((await select(FILES, { path: '' })).selected.length, 5);
});

test('include narrows, exclude and the ignore file leave out', async () => {
  const cases: [Partial<Selection>, string[]][] = [
    [{ include: ['x'] }, ['apps/x/c.json']],
    [{ include: ['*.yaml'] }, ['apps/b.yaml']],
    [{ include: ['**/*.{yaml,json}'] }, ['apps/b.yaml', 'apps/x/c.json']],
    [{ exclude: ['x/'] }, ['apps/a.yml', 'apps/b.yaml']],
    [{ exclude: ['*.yml', '**/*.json'] }, ['apps/b.yaml']],
    [{ ignoreFile: '# comment\n*.yml\n/x/\n' }, ['apps/b.yaml']],
    [{ ignoreFile: '*\n!b.yaml\n' }, ['apps/b.yaml']],
  ];
  for (const [selection, expected] of cases) {
    const { selected, skipped, problems } = await select(FILES, selection);
    assert.deepEqual(problems, []);
    assert.deepEqual(selected, expected, JSON.stringify(selection));
    assert.equal(skipped, 3 - expected.length);
  }
});

test('folders for kustomize and Helm are refused once, by name, with all that they hold', async () => {
  const files = [
    'apps/a.yaml',
    'apps/k/kustomization.yaml',
    'apps/k/base/Kustomization',
    'apps/k/base/x.yaml',
    'apps/h/Chart.yaml',
    'apps/h/templates/x.yaml',
  ];
  assert.deepEqual(await select(files), {
    selected: ['apps/a.yaml'],
    problems: [
      ['KustomizeNotSupported', 'apps/k/kustomization.yaml'],
      ['HelmNotSupported', 'apps/h/Chart.yaml'],
    ],
    skipped: 2,
  });
  assert.deepEqual((await select(files, { exclude: ['k', 'h'] })).problems, []);
  assert.deepEqual((await select(files, { include: ['a.yaml'] })).problems, []);
});

test('what cannot be read is a problem unless it is excluded', async () => {
  const submodule = { path: 'apps/lib', oid: 's', problem: { code: 'Submodule', message: 'a submodule' } };
  assert.deepEqual((await select([submodule])).problems, [['Submodule', 'apps/lib']]);
  assert.deepEqual((await select([submodule], { exclude: ['lib'] })).problems, []);
  assert.deepEqual((await select([{ ...submodule, path: 'other/lib' }])).problems, []);
});

test('patterns that cannot be read or are too many are refused by name, and plain characters stay plain', async () => {
  const unreadable = ['a'.repeat(300), 'a[b', 'a\\', '[[:x:]]'];
  for (const pattern of unreadable) {
    assert.equal((await select(FILES, { exclude: [pattern] })).problems[0]?.[0], 'InvalidPattern', pattern);
    assert.equal((await select(FILES, { ignoreFile: pattern })).problems[0]?.[0], 'InvalidPattern', pattern);
  }
  for (const pattern of ['{1..9}', '{a,b}'.repeat(7), `{${'a,'.repeat(100)}}`])
    assert.equal((await select(FILES, { exclude: [pattern] })).problems[0]?.[0], 'InvalidPattern', pattern);
  assert.equal((await select(FILES, { include: Array<string>(101).fill('a') })).problems.length, 1);
  assert.deepEqual((await select(['apps/a+(b).yaml', 'apps/aab.yaml'], { include: ['a+(b).yaml'] })).selected, [
    'apps/a+(b).yaml',
  ]);
});

test('no pattern keeps the process busy, whatever the names are', async () => {
  const long = `apps/${`${'a'.repeat(250)}/`.repeat(60)}`;
  const files = Array.from({ length: 200 }, (_, index) => `${long}${index}.yaml`);
  const hostile = [
    '**/*a*a*a/**/*a*a*a/**/*a*a*ab',
    `${'*a'.repeat(100)}b`,
    '**/*a*a*ab/'.repeat(20),
    '**/?*?*?*[!b]*?*b/**/*.yaml',
  ];
  for (const pattern of hostile) {
    assert.equal((await select(files, { include: [pattern] })).selected.length, 0, pattern);
    assert.equal((await select(files, { ignoreFile: `${pattern}\n` })).selected.length, 200, pattern);
  }
  const many = Array.from({ length: 1000 }, (_, index) => `**/*a*a*a*a*a*a${index}`).join('\n');
  const names = Array.from({ length: 200 }, (_, index) => `apps/${`${index}-${'a'.repeat(240)}/`.repeat(60)}x.yaml`);
  assert.deepEqual((await select(names, { ignoreFile: many })).problems, [['InvalidPattern', 'apps']]);
});
