// `atomic: true`: when any object of a revision would be refused, nothing of it is applied.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, crd, dataOf, manifest, Team } from './team.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const refused = (name: string) => manifest('v1', 'Service', name, { spec: { ports: [{ port: 99999 }] } });

describe('an atomic source', { concurrency: true }, () => {
  it('applies nothing of a revision with an object that the server refuses', async () => {
    const team = await Team.ready(world, 'atom', { 'a.yaml': config('atom-a') }, { atomic: true, retryInterval: '1s' });
    await team.commit({ 'a.yaml': config('atom-a', { key: 'new' }), 'b.yaml': refused('atom-bad') });
    await team.failure('atom-bad', 'ApiInvalid');
    assert.match((await team.failure('atom-a', 'NotAttempted')).message, /1 other object/);
    const writes = team.writes.length;
    // Tried again and again, none of its attempts applies a part.
    await team.annotate({ 'plumbline.dev/requestedAt': 'again' });
    await team.condition('Ready', 'False');
    assert.deepEqual(await dataOf(world, 'atom-a'), { key: 'value' });
    assert.equal(team.writes.length, writes);
    await team.push({ 'b.yaml': null });
    assert.deepEqual(await dataOf(world, 'atom-a'), { key: 'new' });
  });

  it('applies nothing when one object must not be taken from others', async () => {
    await world.expect(201, 'POST', world.path('v1/configmaps'), { body: { metadata: { name: 'foreign' } } });
    const spec = { atomic: true, adoption: 'Refuse', retryInterval: '1s' } as const;
    const team = await Team.create(world, 'taken', { 'a.yaml': config('taken-a'), 'b.yaml': config('foreign') }, spec);
    await team.failure('foreign', 'AdoptionRefused');
    await team.failure('taken-a', 'NotAttempted');
    assert.equal(await dataOf(world, 'taken-a'), undefined);
  });

  it('applies nothing when one object belongs to another source', async () => {
    await Team.ready(world, 'owner', { 'a.yaml': config('atom-shared') });
    const files = { 'a.yaml': config('second-a'), 'b.yaml': config('atom-shared') };
    const second = await Team.create(world, 'second', files, { atomic: true });
    await second.failure('atom-shared', 'OwnedByOtherSource');
    await second.failure('second-a', 'NotAttempted');
    assert.equal(await dataOf(world, 'second-a'), undefined);
  });

  it('applies a Namespace, a CRD and what lives in them all the same', async () => {
    const namespace = `${world.namespace}-atom`;
    const group = `${world.namespace}.atom.example.com`;
    const files = {
      'a.yaml': manifest(`${group}/v1`, 'Widget', 'w', { metadata: { namespace } }),
      'b.yaml': config('c', {}, { namespace }),
      'c.yaml': manifest('v1', 'Namespace', namespace),
      'd.yaml': crd(group, 'Widget', 'widgets'),
    };
    await Team.ready(world, 'bundle', files, { atomic: true });
  });
});
