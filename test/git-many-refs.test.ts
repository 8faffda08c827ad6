// Who pushes decides how many refs a repository has: they cost nobody else memory, nor the time in which drift is healed.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { call, openTestGit } from './git-fixture.ts';
import { startGitServer } from './git-server.ts';
import { writePacket } from './git-wire.ts';

/** `count` tags that are versions, and their list as a server sends it. */
function manyTags(count: number): { status: number; headers: Record<string, string>; body: Buffer } {
  const packets = Array.from({ length: count }, (_, number) =>
    writePacket(`${'a'.repeat(40)} refs/tags/v1.${number}.0-rc.${number}\n`),
  );
  const headers = { 'content-type': 'application/x-git-upload-pack-result' };
  return { status: 200, headers, body: Buffer.concat([...packets, writePacket(0)]) };
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

/** What this thread has used: what else the machine does is not in it. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

suite('a repository with very many refs', () => {
  test('keeps no memory once it was asked', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const answer = manyTags(60_000);
    server.fault = ({ operation }) => (operation === 'ls-refs' ? answer : 'pass');
    const ask = async (name: string) => {
      const { url } = await server.createRepository(name);
      await git.resolve({ url }, { tag: 'v1.7.0-rc.7' }, call());
    };
    await ask('first');
    const before = heapBytes();
    for (const name of ['a', 'b', 'c', 'd']) await ask(name);
    const grown = heapBytes() - before;
    assert.ok(grown < 10_000_000, `${grown} bytes for four repositories`);
  });

  test('is searched for the versions of many sources while everything else goes on', async () => {
    await using server = await startGitServer();
    await using git = await openTestGit();
    const answer = manyTags(90_000);
    server.fault = ({ operation }) => (operation === 'ls-refs' ? answer : 'pass');
    const { url } = await server.createRepository('shop');
    let last = processorMs();
    let longest = 0;
    const beat = () => {
      longest = Math.max(longest, processorMs() - last);
      last = processorMs();
    };
    // Whatever fails below, it must not keep the process alive.
    const beats = setInterval(beat, 10).unref();
    const ranges = Array.from({ length: 30 }, (_, number) => `>=1.${number}.0-0 <1.${number + 1}.0-0`);
    const tips = await Promise.all(ranges.map((semver) => git.resolve({ url }, { semver }, call())));
    beat();
    clearInterval(beats);
    assert.deepEqual(
      tips.map(({ ref }) => ref),
      ranges.map((_, number) => `refs/tags/v1.${number}.0-rc.${number}`),
    );
    assert.ok(longest < 1500, `nothing else was done for ${Math.round(longest)} ms`);
  });
});
