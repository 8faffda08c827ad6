import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { gitConfig } from './git-backend.ts';
import { startGitServer } from './git-server.ts';
import type { GitFault, GitServerOptions } from './git-server.ts';
import { until } from './until.ts';

const scratch = mkdtempSync(join(tmpdir(), 'plumbline-git-test-'));
after(() => rmSync(scratch, { recursive: true }));
let clones = 0;

/** Runs the git CLI as a stranger would: without the repository's own credentials. Rejects with what it printed. */
async function git(args: string[], settings: Record<string, string> = {}): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    ...gitConfig({ 'http.proxy': '', ...settings }),
  };
  return (await promisify(execFile)('git', args, { cwd: scratch, env })).stdout.trimEnd();
}

async function clone(url: string, options: string[] = [], settings: Record<string, string> = {}): Promise<string> {
  const dir = join(scratch, `clone-${clones++}`);
  await git(['clone', '-q', ...options, url, dir], settings);
  return dir;
}

async function serve(options?: GitServerOptions) {
  const server = await startGitServer(options);
  after(() => server.stop());
  const repository = await server.createRepository('shop');
  const first = await repository.write({ 'a.yaml': 'a: 1\n', 'deep/er/b.yaml': 'b: 1\n' }, 'first');
  return { server, repository, first };
}

test('a write is a real push: clones see the commit, its author, branch, tag and links', async () => {
  const { repository, first } = await serve();
  const second = await repository.write({ 'a.yaml': null, 'a.yaml/now-a-folder.yaml': 'x\n' }, 'second', {
    author: 'Bo <bo@example.com>',
    tag: 'v1.0.0',
    symlinks: { 'link.yaml': 'deep/er/b.yaml' },
    submodules: { 'a "quoted"\nname': first },
  });
  const dir = await clone(repository.url);
  assert.equal(await git(['-C', dir, 'log', '--format=%H %an %s']), `${second} Bo second\n${first} Ann Author first`);
  assert.equal(
    await git(['-C', dir, 'ls-tree', '-r', '--format=%(objectmode) %(path)', 'v1.0.0']),
    [
      '160000 "a \\"quoted\\"\\nname"',
      '100644 a.yaml/now-a-folder.yaml',
      '100644 deep/er/b.yaml',
      '120000 link.yaml',
    ].join('\n'),
  );

  const amended = await repository.write({}, 'second, better', { amend: true });
  const branched = await repository.write({ 'c.yaml': 'c\n' }, 'third', { branch: 'next' });
  const back = await repository.write({ 'd.yaml': 'd\n' }, 'fourth', { branch: 'main' });
  const refs = await git(['ls-remote', '--heads', repository.url]);
  assert.equal(refs, `${back}\trefs/heads/main\n${branched}\trefs/heads/next`);
  assert.equal(await repository.git('rev-parse', 'HEAD~1', 'next~1'), `${amended}\n${amended}`);
});

test('https with an own authority, behind a password or a token that may change', async () => {
  const { server, repository, first } = await serve({ tls: true, auth: { username: 'reader', password: 'p:w' } });
  const ca = { 'http.sslCAInfo': join(scratch, 'ca.crt') };
  writeFileSync(ca['http.sslCAInfo'], server.ca!);
  const basic = { 'http.extraHeader': `Authorization: Basic ${Buffer.from('reader:p:w').toString('base64')}` };
  const bearer = { 'http.extraHeader': 'Authorization: Bearer s3cret' };

  await assert.rejects(clone(repository.url, [], basic), /certificate/);
  await assert.rejects(clone(repository.url, [], ca), /Authentication failed|could not read Username/);
  assert.equal(server.requests.at(-1)?.status, 401);
  assert.equal(await git(['-C', await clone(repository.url, [], { ...ca, ...basic }), 'rev-parse', 'HEAD']), first);

  server.auth = { bearerToken: 's3cret' };
  await assert.rejects(clone(repository.url, [], { ...ca, ...basic }), /Authentication failed|could not read Username/);
  const second = await repository.write({}, 'second');
  assert.equal(await git(['-C', await clone(repository.url, [], { ...ca, ...bearer }), 'rev-parse', 'HEAD']), second);
});

test('requests of readers are recorded with their lines and bytes, pushes are not', async () => {
  const { server, repository, first } = await serve();
  assert.equal(server.requests.length, 0);
  await clone(repository.url, ['--depth=1', '--filter=blob:none', '--no-checkout']);
  assert.deepEqual(
    server.requests.map(({ operation }) => operation),
    ['advertise', 'ls-refs', 'fetch'],
  );
  const fetch = server.requests.at(-1)!;
  assert.equal(fetch.repository, 'shop');
  for (const line of [`want ${first}`, 'deepen 1', 'filter blob:none']) assert.ok(fetch.lines.includes(line), line);
  assert.ok(fetch.requestBytes > 100 && fetch.responseBytes > 100);
});

