// A file in the syntax of .gitignore leaves out what git would leave out: each case is put to git itself.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, it } from 'node:test';
import { Effort } from '../src/render/glob.ts';
import { IgnoreFile, linesOf, readRule } from '../src/render/ignore-file.ts';
import { Random } from './random.ts';

const PATHS = [
  'a',
  'b',
  'ab',
  'a/a',
  'a/b',
  'a/ab',
  'b/a',
  'b/a/b',
  'b/b/a/b',
  'c/d/e/f',
  'x.yaml',
  'c/x.yaml',
  'c/d/x.yml',
  '#a',
  '!a',
  'a b',
  'a ',
  'a*',
  '[a]',
  '.a',
  'c/.a',
  '\\a',
]
  // A name is a file or a folder.
  .map((path) =>
    path
      .split('/')
      .map((name, index, all) => (index < all.length - 1 ? `${name}-dir` : name))
      .join('/'),
  );

const CASES = [
  '*',
  '*\n!a',
  '*\n!a/',
  'a',
  'a/',
  '/a',
  'a-dir',
  'a-dir/',
  '/a-dir/',
  'a-dir/*',
  'a-dir/**',
  '**',
  '**/',
  '/**',
  '**/a',
  'b-dir/**/b',
  '**/a-dir/b',
  'a-dir/\n!a-dir/b',
  'a-dir/*\n!a-dir/b',
  '*.yaml',
  '/*.yaml',
  '*.y?ml',
  '\\#a',
  '#a',
  '\\!a',
  '!a',
  '!!a',
  'a b',
  'a\\ ',
  'a ',
  'a  ',
  'a\t',
  ' a',
  'a\\*',
  'a*',
  '[ab]',
  '[!a]',
  '[^a]',
  '\\[a\\]',
  '[[]a]',
  '[[:alpha:]]',
  '[a-c]-dir',
  '?',
  '??',
  '.*',
  '.a',
  '**.yaml',
  'c-dir**',
  'c-dir/**x.yaml',
  '*/x.yaml',
  '*/*/*',
  '/*/a',
  '/*\n!/c-dir\n/c-dir/*\n!/c-dir/x.yaml',
  'a\r\nb\r',
  '\uFEFFa',
  '/',
  '//',
  'a//b',
  '\\a',
  '\\\\a',
  'a-dir\\/b',
  '',
  '\n\n',
  'x',
  '*[a]',
  '*-dir/',
  '!*\n*',
  '**/b-dir/**',
  '**/b-dir/*',
  'b-dir/**/**/b',
  '***',
  'b-dir/***/b',
  '/a-dir/**/b',
  'a-*/a?',
  '[]a]',
  '[]-a]',
  '[a-]',
  '[!]a]',
  '[a\\]]',
  '[\\a]',
];

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'plumbline-ignore-'));
  execFileSync('git', ['init', '-q', dir]);
  for (const path of PATHS) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), '');
  }
});
after(() => rmSync(dir, { recursive: true, force: true }));

function ignoredByGit(text: string): string[] {
  writeFileSync(join(dir, '.gitignore'), text);
  const { stdout } = spawnSync('git', ['-C', dir, 'check-ignore', '--no-index', '-z', '--stdin'], {
    input: PATHS.join('\0'),
  });
  const found = new Set(stdout.toString().split('\0'));
  return PATHS.filter((path) => found.has(path));
}

function ignoredByUs(text: string): string[] {
  const file = new IgnoreFile(linesOf(text).map(readRule));
  return PATHS.filter((path) => file.leavesOut(path, new Effort(1_000_000)));
}

for (const text of CASES)
  it(`as git: ${JSON.stringify(text)}`, () => assert.deepEqual(ignoredByUs(text), ignoredByGit(text)));

it('as git: five hundred random files', () => {
  const random = new Random(1);
  const pieces = ['a', 'b', 'ab', 'a-dir', 'b-dir', 'c-dir', '*', '?', '[ab]', '[!a]', '*.yaml', 'x.*', '.'];
  // Two stars beside other characters of a name mean something else to git after text that stands for itself.
  const name = () =>
    random.chance(0.15) ? '**' : random.pick(pieces) + (random.chance(0.2) ? random.pick(['a', 'b', '?', '.']) : '');
  const maybe = (text: string, probability: number) => (random.chance(probability) ? text : '');
  const line = () => {
    const names = Array.from({ length: 1 + random.below(4) }, name).join('/');
    return maybe('!', 0.2) + maybe('/', 0.3) + names + maybe('/', 0.2) + maybe(' ', 0.1);
  };
  for (let count = 0; count < 500; count += 1) {
    const text = Array.from({ length: 1 + random.below(4) }, line).join('\n');
    assert.deepEqual(ignoredByUs(text), ignoredByGit(text), JSON.stringify(text));
  }
});
