// What goes wrong between us and a server: each its own code, a message without any credential, and nothing lasting.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, test } from 'node:test';
import { PlumblineError, TerminalError } from '../src/errors.ts';
import { GIT_ERRORS } from '../src/git/errors.ts';
import type { Remote } from '../src/git/remote.ts';
import { call, openTestGit, readAll, readTip } from './git-fixture.ts';
import type { Repository } from './git-repository.ts';
import { startGitServer, type GitFault, type GitServer } from './git-server.ts';

const PASSWORD = 'hunter2-correct-horse';

/** The error of a first reading, checked for what holds for every error. */
async function failureOf(remote: Remote, path = ''): Promise<PlumblineError> {
  await using git = await openTestGit();
  const error = await readAll(git, remote, path).then(
    () => assert.fail('it was read'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof PlumblineError, String(error));
  assert.ok(error.code in GIT_ERRORS, error.code);
  assert.doesNotMatch(JSON.stringify([error.message, error]), new RegExp(PASSWORD));
  return error;
}

suite('access', () => {
  test('wrong password, no password, right password, bearer token', async () => {
    await using server = await startGitServer({ auth: { username: 'ada', password: PASSWORD } });
    const { url, write } = await repositoryOf(server);
    await write({ a: '1' });
    const wrong = await failureOf({ url, auth: { username: 'ada', password: `${PASSWORD}x` } });
    assert.deepEqual([wrong.code, /refuses the credentials/.test(wrong.message)], ['AuthenticationFailed', true]);
    const none = await failureOf({ url });
    assert.deepEqual([none.code, /none are configured/.test(none.message)], ['AuthenticationFailed', true]);
    await using git = await openTestGit();
    assert.deepEqual((await readAll(git, { url, auth: { username: 'ada', password: PASSWORD } })).files, { a: '1' });
    server.auth = { bearerToken: PASSWORD };
    assert.deepEqual((await readAll(git, { url, auth: { bearerToken: PASSWORD } })).files, { a: '1' });
  });

  test('TLS: the authority from the Secret is enough, without it nothing is trusted', async () => {
    await using server = await startGitServer({ tls: true });
    const { url, write } = await repositoryOf(server);
    await write({ a: '1' });
    await using git = await openTestGit();
    assert.deepEqual((await readAll(git, { url, ca: server.ca ?? '' })).files, { a: '1' });
    const { code, message } = await failureOf({ url });
    assert.equal(code, 'TlsError');
    assert.match(message, /does not trust who signed its certificate.*ca\.crt/);
  });

  test('an unknown host, a closed port, an unknown repository, no Git server at all', async () => {
    await using server = await startGitServer();
    await server.createRepository('shop');
    const closed = await startGitServer();
    await closed.stop();
    assert.equal((await failureOf({ url: 'https://plumbline.invalid/shop' })).code, 'HostNotFound');
    assert.equal((await failureOf({ url: `${closed.url}/shop.git` })).code, 'ConnectionRefused');
    assert.equal((await failureOf({ url: `${server.url}/nope.git` })).code, 'RepositoryNotFound');
    server.fault = () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' });
    const page = await failureOf({ url: `${server.url}/shop.git` });
    assert.equal(page.code, 'GitProtocolError');
    assert.doesNotMatch(page.message, /Welcome/);
  });

  const statuses: [number, string][] = [
    [400, 'GitProtocolError'],
    [403, 'AuthenticationFailed'],
    [410, 'RepositoryNotFound'],
    [429, 'GitUnreachable'],
    [500, 'GitUnreachable'],
    [503, 'GitUnreachable'],
  ];
  for (const [status, code] of statuses) {
    test(`HTTP ${status} is ${code}`, async () => {
      await using server = await startGitServer();
      const { url, write } = await repositoryOf(server);
      await write({ a: '1' });
      server.fault = () => ({ status, body: PASSWORD });
      assert.equal((await failureOf({ url })).code, code);
    });
  }

  test('nothing is sent for what only an edit can cure', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const { url } = await repositoryOf(server);
    const tip = { commit: '1'.repeat(40), revision: '' };
    const terminal = (code: string) => (error: unknown) => error instanceof TerminalError && error.code === code;
    await assert.rejects(git.resolve({ url: `https://x:${PASSWORD}@h/` }, {}, call()), terminal('InvalidURL'));
    await assert.rejects(git.resolve({ url }, { branch: '--x' }, call()), terminal('InvalidRef'));
    await assert.rejects(git.tree({ url }, tip, '../x', call()), terminal('InvalidPath'));
    assert.deepEqual(server.requests, []);
  });
});

