// Every cap is an error that names it, never a shorter list; and what a hostile repository can hold.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { suite, test } from 'node:test';
import type { GitLimits } from '../src/git/remote.ts';
import { openTestGit, readAll } from './git-fixture.ts';
import type { Repository } from './git-repository.ts';
import { startGitServer } from './git-server.ts';

const noise = (bytes: number): string =>
  Array.from({ length: bytes / 8 }, (_, index) => (index * 2654435761).toString(36).slice(-8)).join('');

suite('limits', () => {
  const files = { 'd/a.yaml': noise(4000), 'd/b.yaml': noise(8000), 'd/e/f/g.yaml': '1', big: noise(400_000) };
  const cases: [keyof GitLimits, number, number, string][] = [
    ['packBytes', 100, 1_000_000, 'd'],
    ['objectCount', 4, 100, 'd'],
    ['fileBytes', 4000, 8000, 'd'],
    ['readBytes', 8000, 12_001, 'd'],
    ['fileCount', 2, 3, 'd'],
    ['treeDepth', 1, 2, 'd'],
  ];
  for (const [limit, tooLow, enough, path] of cases) {
    test(`${limit}: an error below, nothing above, and no stain afterwards`, async () => {
      await using server = await startGitServer();
      const repository = await server.createRepository('shop');
      await repository.write(files);
      await using strict = await openTestGit({ limits: { [limit]: tooLow } });
      const named = new RegExp(limit === 'fileBytes' ? `d/b.yaml.*${limit}` : limit);
      for (let again = 0; again < 2; again += 1) {
        await assert.rejects(readAll(strict, repository, path), { code: 'GitLimitExceeded', message: named });
      }
      await using lax = await openTestGit({ limits: { [limit]: enough } });
      assert.equal(Object.keys((await readAll(lax, repository, path)).files).length, 3);
    });
  }

  test('a large file outside of the path does no harm', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit({ limits: { fileBytes: 10_000, packBytes: 50_000 } });
    const repository = await server.createRepository('shop');
    await repository.write(files);
    assert.equal(Object.keys((await readAll(git, repository, 'd')).files).length, 3);
  });

  test('without a filter the whole commit counts for packBytes', async () => {
    await using server = await startGitServer({ capabilities: { filter: false } });
    await using git = await openTestGit({ limits: { packBytes: 50_000 } });
    const repository = await server.createRepository('shop');
    await repository.write(files);
    await assert.rejects(readAll(git, repository, 'd'), { code: 'GitLimitExceeded', message: /packBytes/ });
  });
});

suite('hostile trees', () => {
  for (const name of ['..', '.git', 'git~1', '.GIT', 'a/b']) {
    test(`an entry ${JSON.stringify(name)} below the path`, async () => {
      await using server = await startGitServer();
      await using git = await openTestGit();
      const repository = await server.createRepository('shop');
      await repository.write({ 'safe/a': '1' });
      commitRawTree(repository, name);
      await assert.rejects(readAll(git, repository, 'evil'), { code: 'HostileTree', message: /evil/ });
      assert.deepEqual((await readAll(git, repository, 'safe')).files, { 'safe/a': '1' });
    });
  }

  test('a tree where a file should be', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ 'safe/a': '1' });
    const tree = await repository.git('rev-parse', 'main:safe');
    commitRawTree(repository, 'x', '100644', tree);
    await assert.rejects(readAll(git, repository, 'evil'), (error: { code?: string }) =>
      ['HostileTree', 'GitProtocolError'].includes(error.code ?? ''),
    );
  });

  test('a ref to something that is no commit', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ 'safe/a': '1' });
    await repository.git('tag', 'folder', 'main:safe');
    await repository.git('push', '-q', 'origin', 'folder');
    await assert.rejects(readAll(git, repository, '', { tag: 'folder' }), { code: 'NotACommit' });
  });
});

/** Adds a folder `evil` that git's own commands would refuse to make, straight on the server. */
function commitRawTree(repository: Repository, name: string, mode = '100644', oid?: string): void {
  const git = (args: string[], input: Buffer | string = ''): string =>
    execFileSync('git', [`--git-dir=${repository.bare}`, ...args], { input, encoding: 'utf8', env: IDENTITY }).trim();
  const hash = (type: string, content: Buffer): string =>
    git(['hash-object', '-t', type, '-w', '--stdin', '--literally'], content);
  const entry = (mode: string, name: string, oid: string): Buffer =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]);
  const evil = hash('tree', entry(mode, name, oid ?? hash('blob', Buffer.from('evil'))));
  const safe = git(['rev-parse', 'main:safe']);
  const root = hash('tree', Buffer.concat([entry('40000', 'evil', evil), entry('40000', 'safe', safe)]));
  git(['update-ref', 'refs/heads/main', git(['commit-tree', root, '-m', 'evil'])]);
}

const IDENTITY = {
  PATH: process.env['PATH'],
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
};
