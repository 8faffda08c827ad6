import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { call, openTestGit, readAll, readTip, type TestGit } from './git-fixture.ts';
import { startGitServer, type GitServer } from './git-server.ts';

let server: GitServer;
before(async () => {
  server = await startGitServer();
});
after(async () => server.stop());

/** The requests since the last look, for one repository. */
function takeRequests(repository: string): string[] {
  const mine = server.requests.filter((request) => request.repository === repository);
  server.requests = server.requests.filter((request) => request.repository !== repository);
  return mine.map(({ operation }) => operation);
}

suite('reading a folder', () => {
  test('refs, commit, files, contents; only what lies below the path is fetched', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('plain');
    await repository.write({ 'other/secret': 'not read' });
    const sha = await repository.write(
      { 'deploy/a.yaml': 'a: 1\n', 'deploy/x/b.yaml': 'b: 1\n' },
      'Two files\n\nBody',
      {
        author: 'Ada <ada@example.org>',
        tag: 'v1.2.0',
      },
    );
    const { tip, tree, files } = await readAll(git, repository, 'deploy');
    assert.deepEqual(tip, { commit: sha, ref: 'refs/heads/main', revision: `main@sha1:${sha}` });
    assert.deepEqual(files, { 'deploy/a.yaml': 'a: 1\n', 'deploy/x/b.yaml': 'b: 1\n' });
    assert.equal(tree.treeId, await repository.git('rev-parse', 'HEAD:deploy'));
    assert.deepEqual(
      [tree.commit.sha, tree.commit.author, tree.commit.subject],
      [sha, 'Ada <ada@example.org>', 'Two files'],
    );
    assert.equal(
      tree.commit.time,
      new Date(await repository.git('log', '-1', '--format=%cI')).toISOString().replace('.000', ''),
    );

    const fetches = server.requests.filter(({ operation }) => operation === 'fetch').map(({ lines }) => lines);
    assert.deepEqual(takeRequests('plain'), ['advertise', 'ls-refs', 'fetch', 'fetch']);
    assert.ok(fetches[0]?.includes('filter blob:none') && fetches[0].includes('deepen 1'));
    const wants = fetches[1]?.filter((line) => line.startsWith('want ')).sort();
    const oids = tree.files.map(({ oid }) => `want ${oid}`).sort();
    assert.deepEqual(wants, oids);
  });

  test('the next commit builds on the last one, and unchanged blobs stay', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('next');
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`deploy/f${index}.yaml`, `n: ${index}\n`]),
    );
    const first = await repository.write(many);
    await readAll(git, repository, 'deploy');
    server.requests.length = 0;
    await repository.write({ 'deploy/f7.yaml': 'n: seven\n' });
    const { files } = await readAll(git, repository, 'deploy');
    assert.equal(files['deploy/f7.yaml'], 'n: seven\n');
    assert.equal(Object.keys(files).length, 200);
    const [, commit, blobs] = server.requests;
    assert.ok(commit?.lines.includes(`have ${first}`));
    assert.equal(blobs?.lines.filter((line) => line.startsWith('want ')).length, 1);
    assert.ok(server.requests.reduce((sum, { responseBytes }) => sum + responseBytes, 0) < 2000);
  });

  test('a history that goes back and forth stays whole', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('back');
    for (let version = 0; version < 6; version += 1) {
      const content = { 'd/a': `${version % 2}`, 'd/b': `${version % 3}`, [`e${version % 2}/c`]: 'c' };
      await repository.write(content, `version ${version}`);
      const { files } = await readAll(git, repository);
      assert.equal(files['d/a'], `${version % 2}`);
      assert.equal(files['d/b'], `${version % 3}`);
    }
  });

  test('what is complete here needs no server: not for the tree, not for the blobs', async () => {
    await using own = await startGitServer();
    await using git = await openTestGit();
    const repository = await own.createRepository('down');
    await repository.write({ 'deploy/a.yaml': 'a: 1\n' });
    const { tip } = await readAll(git, repository, 'deploy');
    await own.stop();
    await assert.rejects(readAll(git, repository), { code: 'ConnectionRefused' });
    assert.deepEqual((await readTip(git, repository, tip, 'deploy')).files, { 'deploy/a.yaml': 'a: 1\n' });
    // Also in the next process.
    await git.close();
    await using next = await openTestGit({ dir: git.dir });
    assert.deepEqual((await readTip(next, repository, tip, 'deploy')).files, { 'deploy/a.yaml': 'a: 1\n' });
  });

  test('the same tree id below the path, whatever else the commit changes', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('same');
    await repository.write({ 'deploy/a.yaml': 'a', 'other/b': '1' });
    const before = await readAll(git, repository, 'deploy');
    await repository.write({ 'other/b': '2' });
    const later = await readAll(git, repository, 'deploy');
    assert.notEqual(later.tip.commit, before.tip.commit);
    assert.equal(later.tree.treeId, before.tree.treeId);
  });

  test('symbolic links within the tree are followed, others named; so are submodules', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('links');
    const symlinks = {
      'deploy/one.yaml': '../base/one.yaml',
      'deploy/all': '../base',
      'deploy/out': '/etc',
      'base/up': '../..',
    };
    await repository.write({ 'base/one.yaml': '1', 'deploy/x': 'x' }, 'links', {
      symlinks,
      submodules: { 'deploy/sub': '1'.repeat(40) },
    });
    assert.deepEqual((await readAll(git, repository, 'deploy')).files, {
      'deploy/all/one.yaml': '1',
      'deploy/all/up': '[SymlinkOutside]',
      'deploy/one.yaml': '1',
      'deploy/out': '[SymlinkOutside]',
      'deploy/sub': '[Submodule]',
      'deploy/x': 'x',
    });
  });

  test('an empty folder cannot be, a missing one is an error', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('paths');
    await repository.write({ 'a/b': '1' });
    for (const path of ['nope', 'a/b', 'a/b/c']) {
      await assert.rejects(readAll(git, repository, path), { code: 'PathNotFound', message: new RegExp(path) });
    }
  });
});