suite('refs', () => {
  test('an empty repository, a missing branch, a deleted branch', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    assert.equal((await failureOf(repository)).code, 'EmptyRepository');
    await repository.write({ a: '1' }, 'x', { branch: 'next' });
    const missing = await failureOf(repository);
    assert.deepEqual([missing.code, /branch main/.test(missing.message)], ['RefNotFound', true]);
    await readAll(git, repository, '', { branch: 'next' });
    await repository.write({ a: '1' }, 'x', { branch: 'main' });
    await repository.git('push', '-q', 'origin', ':next');
    await assert.rejects(readAll(git, repository, '', { branch: 'next' }), { code: 'RefNotFound' });
  });

  for (const protocolV2 of [true, false]) {
    test(`a forced push and a clean-up before the tree is fetched (v2: ${protocolV2})`, async () => {
      await using server = await startGitServer({ capabilities: { protocolV2 } });
      await using git = await openTestGit();
      const repository = await server.createRepository('shop');
      await repository.write({ a: '1' });
      const tip = await git.resolve(repository, {}, call());
      await repository.write({ a: '2' }, 'forced', { amend: true });
      await collectGarbage(repository);
      await assert.rejects(git.tree(repository, tip, '', call()), { code: 'GitRefMoved' });
      assert.deepEqual((await readAll(git, repository)).files, { a: '2' });
    });

    test(`and between tree and blobs (v2: ${protocolV2})`, async () => {
      await using server = await startGitServer({ capabilities: { protocolV2 } });
      await using git = await openTestGit();
      const repository = await server.createRepository('shop');
      await repository.write({ a: '1' });
      const tip = await git.resolve(repository, {}, call());
      const tree = await git.tree(repository, tip, '', call());
      await repository.write({ a: '2' }, 'forced', { amend: true });
      await collectGarbage(repository);
      const oids = tree.files.map(({ oid }) => oid);
      // v0 without any way to ask for blobs has brought them already.
      await assert.rejects(git.read(repository, tip, oids, call()), { code: 'GitRefMoved' });
      assert.deepEqual((await readAll(git, repository)).files, { a: '2' });
    });
  }
});

suite('servers that lie or break off', () => {
  const lies: [string, GitFault, RegExp][] = [
    ['a pack with a wrong byte', 'corrupt', /^GitProtocolError$/],
    ['an answer cut within the pack', { truncateAfterBytes: 150 }, /^GitUnreachable$/],
    ['an answer cut within its first packet', { truncateAfterBytes: 2 }, /^GitUnreachable$/],
    ['a reset', 'reset', /^GitUnreachable$/],
    ['an empty answer', answer(''), /^GitProtocolError$/],
    ['no packets', answer('hello, this is not Git'), /^GitProtocolError$/],
    ['a flush and nothing else', answer('0000'), /^GitProtocolError$/],
    ['a pack of nothing', answer('000dpackfile\n0000'), /^GitProtocolError$/],
    ['a pack that is none', answer('000dpackfile\n0009\u0001PACK0000'), /^GitProtocolError$/],
    ['an error in the band', answer('000dpackfile\n000a\u0003fatal0000'), /^GitProtocolError$/],
    [
      'a gzip that is none',
      { status: 200, headers: { ...RESULT(), 'content-encoding': 'gzip' }, body: 'x' },
      /^GitProtocolError$/,
    ],
  ];
  for (const [what, fault, code] of lies) {
    test(`${what}, and afterwards all is well`, async () => {
      await using server = await startGitServer();
      await using git = await openTestGit();
      const repository = await server.createRepository('shop');
      await repository.write({ a: '1'.repeat(500), b: '2' });
      server.fault = ({ operation }) => (operation === 'fetch' ? fault : 'pass');
      const error = await readAll(git, repository).catch((error: unknown) => error);
      assert.match((error as PlumblineError).code, code);
      delete server.fault;
      assert.equal(Object.keys((await readAll(git, repository)).files).length, 2);
    });
  }

  test('a refs answer that is cut off is never a shorter list', async () => {
    await using server = await startGitServer();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    server.fault = ({ operation }) => (operation === 'ls-refs' ? answer('') : 'pass');
    assert.equal((await failureOf(repository)).code, 'GitProtocolError');
  });

  test('a commit whose objects are not in the pack', async () => {
    await using server = await startGitServer();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    // An empty pack, sealed as it should be.
    const pack = Buffer.from('5041434b0000000200000000029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex');
    const body = Buffer.concat([Buffer.from('000dpackfile\n0025\u0001'), pack, Buffer.from('0000')]);
    server.fault = ({ operation }) => (operation === 'fetch' ? { status: 200, headers: RESULT(), body } : 'pass');
    assert.equal((await failureOf(repository)).code, 'GitProtocolError');
  });
});

