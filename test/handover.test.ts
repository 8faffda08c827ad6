// What a source lets go is deleted only when it is known that no other one of the namespace declares it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitOpsSourceSpecInput } from '../src/api/source.ts';
import type { Files } from './git-repository.ts';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, present, Team } from './team.ts';
import { until } from './until.ts';

const DELETE = { deletionPolicy: 'Delete' } as const;

async function uidOf(world: World, configMap: string): Promise<string | undefined> {
  return (await world.get(`v1/configmaps/${configMap}`))?.metadata.uid;
}

/** Waits until the ConfigMap belongs to this source, and asserts that it was never deleted. */
async function isHandedTo({ world, key }: Team, configMap: string, uid: string | undefined): Promise<void> {
  const isTaken = async () => {
    const { annotations = {} } = (await world.get(`v1/configmaps/${configMap}`))?.metadata ?? {};
    return annotations['plumbline.dev/owner']?.split(':')[0] === key;
  };
  await until(isTaken, { what: `${configMap} belongs to ${key}`, timeoutMs: 120_000 });
  assert.equal(await uidOf(world, configMap), uid, `${configMap} was deleted and made anew`);
}

describe('what is let go while it is not known yet who declares it', () => {
  let world: World;
  let metrics: ServedMetrics;
  before(async () => {
    metrics = await ServedMetrics.onFreePort();
    // One after the other, so that the one that lets go comes to its end before the other one has begun.
    world = await World.create({ args: ['--concurrency=1', metrics.flag] });
  });
  after(() => world[Symbol.asyncDispose]());

  it('is handed over after a restart, by a commit and by a source that is deleted', async () => {
    const giver = await Team.ready(world, 'giver', { 'a.yaml': config('given'), 'b.yaml': config('giver-own') });
    const leaver = await Team.ready(world, 'leaver', { 'a.yaml': config('left') }, DELETE);
    const renamed = await Team.ready(world, 'old-name', { 'a.yaml': config('renamed') }, DELETE);
    const files = { 'a.yaml': config('given', { by: 'taker' }), 'b.yaml': config('left', { by: 'taker' }) };
    const taker = await Team.create(world, 'taker', files);
    for (const name of ['given', 'left']) await taker.failure(name, 'OwnedByOtherSource');
    const [given, left, same] = await Promise.all(['given', 'left', 'renamed'].map((name) => uidOf(world, name)));

    await world.operator.stop('SIGKILL');
    await giver.commit({ 'a.yaml': null });
    await leaver.delete();
    const successor = await Team.create(world, 'z-new-name', { 'a.yaml': config('renamed', { by: 'successor' }) });
    await renamed.delete();
    world.startOperator();
    await isHandedTo(taker, 'given', given);
    await isHandedTo(taker, 'left', left);
    await isHandedTo(successor, 'renamed', same);
    await Promise.all([leaver.gone(), renamed.gone()]);
    await giver.condition('Ready', 'True');
  });

  it('is handed over when both sources are edited', async () => {
    const { repository } = world;
    await repository.write({
      'from/a.yaml': config('edited'),
      'from/b.yaml': config('from-own'),
      'rest/b.yaml': config('from-own'),
      'to/c.yaml': config('to-own'),
      'more/a.yaml': config('edited', { by: 'to' }),
      'more/c.yaml': config('to-own'),
    });
    const from = await Team.sharing(repository, world, 'from', { path: 'from' });
    await from.condition('Ready', 'True');
    const to = await Team.sharing(repository, world, 'to', { path: 'to' });
    await to.condition('Ready', 'True');
    const uid = await uidOf(world, 'edited');

    const held = Promise.withResolvers<'pass'>();
    const isHeld = Promise.withResolvers<void>();
    world.git.fault = ({ repository: name }) => {
      if (name !== 'slow') return 'pass';
      isHeld.resolve();
      return held.promise;
    };
    const slow = await Team.create(world, 'slow', { 'a.yaml': config('slow') });
    await isHeld.promise;
    await from.patch({ spec: { path: 'rest' } });
    await to.patch({ spec: { path: 'more' } });
    await until(async () => ((await metrics.value('plumbline_queue_depth')) ?? 0) >= 2, {
      what: 'both wait for their turn',
    });
    held.resolve('pass');
    await isHandedTo(to, 'edited', uid);
    for (const team of [slow, from, to]) await team.condition('Ready', 'True');
  });
});

