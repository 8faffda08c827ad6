// The scratch folder over time: it wears out, is damaged, wiped, left behind by a crash, and has a limit.
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { GitWorker } from '../src/git/worker-client.ts';
import { call, incompressible, openTestGit, readAll, readTip } from './git-fixture.ts';
import { startGitServer } from './git-server.ts';

async function mirrorOf(dir: string): Promise<string> {
  const [name = ''] = await readdir(dir);
  return join(dir, name);
}

async function filesBelow(dir: string, ending: string): Promise<string[]> {
  return (await readdir(dir, { recursive: true }))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(dir, name));
}

async function editState(dir: string, change: object): Promise<void> {
  const path = join(await mirrorOf(dir), 'state.json');
  const state = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...state, ...change }));
}

/** Room for a repository of 6000 bytes that cannot be compressed, with its indexes, and not for two. */
const ONE_MIRROR = 12_000;

suite('the scratch folder', () => {
  test('knows across restarts which commits it holds, without asking anybody', async () => {
    await using server = await startGitServer();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    await using git = await openTestGit();
    const { tip } = await readAll(git, repository);
    await git.close();
    await using next = await openTestGit({ dir: git.dir });
    const newer = await repository.write({ a: '2' });
    server.requests.length = 0;
    assert.equal(await next.holds(repository, tip, call()), true);
    assert.equal(await next.holds(repository, { ...tip, commit: newer }, call()), false);
    assert.equal(server.requests.length, 0);
  });

  test('a worn-out mirror begins again, and what it held is readable until the next time', async () => {
    await using server = await startGitServer();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    await using git = await openTestGit();
    const old = await readAll(git, repository);
    await git.close();
    await editState(git.dir, { packs: 1000 });
    await using next = await openTestGit({ dir: git.dir });
    await repository.write({ a: '2' });
    assert.deepEqual((await readAll(next, repository)).files, { a: '2' });
    server.requests.length = 0;
    assert.deepEqual((await readTip(next, repository, old.tip)).files, { a: '1' });
    assert.equal(server.requests.length, 0);
    assert.equal((await readdir(await mirrorOf(git.dir))).filter((name) => name.startsWith('generation')).length, 2);
    await next.close();
    await editState(git.dir, { packs: 1000 });
    await using last = await openTestGit({ dir: git.dir });
    await repository.write({ a: '3' });
    await readAll(last, repository);
    assert.equal((await readdir(await mirrorOf(git.dir))).filter((name) => name.startsWith('generation')).length, 2);
  });

  test('packs do not pile up without end', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '0' });
    await readAll(git, repository);
    await git.close();
    await editState(git.dir, { packs: 97 });
    await using next = await openTestGit({ dir: git.dir });
    for (let version = 1; version < 6; version += 1) {
      await repository.write({ a: `${version}` });
      assert.deepEqual((await readAll(next, repository)).files, { a: `${version}` });
    }
    const { packs } = JSON.parse(await readFile(join(await mirrorOf(git.dir), 'state.json'), 'utf8')) as {
      packs: number;
    };
    assert.ok(packs < 10);
  });

  const damages: [string, (mirror: string) => Promise<void>][] = [
    [
      'packs cut short',
      async (mirror) => Promise.all((await filesBelow(mirror, '.pack')).map((file) => truncate(file, 40))).then(),
    ],
    [
      'indexes cut short',
      async (mirror) => Promise.all((await filesBelow(mirror, '.idx')).map((file) => truncate(file, 40))).then(),
    ],
    ['packs gone', async (mirror) => Promise.all((await filesBelow(mirror, '.pack')).map((file) => rm(file))).then()],
    ['indexes gone', async (mirror) => Promise.all((await filesBelow(mirror, '.idx')).map((file) => rm(file))).then()],
    ['a state that is no JSON', async (mirror) => writeFile(join(mirror, 'state.json'), '{"gener')],
    ['a state without content', async (mirror) => writeFile(join(mirror, 'state.json'), 'null')],
    ['a state of another build', async (mirror) => writeFile(join(mirror, 'state.json'), '{"format":7,"packs":[]}')],
    ['no state', async (mirror) => rm(join(mirror, 'state.json'))],
    ['nothing left', async (mirror) => rm(mirror, { recursive: true })],
  ];
  for (const [what, damage] of damages) {
    test(`${what}: fetched anew, by the next process`, async () => {
      await using server = await startGitServer();
      await using git = await openTestGit();
      const repository = await server.createRepository('shop');
      await repository.write({ a: '1', b: '2' });
      const { tip } = await readAll(git, repository);
      await git.close();
      await damage(await mirrorOf(git.dir));
      await using next = await openTestGit({ dir: git.dir });
      assert.deepEqual((await readTip(next, repository, tip)).files, { a: '1', b: '2' });
      await repository.write({ a: '3' });
      assert.deepEqual((await readAll(next, repository)).files, { a: '3', b: '2' });
    });
  }

  test('wiped while it is in use', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    await readAll(git, repository);
    await rm(await mirrorOf(git.dir), { recursive: true });
    await repository.write({ a: '2' });
    assert.deepEqual((await readAll(git, repository)).files, { a: '2' });
  });

  test('what a crash left is removed at start: half packs, half states, half mirrors', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    const { tip } = await readAll(git, repository);
    await git.close();
    const mirror = await mirrorOf(git.dir);
    await writeFile(join(mirror, 'incoming', '7.pack'), 'PACK');
    await writeFile(join(mirror, 'state.json.new'), '{');
    await mkdir(join(mirror, 'generation-99', 'objects'), { recursive: true });
    await mkdir(join(git.dir, 'f'.repeat(32)));
    await using next = await openTestGit({ dir: git.dir });
    await readTip(next, repository, tip);
    assert.deepEqual(await readdir(git.dir), [mirror.slice(git.dir.length + 1)]);
    assert.deepEqual((await readdir(mirror)).sort(), ['generation-2', 'incoming', 'state.json']);
    assert.deepEqual(await readdir(join(mirror, 'incoming')), []);
  });

  test('what others keep in the folder stays: it may have been named by mistake', async () => {
    await using server = await startGitServer();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    await using git = await openTestGit();
    await mkdir(join(git.dir, 'work', 'thesis'), { recursive: true });
    await writeFile(join(git.dir, 'work', 'thesis', 'chapter-1'), 'text');
    await writeFile(join(git.dir, 'notes.txt'), 'text');
    await readAll(git, repository);
    assert.equal(await readFile(join(git.dir, 'work', 'thesis', 'chapter-1'), 'utf8'), 'text');
    assert.equal(await readFile(join(git.dir, 'notes.txt'), 'utf8'), 'text');
  });

  test('its limit: the longest unused mirror goes, also one of an earlier run; the one in use stays', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const [one, two] = [await server.createRepository('one'), await server.createRepository('two')];
    const [a, b] = [incompressible(8000), incompressible(8000)];
    await one.write({ a });
    await two.write({ a: b });
    const { tip } = await readAll(git, one);
    await git.close();
    const before = await mirrorOf(git.dir);
    await using next = await openTestGit({ dir: git.dir, diskBytes: ONE_MIRROR });
    await readAll(next, two);
    await next.close();
    assert.ok(!(await readdir(git.dir)).includes(before.slice(git.dir.length + 1)));
    await using last = await openTestGit({ dir: git.dir, diskBytes: ONE_MIRROR });
    assert.deepEqual((await readTip(last, one, tip)).files, { a });
  });

  test('a folder that cannot be written', async () => {
    await using server = await startGitServer();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    await using scratch = await openTestGit();
    await writeFile(join(scratch.dir, 'file'), '');
    await using git = await openTestGit({ dir: join(scratch.dir, 'file') });
    await assert.rejects(readAll(git, repository), { code: 'ScratchUnusable' });
    // And works as soon as it can be.
    await rm(join(scratch.dir, 'file'));
    assert.deepEqual((await readAll(git, repository)).files, { a: '1' });
  });

  test('nothing that a credential could be read from lies there', async () => {
    const auth = { username: 'ada', password: 'hunter2-correct-horse' };
    await using server = await startGitServer({ auth });
    await using git = await openTestGit();
    const repository = await server.createRepository('shop');
    await repository.write({ a: '1' });
    await readAll(git, { url: repository.url, auth });
    for (const file of await readdir(git.dir, { recursive: true, withFileTypes: true })) {
      assert.ok(!file.name.includes('hunter2'));
      if (!file.isFile()) continue;
      const content = (await readFile(join(file.parentPath, file.name))).toString('latin1');
      assert.ok(
        !content.includes('hunter2') && !content.includes(Buffer.from('hunter2').toString('base64').slice(0, 8)),
      );
    }
  });
});

