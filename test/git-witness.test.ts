import assert from 'node:assert/strict';
import fs, { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { readBlob, readCommit, readTree } from 'isomorphic-git';
import { openTestGit, readAll } from './git-fixture.ts';
import { startGitServer } from './git-server.ts';

/** Every blob below a tree, by path, as isomorphic-git reads them from the same packs. */
async function witness(gitdir: string, commit: string): Promise<Record<string, string>> {
  const cache = {};
  const files: Record<string, string> = {};
  const walk = async (oid: string, prefix: string): Promise<void> => {
    for (const entry of (await readTree({ fs, gitdir, oid, cache })).tree) {
      const path = prefix + entry.path;
      if (entry.type === 'tree') await walk(entry.oid, `${path}/`);
      else files[path] = Buffer.from((await readBlob({ fs, gitdir, oid: entry.oid, cache })).blob).toString();
    }
  };
  await walk((await readCommit({ fs, gitdir, oid: commit, cache })).commit.tree, '');
  return files;
}

test('what we read from a mirror is what another implementation of Git reads from it', async () => {
  await using server = await startGitServer();
  const repository = await server.createRepository('config');
  await using git = await openTestGit();
  const long = (edit: string) =>
    Array.from({ length: 400 }, (_, line) => `line ${line} ${line % 50 === 0 ? edit : ''}`).join('\n');
  let last = '';
  // Several fetches, so that later packs build on earlier ones.
  for (const edit of ['one', 'two', 'three']) {
    last = await repository.write({ 'a.yaml': long(edit), [`deep/${edit}/b.yaml`]: edit, 'empty.yaml': '' });
    const { files } = await readAll(git, { url: repository.url });
    const objects = globSync(join(git.dir, '*/generation-*/objects')).map(dirname).sort();
    assert.deepEqual(files, await witness(objects.at(-1)!, last));
  }
});