describe('what is let go while the one that declares it cannot read the commit', () => {
  let world: World;
  before(async () => void (world = await World.create()));
  after(() => world[Symbol.asyncDispose]());

  it('is handed over once Git can be read again', async () => {
    const { repository } = world;
    await repository.write({
      'from/a.yaml': config('moved'),
      'from/b.yaml': config('moved-from'),
      'to/c.yaml': config('moved-to'),
    });
    const from = await Team.sharing(repository, world, 'from', { path: 'from' });
    await from.condition('Ready', 'True');
    const credentials = { metadata: { name: 'git' }, stringData: { username: 'to', password: 'to' } };
    await world.expect(201, 'POST', world.path('v1/secrets'), {
      body: { apiVersion: 'v1', kind: 'Secret', ...credentials },
    });
    const to = await Team.sharing(repository, world, 'to', { path: 'to', secretRef: { name: 'git' } });
    await to.condition('Ready', 'True');
    const uid = await uidOf(world, 'moved');

    let isAway = true;
    const refused: string[] = [];
    world.git.fault = ({ operation, headers }) => {
      if (operation !== 'fetch' || headers.authorization === undefined || !isAway) return 'pass';
      refused.push(operation);
      return { status: 503 };
    };
    await repository.write({
      'from/a.yaml': null,
      'from/b.yaml': config('moved-from', { has: 'read it' }),
      'to/a.yaml': config('moved', { by: 'to' }),
    });
    const isApplied = async () => (await world.get('v1/configmaps/moved-from'))?.['data'];
    await until(async () => JSON.stringify(await isApplied()).includes('read it'), { what: 'the giver has read it' });
    await until(() => refused.length >= 2, { what: 'the taker was refused' });
    await to.condition('Ready', 'False');
    assert.equal(await uidOf(world, 'moved'), uid);
    isAway = false;
    await isHandedTo(to, 'moved', uid);
    for (const team of [from, to]) await team.condition('Ready', 'True');
  });
});