test('each capability can be missing', async (t) => {
  const { server, repository, first } = await serve();
  const second = await repository.write({ 'a.yaml': 'a: 2\n' }, 'second');
  const trace = async () =>
    (
      await promisify(execFile)('git', ['ls-remote', repository.url], {
        env: { PATH: process.env['PATH'], GIT_TRACE_PACKET: '1', ...gitConfig({ 'http.proxy': '' }) },
      })
    ).stderr;
  const fetchOld = async () => {
    const dir = await clone(repository.url, ['--depth=1']);
    return git(['-C', dir, 'fetch', '-q', 'origin', first]);
  };

  await t.test('all there', async () => {
    const seen = await trace();
    assert.match(seen, /version 2/);
    assert.match(seen, /fetch=shallow wait-for-done filter/);
    await fetchOld();
  });
  await t.test('no filter', async () => {
    server.capabilities.filter = false;
    assert.doesNotMatch(await trace(), /filter/);
    server.capabilities.filter = true;
  });
  for (const protocolV2 of [true, false]) {
    const version = protocolV2 ? 'protocol v2' : 'protocol v0';
    server.capabilities.protocolV2 = protocolV2;
    await t.test(`${version}: only tips may be wanted`, async () => {
      server.capabilities.protocolV2 = protocolV2;
      server.capabilities.anyObject = false;
      await assert.rejects(fetchOld(), /not our ref|unadvertised object/);
      await clone(repository.url);
      server.capabilities.anyObject = true;
      await fetchOld();
    });
    await t.test(`${version}: no shallow`, async () => {
      server.capabilities.protocolV2 = protocolV2;
      server.capabilities.shallow = false;
      assert.doesNotMatch(await trace(), /shallow|deepen/);
      await assert.rejects(clone(repository.url, ['--depth=1']), /shallow/i);
      assert.equal(await git(['-C', await clone(repository.url), 'rev-parse', 'HEAD']), second);
      server.capabilities.shallow = true;
    });
    await t.test(`${version} is what is spoken`, async () => {
      server.capabilities.protocolV2 = protocolV2;
      assert.equal(/version 2/.test(await trace()), protocolV2);
    });
  }
});

test('faults hit readers, never our pushes', async (t) => {
  const { server, repository } = await serve();
  await repository.write({ 'big.bin': Buffer.alloc(300_000).map((_, at) => (at * at * 31) % 251) }, 'big');
  const failures: [string, GitFault, RegExp][] = [
    ['a broken connection', 'reset', /reset|empty reply|recv failure/i],
    ['a status', { status: 503, body: 'busy' }, /503/],
    [
      'a page that is no Git',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      /bad line length|protocol error/,
    ],
    ['a pack that breaks off', { truncateAfterBytes: 900 }, /early EOF|transfer closed|hung up|curl/i],
    ['a corrupt pack', 'corrupt', /corrupt|index-pack|inflate|checksum|mismatch/i],
  ];
  for (const [name, fault, complaint] of failures) {
    await t.test(name, async () => {
      server.fault = ({ operation }) => (operation === 'fetch' ? fault : 'pass');
      await assert.rejects(clone(repository.url), complaint);
      await repository.write({}, 'pushed all the same');
    });
  }
  for (const [name, fault] of [
    ['silence', 'hang'],
    ['silence after some bytes', { stallAfterBytes: 500 }],
  ] as const) {
    await t.test(name, async () => {
      server.fault = ({ operation }) => (operation === 'fetch' ? fault : 'pass');
      server.requests.length = 0;
      const stop = new AbortController();
      const env = { PATH: process.env['PATH'], ...gitConfig({ 'http.proxy': '' }) };
      const options = { cwd: scratch, env, signal: stop.signal };
      const waiting = promisify(execFile)('git', ['clone', repository.url, `hung-${clones++}`], options);
      const ended = assert.rejects(waiting, { name: 'AbortError' });
      await until(() =>
        server.requests.some(
          ({ operation, responseBytes }) => operation === 'fetch' && responseBytes === (fault === 'hang' ? 0 : 500),
        ),
      );
      stop.abort();
      await ended;
    });
  }
  delete server.fault;
  await clone(repository.url);
});

test('stop ends hung requests and removes the files', async () => {
  const { server, repository } = await serve();
  server.fault = () => 'hang';
  const hung = assert.rejects(clone(repository.url));
  await until(() => server.requests.length > 0);
  await server.stop();
  await hung;
  await assert.rejects(git(['-C', repository.bare, 'status']));
});
