// Fifty sources, five of them with repositories that hang, lie, or hold what is refused: the others do not notice.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf } from './team.ts';
import { until } from './until.ts';

const GOOD = 45;

/** The address of a port at which nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}/config.git`;
}

test('fifty sources, five of them bad', async () => {
  await using world = await World.create();
  const { git } = world;
  git.fault = ({ repository, operation }) => {
    if (repository === 'hung') return 'hang';
    if (repository === 'stalled') return operation === 'fetch' ? { stallAfterBytes: 100 } : 'pass';
    return repository === 'corrupt' && operation === 'fetch' ? 'corrupt' : 'pass';
  };
  const bad = await Promise.all(
    ['hung', 'stalled', 'corrupt', 'outside'].map(async (name) => {
      const repository = await git.createRepository(name);
      await repository.write({ 'a.yaml': config(`${name}-a`) }, 'first', {
        ...(name === 'outside' && { symlinks: { 'evil.yaml': '../../../etc/passwd' } }),
      });
      return { name, url: repository.url };
    }),
  );
  bad.push({ name: 'dead', url: await deadAddress() });
  for (const { name, url } of bad) await world.createSource({ url, timeout: '2s' }, name);

  const files = (value: string) =>
    Object.fromEntries(
      Array.from({ length: GOOD * 2 }, (_, index) => {
        const team = index >> 1;
        return [`team-${team}/${index}.yaml`, config(`good-${index}`, { value })];
      }),
    );
  const first = await world.repository.write(files('1'));
  const good = Array.from({ length: GOOD }, (_, team) => `team-${team}`);
  await Promise.all(good.map((name) => world.createSource({ path: name }, name)));
  await Promise.all(good.map((name) => world.condition('Ready', 'True', { name, revision: first, timeoutMs: 60_000 })));

  // Each bad one says what is wrong with it, and has touched nothing.
  const reasons = new Map<string, string>();
  const told = async (): Promise<boolean> => {
    for (const { name } of bad) {
      const { status } = await world.condition('Ready', 'False', { name });
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      reasons.set(name, ready?.reason ?? '');
      assert.notEqual(ready?.message, '');
    }
    // Two seconds may be too little for anything on a busy machine; then it is tried again.
    return new Set(reasons.values()).size >= 4;
  };
  await until(told, { intervalMs: 500 }).catch(() => assert.fail(JSON.stringify([...reasons])));
  for (const { name } of bad) assert.equal(await dataOf(world, `${name}-a`), undefined);

  // And while they go on failing, a push reaches all the others.
  const second = await world.repository.write(files('2'));
  await Promise.all(
    good.map((name) => world.condition('Ready', 'True', { name, revision: second, timeoutMs: 60_000 })),
  );
  assert.deepEqual(await dataOf(world, `good-${GOOD * 2 - 1}`), { value: '2' });

  // A bad one that is mended goes on by itself.
  delete git.fault;
  for (const name of ['hung', 'stalled', 'corrupt'])
    await until(async () => dataOf(world, `${name}-a`), { timeoutMs: 60_000, what: `${name} goes on` });
});
