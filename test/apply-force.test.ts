// Immutable fields change only with `force`, and only after a rehearsal has proved that the new object will be taken.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, crd, deployment, manifest, Team } from './team.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const web = (name: string, app: string, image = 'app:1') => deployment(name, { labels: { app }, image });
const uidOf = async (place: string) => (await world.get(place))?.metadata.uid;

describe('a change of an immutable field', { concurrency: true }, () => {
  it('fails without force, says how, and holds nothing else', async () => {
    const team = await Team.ready(world, 'firm', { 'a.yaml': web('firm', 'a') });
    const uid = await uidOf('apps/v1/deployments/firm');
    await team.commit({ 'a.yaml': web('firm', 'b'), 'b.yaml': config('firm-config') });
    const failure = await team.failure('firm', 'ImmutableField');
    assert.equal(failure.file, 'a.yaml');
    assert.ok(await world.get('v1/configmaps/firm-config'));
    assert.equal(await uidOf('apps/v1/deployments/firm'), uid);
    // By the manifest alone.
    const forced = web('firm', 'b').replace(
      'name: firm',
      'name: firm\n  annotations: { plumbline.dev/force: enabled }',
    );
    await team.push({ 'a.yaml': forced });
    assert.notEqual(await uidOf('apps/v1/deployments/firm'), uid);
  });

  it('with force, the object is made anew', async () => {
    const team = await Team.ready(world, 'again', { 'a.yaml': web('again', 'a') }, { force: true });
    const uid = await uidOf('apps/v1/deployments/again');
    await team.push({ 'a.yaml': web('again', 'b') });
    const now = (await world.get('apps/v1/deployments/again')) as KubeObject & { spec: { selector: unknown } };
    assert.notEqual(now.metadata.uid, uid);
    assert.deepEqual(now.spec.selector, { matchLabels: { app: 'b' } });
    assert.deepEqual(
      team.writes.filter((line) => !line.startsWith('created')),
      [`recreated Deployment ${world.namespace}/again`],
    );
    assert.equal((await team.status()).drift?.healedCount, 0, 'our own delete is not drift');
  });

  it('with force, nothing is deleted when creating it again would fail', async () => {
    const team = await Team.ready(world, 'proof', { 'a.yaml': web('proof', 'a') }, { force: true });
    const uid = await uidOf('apps/v1/deployments/proof');
    // The selector is immutable, and its new value does not select the template.
    await team.commit({ 'a.yaml': web('proof', 'b').replace('        app: b', '        app: c') });
    const { message } = await team.failure('proof', 'RecreateRefused');
    assert.match(message, /would fail/);
    assert.equal(await uidOf('apps/v1/deployments/proof'), uid);
  });

  it('with force, a PVC is left alone all the same', async () => {
    const claim = (size: string, mode: string) =>
      manifest('v1', 'PersistentVolumeClaim', 'claim', {
        spec: { accessModes: [mode], resources: { requests: { storage: size } } },
      });
    const team = await Team.ready(world, 'claim', { 'a.yaml': claim('1Gi', 'ReadWriteOnce') }, { force: true });
    const uid = await uidOf('v1/persistentvolumeclaims/claim');
    await team.commit({ 'a.yaml': claim('1Gi', 'ReadWriteMany') });
    await team.failure('claim', 'RecreateRefused');
    assert.equal(await uidOf('v1/persistentvolumeclaims/claim'), uid);
  });

  it('with force, what was pushed while no operator ran is made anew too', async () => {
    await using own = await World.create();
    const team = await Team.ready(own, 'missed', { 'a.yaml': web('missed', 'a') }, { force: true });
    const { uid } = (await own.get('apps/v1/deployments/missed'))!.metadata;
    await own.operator.stop();
    const revision = await team.commit({ 'a.yaml': web('missed', 'b') });
    own.startAsNewPod();
    await team.condition('Ready', 'True', { revision });
    assert.notEqual((await own.get('apps/v1/deployments/missed'))?.metadata.uid, uid);
  });

  it('with force, what is never to be deleted is left alone, and made anew when that is taken off', async () => {
    const team = await Team.ready(world, 'kept', { 'a.yaml': web('kept', 'a') }, { force: true });
    const uid = await uidOf('apps/v1/deployments/kept');
    const marked = (value: string | null) => ({ metadata: { annotations: { 'plumbline.dev/prune': value } } });
    await world.edit('apps/v1/deployments/kept', marked('disabled'));
    await team.commit({ 'a.yaml': web('kept', 'b') });
    const { message } = await team.failure('kept', 'RecreateRefused');
    assert.match(message, /plumbline.dev\/prune is disabled/);
    assert.equal(await uidOf('apps/v1/deployments/kept'), uid);
    await world.edit('apps/v1/deployments/kept', marked(null));
    await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
    await team.condition('Ready', 'True');
    assert.notEqual(await uidOf('apps/v1/deployments/kept'), uid);
  });

  it('a refusal of another sort never leads to a delete', async () => {
    const group = `${world.namespace}.force.example.com`;
    const team = await Team.ready(
      world,
      'other',
      { 'a.yaml': web('other', 'a'), 'crd.yaml': crd(group, 'Widget', 'widgets') },
      { force: true },
    );
    const uid = await uidOf('apps/v1/deployments/other');
    await team.commit({ 'a.yaml': web('other', 'a', '') });
    await team.failure('other', 'ApiInvalid');
    assert.equal(await uidOf('apps/v1/deployments/other'), uid);
  });
});
