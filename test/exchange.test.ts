// Objects move between sources of one namespace within one commit: each ends with the source that declares it now.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const ownerOf = async (name: string) =>
  (await world.get(`v1/configmaps/${name}`))?.metadata.annotations?.['plumbline.dev/owner']?.split(':')[0];

async function pair(prefix: string, world: World): Promise<void> {
  await world.repository.write({
    [`${prefix}/one/x.yaml`]: config(`${prefix}-x`, { by: 'one' }),
    [`${prefix}/one/own.yaml`]: config(`${prefix}-one`),
    [`${prefix}/two/y.yaml`]: config(`${prefix}-y`, { by: 'two' }),
    [`${prefix}/two/own.yaml`]: config(`${prefix}-two`),
  });
  for (const name of ['one', 'two']) {
    await world.createSource({ path: `${prefix}/${name}`, retryInterval: '2s' }, `${prefix}-${name}`);
    await world.condition('Ready', 'True', { name: `${prefix}-${name}` });
  }
}

describe('objects that move between sources of a namespace', () => {
  it('are exchanged, although each source can only be whole when the other has let go', async () => {
    await pair('exchange', world);
    const commit = await world.repository.write({
      'exchange/one/x.yaml': null,
      'exchange/one/y.yaml': config('exchange-y', { by: 'one' }),
      'exchange/two/y.yaml': null,
      'exchange/two/x.yaml': config('exchange-x', { by: 'two' }),
    });
    for (const name of ['exchange-one', 'exchange-two'])
      await world.condition('Ready', 'True', { name, revision: commit, timeoutMs: 30_000 });
    assert.deepEqual(
      [await dataOf(world, 'exchange-x'), await dataOf(world, 'exchange-y')],
      [{ by: 'two' }, { by: 'one' }],
    );
    assert.equal(await ownerOf('exchange-x'), `${world.namespace}/exchange-two`);
    assert.equal(await ownerOf('exchange-y'), `${world.namespace}/exchange-one`);
  });

  it('move as they are, whichever of the two reads the commit first', async () => {
    // One after the other, so that the one that lets go has come to its end before the other one has begun.
    await using slow = await World.create({ args: ['--concurrency=1'] });
    await pair('moving', slow);
    const uids = async () =>
      Promise.all(['x', 'y'].map(async (name) => (await slow.get(`v1/configmaps/moving-${name}`))?.metadata.uid));
    const before = await uids();
    for (const [from, to, name] of [
      ['one', 'two', 'x'],
      ['two', 'one', 'y'],
    ]) {
      const commit = await slow.repository.write({
        [`moving/${from}/${name}.yaml`]: null,
        [`moving/${to}/${name}.yaml`]: config(`moving-${name}`, { by: to! }),
      });
      for (const source of ['moving-one', 'moving-two'])
        await slow.condition('Ready', 'True', { name: source, revision: commit });
      assert.deepEqual(await dataOf(slow, `moving-${name}`), { by: to });
    }
    assert.deepEqual(await uids(), before);
  });

  it('are not lost to one that would make them anew while anything else fails: it may be the other half of a rename', async () => {
    await pair('failing', world);
    await world.patchSource({ spec: { adoption: 'Refuse' } }, 'failing-two');
    await world.repository.write({
      'failing/one/x.yaml': null,
      'failing/one/bad.yaml': config('Not A Name'),
      'failing/two/x.yaml': config('failing-x', { by: 'two' }),
    });
    await world.condition('Ready', 'False', { name: 'failing-two', reason: 'ConflictDetected' });
    await world.condition('Ready', 'False', { name: 'failing-one' });
    // The second is refused again and again meanwhile, and the first one tries again as well.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    assert.equal(await ownerOf('failing-x'), `${world.namespace}/failing-one`);
    await world.repository.write({ 'failing/one/bad.yaml': null });
    await until(async () => (await ownerOf('failing-x')) === `${world.namespace}/failing-two`);
  });
});