describe('what is let go while a commit that declares it is not applied yet', { concurrency: true }, () => {
  let world: World;
  before(async () => void (world = await World.create()));
  after(() => world[Symbol.asyncDispose]());

  /** One source has `name`, the other one declares it by a commit that waits for an approval. */
  async function waiting(name: string, before: Files = { 'b.yaml': config(`${name}-taker`) }) {
    const files = { 'a.yaml': config(name, { by: 'giver' }), 'b.yaml': config(`${name}-giver`) };
    const giver = await Team.ready(world, `${name}-giver`, files);
    const taker = await Team.create(world, `${name}-taker`, before, { sync: 'Manual' });
    const approve = async () => {
      const waits = async () => (await taker.status()).pending;
      const { revision } = await until(waits, { what: `a commit of ${taker.name} waits` });
      await taker.annotate({ 'plumbline.dev/approve': revision });
    };
    const push = async (more: Files) => {
      const commit = await taker.commit(more);
      const waits = async () => (await taker.status()).pending?.revision.endsWith(commit);
      await until(waits, { what: `the newest commit of ${taker.name} waits` });
    };
    return { giver, taker, approve, push, uid: await uidOf(world, name) };
  }

  it('is handed over when that is approved, were it the first one', async () => {
    const files = { 'a.yaml': config('first', { by: 'taker' }) };
    const { giver, taker, approve, uid } = await waiting('first', files);
    await until(async () => (await taker.status()).pending, { what: 'the first commit waits' });
    await giver.push({ 'a.yaml': null });
    await approve();
    await isHandedTo(taker, 'first', uid);
    await taker.condition('Ready', 'True');
  });

  it('stays while Git is away, and goes when the newest commit does not declare it any more', async () => {
    const { giver, taker, approve, push, uid } = await waiting('dropped');
    await approve();
    await taker.condition('Ready', 'True');
    await push({ 'a.yaml': config('dropped', { by: 'taker' }) });
    world.git.fault = ({ repository }) => (repository === taker.name ? { status: 503 } : 'pass');
    await taker.condition('Ready', 'False');
    await giver.push({ 'a.yaml': null });
    assert.equal(await uidOf(world, 'dropped'), uid);
    delete world.git.fault;
    await push({ 'a.yaml': null, 'c.yaml': config('dropped-other') });
    await present(world, 'dropped', false);
    await giver.condition('Ready', 'True');
  });

  it('is handed over when it moves within one commit', async () => {
    const { repository } = world;
    const from = { 'from/a.yaml': config('moved'), 'from/b.yaml': config('from-own'), 'to/b.yaml': config('to-own') };
    await repository.write(from);
    const giver = await Team.sharing(repository, world, 'from', { path: 'from' });
    const taker = await Team.sharing(repository, world, 'to', { path: 'to' });
    for (const team of [giver, taker]) await team.condition('Ready', 'True');
    await taker.patch({ spec: { sync: 'Manual' } });
    await taker.condition('Ready', 'True');
    const uid = await uidOf(world, 'moved');
    const revision = await repository.write({ 'from/a.yaml': null, 'to/a.yaml': config('moved', { by: 'taker' }) });
    await giver.condition('Ready', 'True', { revision });
    assert.equal(await uidOf(world, 'moved'), uid);
    await taker.annotate({ 'plumbline.dev/approve': revision });
    await isHandedTo(taker, 'moved', uid);
  });

  it('is handed over when the source that has it is deleted before anybody has read the commit', async () => {
    const { giver, taker, repository } = await sharing('gone', { interval: '1h' });
    const uid = await uidOf(world, 'gone');
    await repository.write({ 'from/a.yaml': null, 'to/a.yaml': config('gone', { by: 'taker' }) });
    await giver.delete();
    await giver.gone();
    await isHandedTo(taker, 'gone', uid);
    await taker.condition('Ready', 'True');
  });

  it('stays when the source that has it is deleted after a restart, while the other one waits for a third', async () => {
    await using own = await World.create();
    const { giver, taker, repository } = await sharing('third', { dependsOn: [{ name: 'absent' }] }, own);
    await repository.write({ 'from/a.yaml': null, 'to/a.yaml': config('third', { by: 'taker' }) });
    const uid = await uidOf(own, 'third');
    await own.operator.stop('SIGKILL');
    await giver.delete();
    own.startOperator();
    await giver.gone();
    assert.equal(await uidOf(own, 'third'), uid);
    await Team.ready(own, 'absent', { 'a.yaml': config('third-absent') });
    await isHandedTo(taker, 'third', uid);
  });

  /** Two sources over a folder each of one repository; the first one has `name` and is deleted with its objects. */
  async function sharing(name: string, spec: Partial<GitOpsSourceSpecInput>, within = world) {
    const repository = await within.git.createRepository(name);
    const own = config(`${name}-taker`);
    await repository.write({ 'from/a.yaml': config(name, { by: 'giver' }), 'to/b.yaml': own });
    const { interval } = spec;
    const every = interval !== undefined && { interval };
    const giver = await Team.sharing(repository, within, `${name}-giver`, { path: 'from', ...every, ...DELETE });
    const taker = await Team.sharing(repository, within, `${name}-taker`, { path: 'to', ...every });
    for (const team of [giver, taker]) await team.condition('Ready', 'True');
    if (spec.dependsOn) {
      await taker.patch({ spec });
      await taker.condition('Ready', 'False', { reason: 'DependencyNotReady' });
    }
    return { repository, giver, taker };
  }
});
