// What a source says of itself while the newest commit waits for one that it depends on, which is getting healthy.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { findCondition, type Condition } from '../src/api/conditions.ts';
import type { GitOpsSourceSpecInput } from '../src/api/source.ts';
import type { Files } from './git-repository.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('while a newer commit waits for another source', { concurrency: true }, () => {
  it('what must not be pruned keeps the source from being Ready', async () => {
    const { top, delay } = await pair('hold', { 'top/b.yaml': config('hold-b') }, { pruneGuard: { maxCount: 0 } });
    await top.commit({ 'top/b.yaml': null });
    await top.condition('Ready', 'False', { reason: 'PruneBlocked' });
    await delay({});
    assert.deepEqual(await readyOf(top), ['False', 'PruneBlocked']);
  });

  it('a commit of which an object fails is not Ready, and when that is mended the source waits', async () => {
    const { top, delay } = await pair('mended', {}, { retryInterval: '1s' });
    const namespace = `${world.namespace}-mended`;
    await top.commit({ 'top/b.yaml': manifest('v1', 'ConfigMap', 'mended-b', { metadata: { namespace } }) });
    await top.failure('mended-b');
    await delay({});
    assert.deepEqual(await readyOf(top), ['False', 'ReconciliationFailed']);
    await world.expect(201, 'POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    });
    const told = await top.condition('Ready', 'Unknown', { reason: 'Progressing' });
    assert.match(messageOf(told.status), /waits for the source mended-base, which is not Ready yet/);
  });

  it('an edit of the source waits too, and the source says so', async () => {
    const { top, delay, mend } = await pair('edited');
    await delay({ 'other/a.yaml': config('edited-other') });
    assert.deepEqual(await readyOf(top), ['True', 'ReconciliationSucceeded']);
    await top.patch({ spec: { path: 'other' } });
    const told = await top.condition('Ready', 'Unknown', { reason: 'Progressing' });
    const isSaid = async () => /waits for the source edited-base, .* yet/.test(messageOf(await top.status()));
    await until(isSaid, { what: 'it says what it waits for', timeoutMs: 20_000 });
    assert.equal(told.status?.observedGeneration, 2);
    assert.equal(await dataOf(world, 'edited-other'), undefined);
    await mend();
    await until(async () => dataOf(world, 'edited-other'));
    await top.condition('Ready', 'True');
  });
  it('an edit that names another ref is not Ready at the one before', async () => {
    const { top, base, mend } = await pair('moved');
    const web = deployment('moved-web', { image: 'bad-image', replicas: 1 });
    const files = { 'base/web.yaml': web, 'top/a.yaml': config('moved-top', { key: 'next' }) };
    await base.commit(files, { branch: 'next' });
    await base.patch({ spec: { ref: { branch: 'next' } } });
    await base.condition('Ready', 'Unknown', { reason: 'Progressing' });
    await top.patch({ spec: { ref: { branch: 'next' } } });
    const isSaid = async () => /waits for the source moved-base/.test(messageOf(await top.status()));
    await until(isSaid, { what: 'it says what it waits for', timeoutMs: 20_000 });
    assert.deepEqual(await readyOf(top), ['Unknown', 'Progressing']);
    await mend();
    await top.condition('Ready', 'True');
    assert.deepEqual(await dataOf(world, 'moved-top'), { key: 'next' });
  });
});

/** Two sources over a folder each of one repository, both Ready: `top` depends on `base`. */
async function pair(name: string, files: Files = {}, spec: Partial<GitOpsSourceSpecInput> = {}) {
  const repository = await world.git.createRepository(name);
  await repository.write({ 'base/a.yaml': config(`${name}-base`), 'top/a.yaml': config(`${name}-top`), ...files });
  const base = await Team.sharing(repository, world, `${name}-base`, { path: 'base', wait: true });
  const dependsOn = [{ name: base.name }];
  const top = await Team.sharing(repository, world, `${name}-top`, { path: 'top', dependsOn, ...spec });
  await top.condition('Ready', 'True');
  const web = (image: string) => deployment(`${name}-web`, { image, replicas: 1 });
  /** Pushes what `base` cannot get healthy with, and waits until `top` has looked at it more than once. */
  const delay = async (more: Files) => {
    const revision = await repository.write({ 'base/web.yaml': web('bad-image'), ...more });
    await base.condition('Ready', 'Unknown', { revision });
    await pause(6_000);
  };
  const mend = () => repository.write({ 'base/web.yaml': web('app:1') });
  return { top, base, delay, mend };
}

function readyIn(status: Awaited<ReturnType<Team['status']>> | undefined): Condition | undefined {
  return findCondition((status?.conditions ?? []) as Condition[], 'Ready');
}

async function readyOf(team: Team): Promise<(string | undefined)[]> {
  const ready = readyIn(await team.status());
  return [ready?.status, ready?.reason];
}

function messageOf(status: Parameters<typeof readyIn>[0]): string {
  return readyIn(status)?.message ?? '';
}
