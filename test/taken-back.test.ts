// A commit or an edit of the source that could be applied in part only is given up again: what it wrote is taken back, also where drift is only told.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const drift = { mode: 'Report' as const };
const good = (name: string) => ({ 'a.yaml': config(name), 'b.yaml': config(`${name}-b`) });
/** Of these the first can be applied. */
const half = (name: string) => ({
  'a.yaml': config(name, { key: 'half' }),
  'b.yaml': config(`${name}-b`, { key: 1 as never }),
});
const within = (folder: string, files: object) =>
  Object.fromEntries(Object.entries(files).map(([file, text]) => [`${folder}/${file}`, text]));

/** A source of which folder `good` is applied, and `half` is to be had. */
const ofFolders = (name: string) =>
  Team.ready(world, name, { ...within('good', good(name)), ...within('half', half(name)) }, { path: 'good', drift });

async function halfApplied(team: Team): Promise<void> {
  await team.failure(`${team.name}-b`);
  await until(async () => (await dataOf(world, team.name))?.['key'] === 'half', { what: 'the half is applied' });
}

it('by a commit', async () => {
  const team = await Team.ready(world, 'commit', good('commit'), { drift });
  await team.commit(half('commit'));
  await halfApplied(team);
  await team.push(good('commit'));
  assert.deepEqual(await dataOf(world, 'commit'), { key: 'value' });
});

it('by an edit of the source', async () => {
  const team = await ofFolders('edit');
  await team.patch({ spec: { path: 'half' } });
  await halfApplied(team);
  await team.patch({ spec: { path: 'good' } });
  await team.condition('Ready', 'True');
  assert.deepEqual(await dataOf(world, 'edit'), { key: 'value' });
});

it('by either while no operator runs', async () => {
  const reset = await Team.ready(world, 'reset', good('reset'), { drift });
  const { lastAppliedRevision } = await reset.status();
  await reset.commit(half('reset'));
  const edited = await ofFolders('edited');
  await edited.patch({ spec: { path: 'half' } });
  await Promise.all([halfApplied(reset), halfApplied(edited)]);

  await world.operator.stop('SIGKILL');
  const first = lastAppliedRevision!.slice(-40);
  await reset.repository.git('push', '-q', '--force', 'origin', `${first}:refs/heads/main`);
  await edited.patch({ spec: { path: 'good' } });
  world.startOperator();
  await reset.condition('Ready', 'True', { revision: first });
  await edited.condition('Ready', 'True');
  assert.deepEqual(await dataOf(world, 'reset'), { key: 'value' });
  assert.deepEqual(await dataOf(world, 'edited'), { key: 'value' });
});
