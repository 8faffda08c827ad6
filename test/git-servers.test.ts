// Servers differ: for each thing that one may lack, the way around it.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { call, openTestGit, readAll, readTip } from './git-fixture.ts';
import type { GitCapabilities } from './git-backend.ts';
import { startGitServer, type GitServer } from './git-server.ts';
import type { Repository } from './git-repository.ts';

const FILES = { 'deploy/a.yaml': 'a: 1\n', 'deploy/b.yaml': 'b: 1\n', 'other/c': 'c' };

async function serve(
  lacks: Partial<GitCapabilities>,
): Promise<AsyncDisposable & { server: GitServer; repository: Repository }> {
  const server = await startGitServer({ capabilities: lacks });
  const repository = await server.createRepository('shop');
  await repository.write({ 'deploy/a.yaml': 'a: 0\n' });
  await repository.write(FILES);
  return { server, repository, [Symbol.asyncDispose]: () => server.stop() };
}

const fetchLines = (server: GitServer): string[] =>
  server.requests.filter(({ operation }) => operation === 'fetch').flatMap(({ lines }) => lines);

const SERVERS: [string, Partial<GitCapabilities>][] = [
  ['all there is', {}],
  ['no filter', { filter: false }],
  ['no shallow', { shallow: false }],
  ['neither', { filter: false, shallow: false }],
  ['no object by its id', { anyObject: false }],
  ['nothing but protocol v2', { anyObject: false, filter: false, shallow: false }],
  ['protocol v0 with everything', { protocolV2: false }],
  ['protocol v0 without filter', { protocolV2: false, filter: false }],
  ['protocol v0 without objects by their id', { protocolV2: false, anyObject: false }],
  ['protocol v0 with nothing', { protocolV2: false, anyObject: false, filter: false, shallow: false }],
];

for (const [what, lacks] of SERVERS) {
  suite(`a server with ${what}`, () => {
    test('reads the first commit, the next ones, and a forced one', async () => {
      await using served = await serve(lacks);
      const { repository } = served;
      await using git = await openTestGit();
      assert.deepEqual((await readAll(git, repository, 'deploy')).files, {
        'deploy/a.yaml': 'a: 1\n',
        'deploy/b.yaml': 'b: 1\n',
      });
      for (let version = 2; version < 5; version += 1) {
        await repository.write({ 'deploy/a.yaml': `a: ${version}\n` });
        assert.equal((await readAll(git, repository, 'deploy')).files['deploy/a.yaml'], `a: ${version}\n`);
      }
      await repository.write({ 'deploy/b.yaml': null }, 'forced', { amend: true });
      assert.deepEqual((await readAll(git, repository, 'deploy')).files, { 'deploy/a.yaml': 'a: 4\n' });
    });

    test('another branch, and a commit by its id', async () => {
      await using served = await serve(lacks);
      const { repository } = served;
      await using git = await openTestGit();
      const old = await repository.git('rev-parse', 'HEAD~1');
      await readAll(git, repository, 'deploy');
      await repository.write({ 'deploy/a.yaml': 'a: next\n' }, 'next', { branch: 'next' });
      assert.equal((await readAll(git, repository, 'deploy', { branch: 'next' })).files['deploy/a.yaml'], 'a: next\n');
      assert.deepEqual((await readAll(git, repository, 'deploy', { commit: old })).files, {
        'deploy/a.yaml': 'a: 0\n',
      });
      await assert.rejects(readAll(git, repository, '', { commit: '1'.repeat(40) }), { code: 'RefNotFound' });
    });

    test('is asked only for what it can', async () => {
      await using served = await serve(lacks);
      const { server, repository } = served;
      await using git = await openTestGit();
      await readAll(git, repository, 'deploy');
      const lines = fetchLines(server);
      if (lacks.filter === false) assert.ok(!lines.some((line) => line.startsWith('filter')));
      if (lacks.shallow === false) assert.ok(!lines.some((line) => /^(deepen|shallow)/.test(line)));
    });
  });
}

suite('lacks that only show in an answer', () => {
  test('a server that once refused blobs by their id is not asked again', async () => {
    await using served = await serve({ anyObject: false });
    const { server, repository } = served;
    await using git = await openTestGit();
    await readAll(git, repository, 'deploy');
    server.requests.length = 0;
    await repository.write({ 'deploy/a.yaml': 'a: 2\n' });
    await readAll(git, repository, 'deploy');
    assert.equal(server.requests.filter(({ operation }) => operation === 'fetch').length, 1);
  });

  test('a filter that is announced and then refused', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write(FILES);
    const text = "ERR filter 'blob:none' not supported";
    server.fault = ({ lines }) =>
      lines.includes('filter blob:none')
        ? {
            status: 200,
            headers: { 'content-type': 'application/x-git-upload-pack-result' },
            body: `${(text.length + 4).toString(16).padStart(4, '0')}${text}`,
          }
        : 'pass';
    assert.equal(Object.keys((await readAll(git, repository)).files).length, 3);
  });

  test('a server that changes under a remembered greeting', async () => {
    await using served = await serve({});
    const { server, repository } = served;
    await using git = await openTestGit();
    await readAll(git, repository);
    server.capabilities.protocolV2 = false;
    await repository.write({ 'deploy/a.yaml': 'a: old\n' });
    assert.equal((await readAll(git, repository)).files['deploy/a.yaml'], 'a: old\n');
    server.capabilities.protocolV2 = true;
    await repository.write({ 'deploy/a.yaml': 'a: new\n' });
    const tip = await git.resolve(repository, {}, call());
    assert.equal((await readTip(git, repository, tip)).files['deploy/a.yaml'], 'a: new\n');
  });
});
