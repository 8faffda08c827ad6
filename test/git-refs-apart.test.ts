// Sources of one repository share the question for its refs: one that follows a name which too many refs begin with fails alone.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { call, openTestGit } from './git-fixture.ts';
import { startGitServer, type GitRequest } from './git-server.ts';
import { writePacket } from './git-wire.ts';

/** More refs than are taken in one answer, as a busy repository has of pull requests. */
function tooManyPulls(): Buffer {
  const name = 'x'.repeat(900);
  const packets = Array.from({ length: 40_000 }, (_, number) =>
    writePacket(`${'a'.repeat(40)} refs/pull/${number}/${name}\n`),
  );
  return Buffer.concat([...packets, writePacket(0)]);
}

suite('refs of one repository', () => {
  test('a name that too many refs begin with is an error of its own source, and is no longer asked for with the others', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const shop = await server.createRepository('shop');
    const commit = await shop.write({ a: '1' });
    const body = tooManyPulls();
    const headers = { 'content-type': 'application/x-git-upload-pack-result' };
    const asksForPulls = ({ lines }: GitRequest) => lines.includes('ref-prefix refs/p');
    server.fault = (request) => (asksForPulls(request) ? { status: 200, headers, body } : 'pass');

    const main = () => git.resolve(shop, {}, call());
    const pulls = () => git.resolve(shop, { name: 'refs/p' }, call());
    for (let again = 0; again < 2; again += 1) {
      const [well, ill] = await Promise.allSettled([main(), pulls()]);
      assert.equal(well.status === 'fulfilled' && well.value.commit, commit);
      assert.ok(ill.status === 'rejected' && (ill.reason as { code?: string }).code === 'GitLimitExceeded');
    }
    server.requests.length = 0;
    assert.equal((await main()).commit, commit);
    assert.ok(!server.requests.some(asksForPulls));
  });

  test('a range that nobody asks for any more is held against no tag', async () => {
    await using server = await startGitServer();
    let seconds = 0;
    await using git = await openTestGit({ now: () => seconds * 1000 });
    const shop = await server.createRepository('shop');
    await shop.write({ a: '1' });
    await assert.rejects(git.resolve(shop, { semver: '>=1' }, call()), { code: 'RefNotFound' });
    seconds = 20;
    server.requests.length = 0;
    await git.resolve(shop, {}, call());
    assert.deepEqual(
      server.requests.flatMap(({ lines }) => lines.filter((line) => line.startsWith('ref-prefix'))),
      ['ref-prefix refs/heads/main'],
    );
  });
});
