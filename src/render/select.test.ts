import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TreeFile } from '../git/remote.ts';
import { selectFiles, type Selection } from './select.ts';

const EVERYTHING: Selection = { path: 'apps', include: [], exclude: [] };

function select(paths: (string | TreeFile)[], selection: Partial<Selection> = {}) {
  const files = paths.map((path) => (typeof path === 'string' ? { path, oid: path } : path));
  const { selected, problems, skipped } = selectFiles(files, { ...EVERYTHING, ...selection });
  return {
    selected: selected.map(({ path }) => path),
    problems: problems.map(({ code, file }) => [code, file]),
    skipped,
  };
}

const FILES = ['apps/b.yaml', 'apps/a.yml', 'apps/x/c.json', 'apps/README.md', 'other/d.yaml', 'apps2/e.yaml'];

test('manifests below the path are selected in order', () => {
  const all = ['apps/a.yml', 'apps/b.yaml', 'apps/x/c.json'];
  for (const path of ['apps', 'apps/', './apps', '/apps']) assert.deepEqual(select(FILES, { path }).selected, all);
  assert.equal(select(FILES, { path: '.' }).selected.length, 5);
  assert.equal(select(FILES, { path: '' }).selected.length, 5);
});

test('include narrows, exclude and the ignore file leave out', () => {
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
    const { selected, skipped, problems } = select(FILES, selection);
    assert.deepEqual(problems, []);
    assert.deepEqual(selected, expected, JSON.stringify(selection));
    assert.equal(skipped, 3 - expected.length);
  }
});

test('folders for kustomize and Helm are refused once, by name, with all that they hold', () => {
  const files = [
    'apps/a.yaml',
    'apps/k/kustomization.yaml',
    'apps/k/base/Kustomization',
    'apps/k/base/x.yaml',
    'apps/h/Chart.yaml',
    'apps/h/templates/x.yaml',
  ];
  assert.deepEqual(select(files), {
    selected: ['apps/a.yaml'],
    problems: [
      ['KustomizeNotSupported', 'apps/k/kustomization.yaml'],
      ['HelmNotSupported', 'apps/h/Chart.yaml'],
    ],
    skipped: 2,
  });
  assert.deepEqual(select(files, { exclude: ['k', 'h'] }).problems, []);
  assert.deepEqual(select(files, { include: ['a.yaml'] }).problems, []);
});

test('what cannot be read is a problem unless it is excluded', () => {
  const submodule = { path: 'apps/lib', oid: 's', problem: { code: 'Submodule', message: 'a submodule' } };
  assert.deepEqual(select([submodule]).problems, [['Submodule', 'apps/lib']]);
  assert.deepEqual(select([submodule], { exclude: ['lib'] }).problems, []);
  assert.deepEqual(select([{ ...submodule, path: 'other/lib' }]).problems, []);
});

test('patterns that cost too much are refused, and plain characters stay plain', () => {
  const hostile = ['a'.repeat(300), '*a*a*a*a*b', '**/'.repeat(6), '{a,{b,c}}', '{1..9}', `{${'a,'.repeat(30)}}`];
  for (const pattern of hostile) {
    assert.equal(select(FILES, { exclude: [pattern] }).problems[0]?.[0], 'InvalidPattern', pattern);
    assert.equal(select(FILES, { ignoreFile: pattern }).problems[0]?.[0], 'InvalidPattern', pattern);
  }
  assert.equal(select(FILES, { include: Array<string>(101).fill('a') }).problems.length, 1);
  assert.deepEqual(select(['apps/a+(b).yaml', 'apps/aab.yaml'], { include: ['a+(b).yaml'] }).selected, [
    'apps/a+(b).yaml',
  ]);
});
