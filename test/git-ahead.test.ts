// Many folders of one repository: what is asked for soon comes along with what is missing now.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { call, openTestGit, type TestGit } from './git-fixture.ts';
import type { Repository } from './git-repository.ts';
import type { Tip } from '../src/git/remote.ts';
import { startGitServer, type GitRequest, type GitServer } from './git-server.ts';
import { until } from './until.ts';

let server: GitServer;
before(async () => {
  server = await startGitServer();
});
after(async () => server.stop());

const NOTHING_SOON = (): string[] => [];

/** How many fetches it took to read one folder, and how many files it has. */
async function readFolder(
  git: TestGit,
  repository: Repository,
  { tip, path, soon = NOTHING_SOON }: { tip: Tip; path: string; soon?: () => string[] },
): Promise<{ fetches: number; files: number }> {
  const before = server.requests.length;
  const { files } = await git.tree(repository, tip, path, call());
  const oids = files.map(({ oid }) => oid);
  const contents = await git.read(repository, tip, oids, { ...call(), soon });
  const operations = server.requests.slice(before).map(({ operation }) => operation);
  return { fetches: operations.filter((operation) => operation === 'fetch').length, files: contents.size };
}

suite('reading ahead', () => {
  test('a hundred folders are read with two fetches, and nothing but manifests comes along', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('many');
    const teams = Array.from({ length: 100 }, (_, index) => `team-${index}`);
    const files = Object.fromEntries(teams.map((team) => [`${team}/app.yaml`, `name: ${team}\n`]));
    await repository.write({ ...files, 'team-1/image.bin': 'no manifest' });
    const tip = await git.resolve(repository, {}, call());
    const soon = () => [...teams, 'not-there', '../outside', '/absolute'];
    assert.deepEqual(await readFolder(git, repository, { tip, path: 'team-0', soon }), { fetches: 2, files: 1 });
    for (const path of teams.slice(2)) {
      assert.deepEqual(await readFolder(git, repository, { tip, path, soon }), { fetches: 0, files: 1 });
    }
    assert.deepEqual(await readFolder(git, repository, { tip, path: 'team-1', soon }), { fetches: 1, files: 2 });
  });

  test('of the next commit, too, one fetch brings what changed for all', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('next-commit');
    const soon = () => ['a', 'b', 'c'];
    for (const version of [1, 2]) {
      await repository.write(Object.fromEntries(soon().map((path) => [`${path}/x.yaml`, `${path}: ${version}\n`])));
      const tip = await git.resolve(repository, {}, call());
      assert.equal((await readFolder(git, repository, { tip, path: 'a', soon })).fetches, 2);
      assert.equal((await readFolder(git, repository, { tip, path: 'b', soon })).fetches, 0);
      assert.equal((await readFolder(git, repository, { tip, path: 'c', soon })).fetches, 0);
    }
  });

  test('a neighbour that is too large harms nobody but itself', async () => {
    await using git = await openTestGit({ limits: { packBytes: 20_000 } });
    const repository = await server.createRepository('large');
    const noise = Array.from({ length: 20_000 }, (_, index) => (index * 2654435761).toString(36)).join('');
    await repository.write({ 'a/x.yaml': 'a: 1\n', 'b/huge.yaml': noise, 'c/x.yaml': 'c: 1\n' });
    const tip = await git.resolve(repository, {}, call());
    const soon = () => ['a', 'b', 'c'];
    assert.equal((await readFolder(git, repository, { tip, path: 'a', soon })).files, 1);
    await assert.rejects(readFolder(git, repository, { tip, path: 'b', soon }), { code: 'GitLimitExceeded' });
    assert.deepEqual(await readFolder(git, repository, { tip, path: 'c', soon }), { fetches: 1, files: 1 });
  });

  test('neighbours that take longer than there is time are not waited for again', async () => {
    await using git = await openTestGit();
    const repository = await server.createRepository('slow');
    await repository.write({ 'a/x.yaml': 'a: 1\n', 'b/x.yaml': 'b: 1\n' });
    const tip = await git.resolve(repository, {}, call());
    const { files } = await git.tree(repository, tip, 'a', call());
    const wants = ({ lines }: GitRequest) => lines.filter((line) => line.startsWith('want ')).length;
    // Large files over a slow line.
    let hung = 0;
    server.fault = (request) => {
      const isLarge = request.operation === 'fetch' && wants(request) > 1;
      if (isLarge) hung += 1;
      return isLarge ? 'hang' : 'pass';
    };
    const read = (timeoutMs: number) =>
      git.read(repository, tip, [files[0]!.oid], { ...call({ timeoutMs }), soon: () => ['a', 'b'] });
    try {
      // On a busy machine the time may be over before anything was asked for.
      const isAsked = async () => {
        await assert.rejects(read(500), { code: 'GitTimeout' });
        return hung > 0;
      };
      await until(isAsked, { what: 'the neighbours are asked for' });
      assert.equal((await read(10_000)).size, 1);
      assert.equal(hung, 1);
    } finally {
      delete server.fault;
    }
  });
});