suite('redirects', () => {
  test('on the same host the question follows the greeting', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const { url, write } = await repositoryOf(server);
    await write({ a: '1' });
    server.fault = ({ repository }) =>
      repository === 'old'
        ? { status: 302, headers: { location: `${url}/info/refs?service=git-upload-pack` } }
        : 'pass';
    assert.deepEqual((await readAll(git, { url: `${server.url}/old.git` })).files, { a: '1' });
    assert.equal(server.requests.filter(({ repository }) => repository === 'old').length, 1);
  });

  test('when the place that it led to is gone, the address of the source says where the repository is now', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const [before, now] = [await server.createRepository('before'), await server.createRepository('now')];
    await before.write({ a: '1' });
    await now.write({ a: '2' });
    const leadTo = ({ url }: Repository) => ({
      status: 302,
      headers: { location: `${url}/info/refs?service=git-upload-pack` },
    });
    const remote = { url: `${server.url}/shop.git` };
    server.fault = ({ repository }) => (repository === 'shop' ? leadTo(before) : 'pass');
    assert.deepEqual((await readAll(git, remote)).files, { a: '1' });
    server.fault = ({ repository }) => {
      if (repository === 'before') return { status: 404 };
      return repository === 'shop' ? leadTo(now) : 'pass';
    };
    assert.deepEqual((await readAll(git, remote)).files, { a: '2' });
  });

  test('another host is refused, and never sees the credentials', async () => {
    await using server = await startGitServer({ auth: { username: 'ada', password: PASSWORD } });
    await using other = await startGitServer();
    const { url } = await repositoryOf(server);
    server.fault = () => ({
      status: 301,
      headers: { location: `${other.url}/shop.git/info/refs?service=git-upload-pack` },
    });
    const error = await failureOf({ url, auth: { username: 'ada', password: PASSWORD } });
    assert.equal(error.code, 'RedirectRefused');
    assert.deepEqual(other.requests, []);
  });

  test('a circle ends', async () => {
    await using server = await startGitServer();
    const { url } = await repositoryOf(server);
    server.fault = () => ({ status: 302, headers: { location: '/shop.git/info/refs?service=git-upload-pack' } });
    assert.equal((await failureOf({ url })).code, 'RedirectRefused');
  });
});

suite('time', () => {
  for (const operation of ['advertise', 'ls-refs', 'fetch'] as const) {
    test(`a server that hangs in ${operation} ends with GitTimeout, and holds nobody else up`, async () => {
      await using hung = await startGitServer();
      await using sound = await startGitServer();
      await using git = await openTestGit();
      const [bad, good] = [await hung.createRepository('bad'), await sound.createRepository('good')];
      await bad.write({ a: '1' });
      await good.write({ a: '2' });
      const arrived = Promise.withResolvers<void>();
      hung.fault = (request) => {
        if (request.operation !== operation) return 'pass';
        arrived.resolve();
        return 'hang';
      };
      const tip = { commit: await bad.git('rev-parse', 'main'), ref: 'refs/heads/main', revision: '' };
      const waiting = new AbortController();
      const ask = async (options: { signal?: AbortSignal; timeoutMs: number }): Promise<unknown> =>
        operation === 'fetch' ? git.tree(bad, tip, '', call(options)) : git.resolve(bad, {}, call(options));
      const reading = ask({ timeoutMs: 60_000, signal: waiting.signal });
      await arrived.promise;
      assert.deepEqual((await readAll(git, good)).files, { a: '2' });
      waiting.abort(new Error('no longer wanted'));
      await assert.rejects(reading, /no longer wanted/);
      await assert.rejects(ask({ timeoutMs: 300 }), { code: 'GitTimeout' });
    });
  }

  test('a server that falls silent within the pack', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1'.repeat(500) });
    const tip = await git.resolve(repository, {}, call());
    server.fault = () => ({ stallAfterBytes: 100 });
    await assert.rejects(git.tree(repository, tip, '', call({ timeoutMs: 300 })), { code: 'GitTimeout' });
    delete server.fault;
    assert.equal(Object.keys((await readTip(git, repository, tip)).files).length, 1);
  });

  test('who leaves a shared question ends it only when nobody else waits', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    server.fault = async () => {
      arrived.resolve();
      await held.promise;
      return 'pass' as const;
    };
    const leaver = new AbortController();
    const one = git.resolve(repository, {}, call({ signal: leaver.signal }));
    const two = git.resolve(repository, {}, call());
    await arrived.promise;
    leaver.abort();
    await assert.rejects(one, { name: 'AbortError' });
    held.resolve();
    assert.equal((await two).commit, await repository.git('rev-parse', 'main'));
  });

  test('after close nothing waits any longer', async () => {
    await using git = await openTestGit();
    const silent = createServer(() => undefined);
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x`;
    const reading = git.resolve({ url }, {}, call());
    const ended = assert.rejects(reading, { name: 'AbortError' });
    await once(silent, 'request');
    await git.close();
    await ended;
    silent.closeAllConnections();
    silent.close();
  });
});

function RESULT(): Record<string, string> {
  return { 'content-type': 'application/x-git-upload-pack-result' };
}

function answer(body: string): GitFault {
  return { status: 200, headers: RESULT(), body };
}

async function repositoryOf(server: GitServer) {
  const repository = await server.createRepository('shop');
  return { url: repository.url, write: (files: Record<string, string>) => repository.write(files) };
}

/** What a forge does some time after a forced push: the old objects are gone. */
async function collectGarbage(repository: { git(...args: string[]): Promise<string>; bare: string }): Promise<void> {
  await repository.git(`--git-dir=${repository.bare}`, 'reflog', 'expire', '--expire=now', '--all');
  await repository.git(`--git-dir=${repository.bare}`, 'gc', '-q', '--prune=now');
}
