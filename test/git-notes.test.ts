// Notes beside a mirror: whole or not there, for the same remote only, bounded, and gone with the mirror.
import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DiskRoom } from '../src/git/disk-room.ts';
import { Notes } from '../src/git/notes.ts';
import type { Git, Remote } from '../src/git/remote.ts';
import { call, incompressible, openTestGit, readAll, type TestGit } from './git-fixture.ts';
import { startGitServer } from './git-server.ts';

const REMOTE: Remote = { url: 'https://git.example/shop' };
const LINES = ['first', '', 'ünï ✓', 'x'.repeat(500)];

const recall = async (git: Git, name: string, remote = REMOTE) => {
  const lines = await git.recall(remote, name, call());
  return lines && [...lines];
};

async function noteFile({ dir }: TestGit, name: string): Promise<string> {
  const files = await readdir(dir, { recursive: true });
  return join(dir, files.find((file) => file.endsWith(name)) ?? 'missing');
}

test('what was remembered is recalled; another remote has notes of its own', async () => {
  await using git = await openTestGit();
  assert.equal(await recall(git, 'a'), undefined);
  await git.remember(REMOTE, 'a', ['older'], call());
  await git.remember(REMOTE, 'a', LINES, call());
  assert.deepEqual(await recall(git, 'a'), LINES);
  assert.equal(await recall(git, 'a', { ...REMOTE, auth: { bearerToken: 't' } }), undefined);
  assert.equal((await stat(await noteFile(git, 'a'))).mode & 0o777, 0o600);
  await git.remember(REMOTE, 'b', [], call());
  assert.deepEqual(await recall(git, 'b'), []);
});

const damages: [string, (file: string) => Promise<void>][] = [
  ['cut short', (file) => truncate(file, 100)],
  ['empty', (file) => truncate(file, 0)],
  ['gone', (file) => rm(file)],
  ['changed', async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('first', 'worst'))],
];
for (const [what, damage] of damages) {
  test(`a note that is ${what} is none`, async () => {
    await using git = await openTestGit();
    await git.remember(REMOTE, 'a', LINES, call());
    await damage(await noteFile(git, 'a'));
    assert.equal(await recall(git, 'a'), undefined);
    await git.remember(REMOTE, 'a', ['again'], call());
    assert.deepEqual(await recall(git, 'a'), ['again']);
  });
}

test('two writers of one note: the later one, whole', async () => {
  await using git = await openTestGit();
  const texts = ['a', 'b', 'c'].map((letter) => Array.from({ length: 500 }, () => letter.repeat(1000)));
  await Promise.all(texts.map((lines) => git.remember(REMOTE, 'a', lines, call())));
  assert.deepEqual(await recall(git, 'a'), texts[2]);
});

test('a mirror keeps its notes from process to process; when it is removed they go with it', async () => {
  await using server = await startGitServer();
  await using git = await openTestGit();
  const [one, two] = [await server.createRepository('one'), await server.createRepository('two')];
  await one.write({ a: incompressible(8000) });
  await two.write({ a: incompressible(8000) });
  await readAll(git, one);
  await git.remember(one, 'a', LINES, call());
  await git.close();
  await using next = await openTestGit({ dir: git.dir });
  await readAll(next, one);
  assert.deepEqual(await recall(next, 'a', one), LINES);
  await next.close();
  await using small = await openTestGit({ dir: git.dir, diskBytes: 12_000 });
  await readAll(small, two);
  await small.close();
  await using last = await openTestGit({ dir: git.dir });
  assert.equal(await recall(last, 'a', one), undefined);
});

const ROOMY = new DiskRoom(1_000_000, async () => 0);

test('the oldest go when they are too much, after a restart too; halves of a crash go at once', async () => {
  await using scratch = await openTestGit();
  const dir = join(scratch.dir, 'notes');
  const { signal } = new AbortController();
  const notes = new Notes(dir, ROOMY, 5000);
  for (const name of ['a', 'b', 'c']) await notes.write(name, ['x'.repeat(1500)], signal);
  await notes.write('a', ['y'.repeat(1500)], signal);
  assert.deepEqual((await readdir(dir)).sort(), ['a', 'b', 'c']);
  await writeFile(join(dir, 'd.new'), 'half');
  const later = new Notes(dir, ROOMY, 5000);
  await later.write('e', ['x'.repeat(1500)], signal);
  assert.deepEqual((await readdir(dir)).sort(), ['a', 'c', 'e']);
  assert.ok((await later.size()) <= 5000);
});

test('one for which there is no room leaves nothing behind', async () => {
  await using scratch = await openTestGit();
  const dir = join(scratch.dir, 'notes');
  const notes = new Notes(dir, ROOMY);
  const lines = Array.from({ length: 2_000 }, () => 'x'.repeat(1_000));
  await assert.rejects(notes.write('a', lines, new AbortController().signal), { code: 'GitLimitExceeded' });
  assert.deepEqual(await readdir(dir), []);
});
