// An object belongs to one source. Another one that declares it is told, never obeyed; handing over is said in Git.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const adopting = (name: string, data: Record<string, string>) =>
  config(name, data, { annotations: { 'plumbline.dev/adopt': 'true' } });

const refusing = { adoption: 'Refuse' } as const;

describe('two sources that declare one object', { concurrency: true }, () => {
  it('the second sees the conflict, overwrites nothing, and gets it when the first lets go', async () => {
    const first = await Team.ready(world, 'first', {
      'a.yaml': config('fought', { by: 'first' }),
      'b.yaml': config('first-b'),
    });
    const second = await Team.create(world, 'second', {
      'a.yaml': config('fought', { by: 'second' }),
      'b.yaml': config('second-b'),
    });
    const { message } = await second.failure('fought', 'OwnedByOtherSource');
    const toDo = `belongs to the source ${world.namespace}/first, and is not overwritten: remove it from one of the two`;
    assert.equal(message, toDo);
    await second.condition('Ready', 'False', { reason: 'ConflictDetected' });
    await present(world, 'second-b');
    assert.deepEqual(await dataOf(world, 'fought'), { by: 'first' });
    // Not by asking again, nor by the annotation: the first still declares it.
    await second.commit({ 'a.yaml': adopting('fought', { by: 'second' }) });
    await second.annotate({ 'plumbline.dev/requestedAt': '1' });
    await until(async () => (await second.status()).lastHandledReconcileAt === '1');
    await second.failure('fought', 'OwnedByOtherSource');
    assert.deepEqual(await dataOf(world, 'fought'), { by: 'first' });
    assert.equal((await first.status()).failures, undefined);
  });

  it('under adoption: Refuse what the first lets go is pruned, then the second makes it', async () => {
    const first = await Team.ready(world, 'giver', {
      'a.yaml': config('given', { by: 'giver' }),
      'b.yaml': config('giver-b'),
    });
    const second = await Team.create(world, 'taker', { 'a.yaml': config('given', { by: 'taker' }) }, refusing);
    await second.failure('given', 'OwnedByOtherSource');
    const uid = (await world.get('v1/configmaps/given'))?.metadata.uid;
    await first.push({ 'a.yaml': null });
    await second.condition('Ready', 'True');
    assert.deepEqual(await dataOf(world, 'given'), { by: 'taker' });
    assert.notEqual((await world.get('v1/configmaps/given'))?.metadata.uid, uid);
  });

  for (const [how, name, declared, spec] of [
    ['as the rule', 'handed', config, {}],
    ['under adoption: Refuse with adopt', 'meant', adopting, refusing],
  ] as const)
    it(`${how}, it is handed over as it is: nothing is deleted in between`, async () => {
      const first = await Team.ready(world, `${name}-elder`, {
        'a.yaml': config(name, { by: 'elder', old: 'x' }),
        'b.yaml': config(`${name}-elder-b`),
      });
      const second = await Team.create(world, `${name}-heir`, { 'a.yaml': declared(name, { by: 'heir' }) }, spec);
      await second.failure(name, 'OwnedByOtherSource');
      const uid = (await world.get(`v1/configmaps/${name}`))?.metadata.uid;
      await first.push({ 'a.yaml': null });
      await second.condition('Ready', 'True');
      assert.deepEqual(await dataOf(world, name), { by: 'heir' });
      assert.equal((await world.get(`v1/configmaps/${name}`))?.metadata.uid, uid);
      await until(async () => (await first.status()).inventory?.count === 1);
      assert.equal((await second.status()).inventory?.count, 1);
      // It is the heir's in every respect.
      await second.push({ 'a.yaml': null, 'c.yaml': config(`${name}-heir-c`) });
      await present(world, name, false);
    });

  it('what is handed over to one that may not write it, and drops it then, is pruned by the first', async () => {
    const first = await Team.ready(world, 'owner', { 'a.yaml': config('dropped'), 'b.yaml': config('owner-b') });
    const files = { 'a.yaml': config('dropped', { by: 'powerless' }), 'b.yaml': config('powerless-b') };
    const second = await Team.create(world, 'powerless', files, { serviceAccountName: 'powerless' });
    await second.condition('Ready', 'False');
    await first.push({ 'a.yaml': null });
    await present(world, 'dropped');
    await second.commit({ 'a.yaml': null });
    await present(world, 'dropped', false);
  });

  it('what belongs to a source that is gone is free', async () => {
    const first = await Team.ready(
      world,
      'late',
      { 'a.yaml': config('left', { by: 'late' }) },
      { deletionPolicy: 'Orphan' },
    );
    await first.delete();
    await first.gone();
    await Team.ready(world, 'next', { 'a.yaml': config('left', { by: 'next' }) }, { adoption: 'Refuse' });
    assert.deepEqual(await dataOf(world, 'left'), { by: 'next' });
  });
});

describe('labels and annotations that were copied', () => {
  it('prove nothing: the copy is neither counted, healed nor pruned', async () => {
    const team = await Team.ready(world, 'proof', { 'a.yaml': config('proof-a'), 'b.yaml': config('proof-b') });
    const original = (await world.get('v1/configmaps/proof-a')) as KubeObject;
    const { labels, annotations } = original.metadata;
    const copy = { metadata: { name: 'proof-copy', labels, annotations }, data: { mine: 'x' } };
    await world.expect(201, 'POST', world.path('v1/configmaps'), { body: copy });
    await team.push({ 'b.yaml': null });
    await present(world, 'proof-b', false);
    await until(async () => (await team.status()).inventory?.count === 1);
    assert.deepEqual(await dataOf(world, 'proof-copy'), { mine: 'x' });
    await team.delete();
    await team.gone();
    await present(world, 'proof-a', false);
    assert.deepEqual(await dataOf(world, 'proof-copy'), { mine: 'x' });
  });
});