suite('the worker thread', () => {
  const idle = { idleMs: 60_000, growthBytes: 2 ** 40 };

  test('when it dies the calls under way fail with GitWorkerFailed, and the next one starts it again', async () => {
    const worker = new GitWorker(idle);
    const { signal } = new AbortController();
    const jobs = [1, 2, 3].map(() => worker.call('missing', { dirs: ['/nowhere'], oids: ['1'.repeat(40)] }, signal));
    const failed = Promise.all(jobs.map((job) => assert.rejects(job, { code: 'GitWorkerFailed' })));
    await worker.restart('the test ends it');
    await failed;
    assert.deepEqual(await worker.call('missing', { dirs: ['/nowhere'], oids: ['2'.repeat(40)] }, signal), [
      '2'.repeat(40),
    ]);
    await worker.close();
    await assert.rejects(worker.call('forget', { dir: 'x' }, signal), { code: 'GitWorkerFailed' });
  });

  test('it is ended when the process grows too much while it works', async () => {
    const worker = new GitWorker({ ...idle, growthBytes: -(2 ** 40) });
    const { signal } = new AbortController();
    const many = Array.from({ length: 400_000 }, () => '1'.repeat(40));
    const job = worker.call('missing', { dirs: ['/nowhere'], oids: many }, signal);
    await assert.rejects(job, { code: 'GitWorkerFailed', message: /memory/ });
    await worker.close();
  });

  test('a call that is given up ends at once, and its job does too', async () => {
    const worker = new GitWorker(idle);
    const controller = new AbortController();
    const job = worker.call(
      'missing',
      { dirs: ['/nowhere'], oids: Array(2_000_000).fill('1'.repeat(40)) as string[] },
      controller.signal,
    );
    const given = assert.rejects(job, /enough/);
    controller.abort(new Error('enough'));
    await given;
    // The thread answers others: the long job no longer holds it, or at least shares it.
    await worker.call('forget', { dir: 'x' }, new AbortController().signal);
    await worker.close();
  });
});
