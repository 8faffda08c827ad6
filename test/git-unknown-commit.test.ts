// A source that is pinned to a commit which no branch leads to: it has all history searched once, and disturbs nobody.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { call, openTestGit, readAll } from './git-fixture.ts';
import { startGitServer } from './git-server.ts';

suite('a commit that is nowhere', () => {
  const unknown = (digit: string) => ({ commit: digit.repeat(40), revision: `sha1:${digit.repeat(40)}` });

  test('is looked for in the history once, until a branch has moved', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const shop = await server.createRepository('shop');
    await shop.write({ a: '1' });
    await readAll(git, shop);
    const search = () => assert.rejects(git.tree(shop, unknown('b'), '', call()), { code: 'RefNotFound' });
    const searched = () =>
      server.requests.filter(({ lines }) => lines.some((line) => /^want (?!bbb)/.test(line))).length;
    server.requests.length = 0;
    await search();
    assert.equal(searched(), 1);
    await search();
    assert.equal(searched(), 1);
    await shop.write({ a: '2' });
    await search();
    assert.equal(searched(), 2);
  });

  test('takes nothing from the mirror that others read', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const shop = await server.createRepository('shop');
    await shop.write({ a: '1' });
    await readAll(git, shop);
    for (const digit of ['b', 'c', 'd'])
      await assert.rejects(git.tree(shop, unknown(digit), '', call()), { code: 'RefNotFound' });
    server.requests.length = 0;
    assert.deepEqual((await readAll(git, shop)).files, { a: '1' });
    assert.deepEqual(
      server.requests.map(({ operation }) => operation),
      ['ls-refs'],
    );
  });
});