suite('refs', () => {
  test('branch, tag, semver, commit, full name', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('refs');
    const first = await repository.write({ a: '1' }, 'one', { tag: 'v1.0.0' });
    const second = await repository.write({ a: '2' });
    await repository.git('tag', '-a', 'v1.3.0', '-m', 'annotated');
    await repository.git('push', '-q', 'origin', 'v1.3.0', 'HEAD:refs/pull/1/head');
    const third = await repository.write({ a: '3' }, 'three', { branch: 'next' });
    const cases = [
      [{ branch: 'next' }, third, `next@sha1:${third}`, '3'],
      [{ tag: 'v1.0.0' }, first, `v1.0.0@sha1:${first}`, '1'],
      [{ tag: 'v1.3.0' }, second, `v1.3.0@sha1:${second}`, '2'],
      [{ semver: '>=1.0.0' }, second, `v1.3.0@sha1:${second}`, '2'],
      [{ name: 'refs/pull/1/head' }, second, `refs/pull/1/head@sha1:${second}`, '2'],
      [{ commit: first }, first, `sha1:${first}`, '1'],
    ] as const;
    for (const [ref, commit, revision, content] of cases) {
      const { tip, files } = await readAll(git, repository, '', ref);
      assert.deepEqual([tip.commit, tip.revision, files['a']], [commit, revision, content]);
    }
  });

  test('a hundred sources of one repository cost one question, whatever ref each wants', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('hundred');
    for (let branch = 0; branch < 5; branch += 1)
      await repository.write({ a: `${branch}` }, 'x', { branch: `b${branch}` });
    const ask = async (maxAgeMs: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          git.resolve(repository, { branch: `b${index % 5}` }, call({ maxAgeMs })),
        ),
      );
    await ask(0);
    assert.deepEqual(takeRequests('hundred'), ['advertise', 'ls-refs']);
    await ask(0);
    assert.deepEqual(takeRequests('hundred'), ['ls-refs']);
    await ask(60_000);
    assert.deepEqual(takeRequests('hundred'), []);
  });

  test('an answer that was asked for before a push is not taken for one after it', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('late');
    await repository.write({ a: '1' });
    await git.resolve(repository, {}, call());
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    server.fault = async ({ repository: name, operation }) => {
      if (name !== 'late' || operation !== 'ls-refs') return 'pass' as const;
      arrived.resolve();
      await held.promise;
      return 'pass' as const;
    };
    const early = git.resolve(repository, {}, call());
    await arrived.promise;
    const sha = await repository.write({ a: '2' });
    const late = git.resolve(repository, {}, call());
    server.requests.length = 0;
    held.resolve();
    await early;
    delete server.fault;
    assert.equal((await late).commit, sha);
  });

  test('sources with other credentials share nothing', async () => {
    await using own = await startGitServer({ auth: { username: 'ada', password: 'one' } });
    await using git = await openTestGit();
    const repository = await own.createRepository('private');
    await repository.write({ a: '1' });
    const remote = { url: repository.url, auth: { username: 'ada', password: 'one' } };
    const { tip } = await readAll(git, remote);
    const intruder = { url: repository.url, auth: { username: 'ada', password: 'two' } };
    await assert.rejects(git.tree(intruder, tip, '', call()), { code: 'AuthenticationFailed' });
  });
});

suite('one mirror, many readers', () => {
  test('twenty at once fetch a commit once, and their blobs together', async () => {
    await using git: TestGit = await openTestGit();
    const repository = await server.createRepository('many');
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`team${index}/a.yaml`, `n: ${index}\n`]),
    );
    await repository.write(files);
    const tip = await git.resolve(repository, {}, call());
    takeRequests('many');
    const readings = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => readTip(git, repository, tip, `team${index}`)),
    );
    assert.deepEqual(Object.assign({}, ...readings.map((reading) => reading.files)), files);
    // How many ask before the first answer is there is up to the clock; alone each would make a request.
    const requests = takeRequests('many').length;
    assert.ok(requests < 11, `${requests} requests for 20 readers`);
  });
});
