// A restart takes what the process before it has rendered, as long as that still holds.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readdir, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let cacheDir: string;
let world: World;
before(async () => {
  cacheDir = mkdtempSync(join(tmpdir(), 'plumbline-kept-'));
  world = await World.create({ cacheDir });
});
after(() => world[Symbol.asyncDispose]());

const files = async (pattern: RegExp) =>
  (await readdir(cacheDir, { recursive: true })).filter((name) => pattern.test(name));

/** The operator is killed when everything is kept; an edit at the end tells when it is back. */
async function killed(count: number): Promise<void> {
  const head = /notes\/[0-9a-f]+head$/;
  await until(async () => (await files(head)).length === count, { what: 'the note is written' });
  await world.operator.stop('SIGKILL');
}

async function spoil(pattern: RegExp): Promise<void> {
  const found = await files(pattern);
  assert.ok(found.length > 0);
  for (const name of found) await truncate(join(cacheDir, name), 1);
}

const says = (name: string, key: string) =>
  until(async () => (await dataOf(world, name))?.['key'] === key, { what: `${name} says ${key}`, timeoutMs: 60_000 });
const fetches = (team: Team) =>
  world.git.requests.filter(({ operation, repository }) => operation === 'fetch' && repository.includes(team.name));

it('heals from it without a look at Git’s objects', async () => {
  const team = await Team.ready(world, 'known', { 'a.yaml': config('known-a'), 'b.yaml': config('known-b') });
  await killed(1);
  // Whoever opens one of these has to fetch again.
  await spoil(/\.(pack|idx)$/);
  await world.edit('v1/configmaps/known-a', { data: { key: 'by hand' } });
  world.git.requests.length = 0;
  world.startOperator();
  await says('known-a', 'value');
  await team.condition('Ready', 'True');
  assert.deepEqual(fetches(team), []);

  // The next commit needs them.
  await team.push({ 'a.yaml': config('known-a', { key: 'new' }) });
  await says('known-a', 'new');
  assert.ok(await dataOf(world, 'known-b'));
  assert.ok(fetches(team).length > 0);
});

it('reads Git’s objects when it is damaged, and keeps a new one', async () => {
  const team = await Team.ready(world, 'damaged', { 'a.yaml': config('damaged-a') });
  await killed(2);
  await spoil(/notes\/[0-9a-f]+files$/);
  for (const round of ['first', 'second']) {
    await world.edit('v1/configmaps/damaged-a', { data: { key: round } });
    world.startOperator();
    await says('damaged-a', 'value');
    await team.condition('Ready', 'True');
    await killed(2);
  }
  world.startOperator();
});

it('renders anew when the source was edited meanwhile', async () => {
  const team = await Team.ready(world, 'edited', { 'a.yaml': config('edited-a') });
  await killed(3);
  await team.patch({ spec: { commonMetadata: { labels: { team: 'blue' } } } });
  world.startOperator();
  await until(async () => (await world.get('v1/configmaps/edited-a'))?.metadata.labels?.['team'] === 'blue', {
    what: 'the label is there',
    timeoutMs: 60_000,
  });
});

it('a commit pushed meanwhile is applied, what it removes is pruned', async () => {
  const team = await Team.ready(world, 'moved', { 'a.yaml': config('moved-a'), 'b.yaml': config('moved-b') });
  await killed(4);
  const commit = await team.commit({ 'a.yaml': config('moved-a', { key: 'new' }), 'b.yaml': null });
  world.startOperator();
  await team.condition('Ready', 'True', { revision: commit });
  assert.equal((await dataOf(world, 'moved-a'))?.['key'], 'new');
  assert.equal(await dataOf(world, 'moved-b'), undefined);
});
