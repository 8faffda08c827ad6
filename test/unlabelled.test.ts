// Objects whose labels are taken off, so that our watches lose them, while they are about to be pruned or to change hands.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { APPROVE_PRUNE_ANNOTATION } from '../src/api/names.ts';
import { World } from './operator.ts';
import { config, dataOf, Team, unlabel } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('an object without our labels', () => {
  it('is still pruned once that is approved', async () => {
    const team = await Team.ready(
      world,
      'held',
      { 'a.yaml': config('held-a'), 'b.yaml': config('held-b') },
      {
        pruneGuard: { maxCount: 0 },
      },
    );
    const commit = await team.commit({ 'b.yaml': null });
    await until(async () => (await team.status()).lastAttemptedRevision?.endsWith(commit));
    await team.condition('Ready', 'False', { reason: 'PruneBlocked' });
    await unlabel(world, 'held-b');
    const seen = () => team.status().then(({ inventory }) => inventory?.count);
    await until(async () => (await seen()) === 2, { what: 'both are counted' });
    assert.ok(await dataOf(world, 'held-b'));
    const { lastAttemptedRevision } = await team.status();
    await team.annotate({ [APPROVE_PRUNE_ANNOTATION]: lastAttemptedRevision! });
    await until(async () => (await dataOf(world, 'held-b')) === undefined, { what: 'it is pruned' });
    await team.condition('Ready', 'True', { revision: commit });
    assert.equal(await seen(), 1);
  });

  it('goes to the source that declares it now, when the one before has let go', async () => {
    const one = await Team.ready(world, 'one', {
      'x.yaml': config('moves', { by: 'one' }),
      'o.yaml': config('one-own'),
    });
    const two = await Team.ready(
      world,
      'two',
      { 't.yaml': config('two-own') },
      { adoption: 'Refuse', retryInterval: '2s' },
    );
    // Prune is off for a moment: the first lets go of it, but it stays.
    await one.patch({ spec: { prune: false } });
    await one.push({ 'x.yaml': null });
    await unlabel(world, 'moves');
    const commit = await two.commit({ 'x.yaml': config('moves', { by: 'two' }) });
    await two.failure('moves', 'OwnedByOtherSource');
    await one.patch({ spec: { prune: true } });
    await two.condition('Ready', 'True', { revision: commit });
    assert.deepEqual(await dataOf(world, 'moves'), { by: 'two' });
    await one.condition('Ready', 'True');
  });
});
