// What a source lets go is deleted only when it is known that no other one of the namespace declares it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, Team } from './team.ts';
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
