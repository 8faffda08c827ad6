// The disk that all repositories share: none of them takes it from the others, and what fails leaves nothing behind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { call, incompressible, openTestGit, readAll } from './git-fixture.ts';
import type { Repository } from './git-repository.ts';
import { startGitServer, type GitRequest, type GitServer } from './git-server.ts';
import { writePacket } from './git-wire.ts';
import { until } from './until.ts';

async function bytesBelow(dir: string): Promise<number> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

/** Everything in the repository, as its server would send it. */
function packOf({ bare }: Repository): Buffer {
  const pack = execFileSync('git', [`--git-dir=${bare}`, 'pack-objects', '--all', '--stdout', '-q'], { input: '' });
  const packets = [];
  for (let at = 0; at < pack.length; at += 60_000)
    packets.push(writePacket(Buffer.concat([Buffer.of(1), pack.subarray(at, at + 60_000)])));
  return Buffer.concat([writePacket('packfile\n'), ...packets, writePacket(0)]);
}

async function hangs(server: GitServer, operation: GitRequest['operation']): Promise<void> {
  const isHanging = () => server.requests.at(-1)?.operation === operation && server.requests.at(-1)?.status === 0;
  await until(isHanging, { what: `${operation} hangs` });
}

suite('disk', () => {
  test('a repository that needs more than there is ends its own fetch, and leaves nothing', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit({ diskBytes: 200_000 });
    const [large, small] = [await server.createRepository('large'), await server.createRepository('small')];
    await large.write({ a: incompressible(300_000) });
    await small.write({ a: incompressible(100_000) });
    for (let again = 0; again < 3; again += 1) {
      await assert.rejects(readAll(git, large), { code: 'GitLimitExceeded', message: /diskBytes/ });
      await readAll(git, small);
      assert.ok((await bytesBelow(git.dir)) < 150_000);
    }
  });

  test('one that sits on half a pack makes room for another', async () => {
    await using slow = await startGitServer();
    await using sound = await startGitServer();
    await using git = await openTestGit({ diskBytes: 300_000 });
    const [large, small] = [await slow.createRepository('large'), await sound.createRepository('small')];
    await large.write({ a: incompressible(380_000) });
    await small.write({ a: incompressible(200_000) });
    const tip = await git.resolve(large, {}, call());
    const { files } = await git.tree(large, tip, '', call());
    slow.fault = ({ operation }) => (operation === 'fetch' ? { stallAfterBytes: 280_000 } : 'pass');
    const reading = git.read(
      large,
      tip,
      files.map(({ oid }) => oid),
      call({ timeoutMs: 120_000 }),
    );
    const ended = assert.rejects(reading, { code: 'GitLimitExceeded', message: /diskBytes/ });
    await until(async () => (await bytesBelow(git.dir)) > 200_000, { what: 'most of the pack is there' });
    await readAll(git, small);
    await ended;
    delete slow.fault;
    // Who has let go is read again, at the cost of what nobody uses.
    await readAll(git, large);
  });

  test('one whose server does not answer the poll keeps no room', async () => {
    await using slow = await startGitServer();
    await using sound = await startGitServer();
    await using git = await openTestGit({ diskBytes: 300_000 });
    const [large, small] = [await slow.createRepository('large'), await sound.createRepository('small')];
    await large.write({ a: incompressible(300_000) });
    await small.write({ a: incompressible(200_000) });
    await readAll(git, large);
    slow.fault = () => 'hang';
    const leave = new AbortController();
    const asking = assert.rejects(git.resolve(large, {}, call({ signal: leave.signal, timeoutMs: 120_000 })));
    await hangs(slow, 'ls-refs');
    await readAll(git, small);
    leave.abort();
    await asking;
  });

  test('nor does one whose server lets the next commit wait, after a while', async () => {
    await using slow = await startGitServer();
    await using sound = await startGitServer();
    let seconds = 0;
    await using git = await openTestGit({ diskBytes: 300_000, now: () => seconds * 1000 });
    const [large, small] = [await slow.createRepository('large'), await sound.createRepository('small')];
    await large.write({ a: incompressible(300_000) });
    await small.write({ a: incompressible(200_000) });
    await readAll(git, large);
    await large.write({ b: 'more' });
    const tip = await git.resolve(large, {}, call());
    slow.fault = () => 'hang';
    const ended = assert.rejects(git.tree(large, tip, '', call({ timeoutMs: 120_000 })), {
      code: 'GitLimitExceeded',
      message: /diskBytes/,
    });
    await hangs(slow, 'fetch');
    await assert.rejects(readAll(git, small), { code: 'GitLimitExceeded' }, 'it may be about to come');
    seconds = 20;
    await readAll(git, small);
    await ended;
    delete slow.fault;
    await readAll(git, large);
  });

  test('a mirror that is in use outlives a restart, however long ago the last commit was', async () => {
    await using server = await startGitServer();
    const shop = await server.createRepository('shop');
    await shop.write({ a: '1' });
    let hours = 0;
    await using git = await openTestGit({ now: () => hours * 3_600_000 });
    const { tip } = await readAll(git, shop);
    const restarted = async () => {
      await using next = await openTestGit({ dir: git.dir });
      return next.holds(shop, tip, call());
    };
    const twoDaysAgo = new Date(Date.now() - 48 * 3_600_000);
    const [mirror = ''] = await readdir(git.dir);
    await utimes(join(git.dir, mirror, 'state.json'), twoDaysAgo, twoDaysAgo);
    hours += 48;
    await git.resolve(shop, {}, call());
    await git.close();
    assert.equal(await restarted(), true);
    await utimes(join(git.dir, mirror, 'state.json'), twoDaysAgo, twoDaysAgo);
    assert.equal(await restarted(), false, 'nobody has used it for two days');
  });

  test('repositories that were not there are forgotten: an edit of a URL costs nothing for ever', async () => {
    await using server = await startGitServer();
    let minutes = 0;
    await using git = await openTestGit({ now: () => minutes * 60_000 });
    const shop = await server.createRepository('shop');
    await shop.write({ a: '1' });
    const { tip } = await readAll(git, shop);
    for (const name of ['a', 'b', 'c']) await git.holds({ url: `${server.url}/${name}.git` }, tip, call());
    assert.equal((await readdir(git.dir)).length, 4);
    minutes = 10;
    await git.resolve(shop, {}, call());
    await git.holds(shop, tip, call());
    await until(async () => (await readdir(git.dir)).length === 1, { what: 'only what holds something is there' });
    assert.deepEqual((await readAll(git, shop)).files, { a: '1' });
    await assert.rejects(readAll(git, { url: `${server.url}/a.git` }), { code: 'RepositoryNotFound' });
  });

  test('packs without what was asked for do not pile up', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const [shop, other] = [await server.createRepository('shop'), await server.createRepository('other')];
    await shop.write({ a: '1' });
    await readAll(git, shop);
    await other.write({ a: incompressible(100_000) });
    await shop.write({ a: '2' });
    const body = packOf(other);
    const headers = { 'content-type': 'application/x-git-upload-pack-result' };
    server.fault = ({ operation }) => (operation === 'fetch' ? { status: 200, headers, body } : 'pass');
    for (let again = 0; again < 5; again += 1) {
      await assert.rejects(readAll(git, shop), { code: 'GitProtocolError' });
      assert.ok((await bytesBelow(git.dir)) < 100_000, `after ${again + 1} attempts`);
    }
    delete server.fault;
    assert.deepEqual((await readAll(git, shop)).files, { a: '2' });
  });
});
