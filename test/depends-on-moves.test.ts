// Objects that move to a source from those that depend on it: these hold them, and must not wait for it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitOpsSourceSpecInput } from '../src/api/source.ts';
import { NAME_LABEL } from '../src/api/names.ts';
import type { Files } from './git-repository.ts';
import { World } from './operator.ts';
import { config, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('with dependsOn, an object that moves', { concurrency: true }, () => {
  it('from two sources to the one that both depend on passes all', async () => {
    const { commit, teams } = await family('both', { base: [], one: ['base'], two: ['base'] });
    await commit({ 'one/b.yaml': config('both-b'), 'two/c.yaml': config('both-c') });
    await commit({
      'one/b.yaml': null,
      'two/c.yaml': null,
      'base/b.yaml': config('both-b'),
      'base/c.yaml': config('both-c'),
    });
    assert.deepEqual([await ownerOf('both-b'), await ownerOf('both-c')], [teams.base.name, teams.base.name]);
  });

  it('over a source in the middle passes all three', async () => {
    const { commit, teams } = await family('far', { base: [], middle: ['base'], top: ['middle'] });
    await commit({ 'top/b.yaml': config('far-b') });
    await commit({ 'top/b.yaml': null, 'base/b.yaml': config('far-b') });
    assert.equal(await ownerOf('far-b'), teams.base.name);
  });

  it('with the commit that mends the other source passes both, at once', async () => {
    const { commit, teams } = await family('broken', { base: [], top: ['base'] }, { retryInterval: '1h' });
    await commit({ 'top/b.yaml': config('broken-b') });
    const failures = () => world.operator.lines.filter(({ source, msg }) => source === teams.top.key && isFailure(msg));
    const before = failures().length;
    await teams.top.commit({ 'base/bad.yaml': 'kind: [' });
    // By itself it tries again after half a minute at the earliest then.
    await until(() => failures().length >= before + 7, { what: 'it was tried some times', timeoutMs: 120_000 });
    await teams.top.commit({ 'base/bad.yaml': null, 'top/b.yaml': null, 'base/b.yaml': config('broken-b') });
    const hasMoved = async () => (await ownerOf('broken-b')) === teams.base.name;
    await until(hasMoved, { what: 'it belongs to the other source', timeoutMs: 25_000 });
  });

  it('to a source that waits for one that fails is not deleted meanwhile', async () => {
    const { commit, teams } = await family('failing', { base: [], side: [], top: ['base'] }, { retryInterval: '2s' });
    await commit({ 'side/b.yaml': config('failing-b') });
    const uid = (await world.get('v1/configmaps/failing-b'))?.metadata.uid;
    const move = { 'side/b.yaml': null, 'top/b.yaml': config('failing-b', { by: 'top' }) };
    const revision = await teams.side.commit({ ...move, 'base/bad.yaml': config('NOT-A-NAME') });
    await teams.top.condition('Ready', 'False', { reason: 'DependencyNotReady' });
    await teams.side.condition('Ready', 'True', { revision });
    assert.equal(await ownerOf('failing-b'), teams.side.name);
    await commit({ 'base/bad.yaml': null });
    assert.equal(await ownerOf('failing-b'), teams.top.name);
    assert.equal((await world.get('v1/configmaps/failing-b'))?.metadata.uid, uid);
  });

  it('to a source that applies all or nothing passes both', async () => {
    const { commit, teams } = await family('atomic', { base: [], top: ['base'] }, { atomic: true });
    await commit({ 'top/b.yaml': config('atomic-b') });
    await commit({ 'top/b.yaml': null, 'base/b.yaml': config('atomic-b'), 'base/c.yaml': config('atomic-c') });
    assert.equal(await ownerOf('atomic-b'), teams.base.name);
  });
});

/** Sources over a folder each of one repository, by folder, each with those that it depends on. */
async function family<Folder extends string>(
  name: string,
  dependencies: Record<Folder, string[]>,
  spec: Partial<GitOpsSourceSpecInput> = {},
) {
  const repository = await world.git.createRepository(name);
  const folders = Object.entries<string[]>(dependencies);
  await repository.write(Object.fromEntries(folders.map(([path]) => [`${path}/a.yaml`, config(`${name}-${path}`)])));
  const created = await Promise.all(
    folders.map(async ([path, needed]) => {
      const dependsOn = needed.map((folder) => ({ name: `${name}-${folder}` }));
      return [path, await Team.sharing(repository, world, `${name}-${path}`, { path, dependsOn, ...spec })] as const;
    }),
  );
  const teams = Object.fromEntries(created) as Record<Folder, Team>;
  /** Pushes, and waits until all have applied it. */
  const commit = async (files: Files) => {
    const revision = await repository.write(files);
    await Promise.all(created.map(([, team]) => team.condition('Ready', 'True', { revision })));
  };
  return { teams, commit };
}

function isFailure(message = ''): boolean {
  return message.includes('could not be reconciled');
}

async function ownerOf(configMap: string): Promise<string | undefined> {
  return (await world.get(`v1/configmaps/${configMap}`))?.metadata.labels?.[NAME_LABEL];
}
