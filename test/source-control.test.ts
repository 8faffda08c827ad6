// What a person says about a source takes effect at once, also in the middle of work: suspend, a newer commit.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create({ args: ['--concurrency=2'] })));
after(() => world[Symbol.asyncDispose]());

const reasonOf = async (team: Team, type = 'Ready') =>
  (await team.status()).conditions?.find((condition) => condition.type === type)?.reason;

const readyOf = async (team: Team) =>
  (await team.status()).conditions?.find((condition) => condition.type === 'Ready')?.message ?? '';

describe('suspend', { concurrency: true }, () => {
  it('stops commits, heals and prunes, and keeps Ready as it was; resume catches up with everything', async () => {
    const team = await Team.ready(world, 'sleep', {
      'a.yaml': config('sleep-a'),
      'b.yaml': config('sleep-b'),
      'c.yaml': config('sleep-c'),
    });
    await team.patch({ spec: { suspend: true } });
    const { status } = await team.condition('Ready', 'True', { reason: 'Suspended' });
    assert.equal(
      status?.conditions?.some(({ type }) => type === 'Reconciling'),
      false,
    );
    const writes = team.writes.length;
    const commit = await team.commit({ 'b.yaml': null, 'd.yaml': config('sleep-d') });
    await world.edit('v1/configmaps/sleep-a', { data: { key: 'edited' } });
    await world.expect(200, 'DELETE', world.path('v1/configmaps/sleep-c'));
    await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
    // Another source is served meanwhile: had this one been, it would have been by now.
    await Team.ready(world, 'awake', { 'a.yaml': config('awake-a') });
    assert.equal(team.writes.length, writes);
    assert.deepEqual(await dataOf(world, 'sleep-a'), { key: 'edited' });
    await team.patch({ spec: { suspend: false } });
    await team.condition('Ready', 'True', { reason: 'ReconciliationSucceeded', revision: commit });
    await until(async () => (await dataOf(world, 'sleep-a'))?.['key'] === 'value');
    await present(world, 'sleep-b', false);
    await present(world, 'sleep-c');
    await present(world, 'sleep-d');
  });

  it('ends a fetch that hangs, and so do a new commit and a delete', async () => {
    // One of its own: a namespace takes half of the workers at most, and both of these hang.
    await using own = await World.create({ args: ['--concurrency=4'] });
    const team = await Team.ready(own, 'stuck', { 'a.yaml': config('stuck-a') });
    const other = await Team.ready(own, 'stuck-too', { 'a.yaml': config('stuck-too-a') });
    own.git.fault = ({ operation }) => (operation === 'fetch' ? 'hang' : 'pass');
    const isHanging = (name: string) =>
      own.git.requests.some(
        ({ repository, operation, status }) => repository === name && operation === 'fetch' && !status,
      );
    for (const { name, repository } of [team, other]) {
      await repository.write({ 'b.yaml': config(`${name}-b`) });
      await until(() => isHanging(name), { what: `the fetch of ${name} hangs`, timeoutMs: 60_000 });
    }
    await team.patch({ spec: { suspend: true } });
    // True as before, or Unknown when it had already been said that the fetch takes its time.
    await until(async () => (await reasonOf(team)) === 'Suspended', { what: 'it is suspended', timeoutMs: 60_000 });
    await other.delete();
    await other.gone();
    delete own.git.fault;
    await team.patch({ spec: { suspend: false } });
    await present(own, 'stuck-b');
  });

  it('stops in the middle of applying', async () => {
    const files: Record<string, string> = {};
    for (let index = 0; index < 300; index += 1) files[`${index}.yaml`] = config(`many-${index}`);
    const team = await Team.create(world, 'many', files);
    await until(() => team.writes.length > 20, { timeoutMs: 60_000, what: 'applying has begun' });
    await team.patch({ spec: { suspend: true } });
    await until(async () => (await reasonOf(team)) === 'Suspended');
    const writes = team.writes.length;
    await Team.ready(world, 'many-other', { 'a.yaml': config('many-other-a') });
    assert.equal(team.writes.length, writes);
    await team.patch({ spec: { suspend: false } });
    await team.condition('Ready', 'True');
    assert.equal((await team.status()).inventory?.count, 300);
    const selector = encodeURIComponent('plumbline.dev/name=many');
    const list = await world.expect(200, 'GET', `${world.path('v1/configmaps')}?labelSelector=${selector}`);
    assert.equal((list['items'] as unknown[]).length, 300);
    // What a slow server answers later than half a second after the suspend is not told; nothing is told twice.
    assert.equal(new Set(team.writes).size, team.writes.length);
  });
});

describe('wait', { concurrency: true }, () => {
  const web = (name: string, image: string) => deployment(name, { image, replicas: 1 });

  it('Ready follows health, and no worker is held meanwhile', async () => {
    const teams = await Promise.all(
      ['w1', 'w2', 'w3', 'w4'].map((name) =>
        Team.create(world, name, { 'a.yaml': web(name, 'bad-image') }, { wait: true }),
      ),
    );
    // More sources wait than there are workers.
    for (const team of teams) await team.condition('Ready', 'Unknown', { reason: 'Progressing' });
    await Team.ready(world, 'quick', { 'a.yaml': config('quick-a') });
    const slow = await Team.ready(world, 'slow', { 'a.yaml': web('slow', 'slow-app') }, { wait: true });
    assert.deepEqual((await slow.status()).health?.ready, 1);
    // A new commit ends the wait for the old one.
    await teams[0]!.push({ 'a.yaml': web('w1', 'app:2') });
    await teams[1]!.patch({ spec: { suspend: true } });
    await until(async () => (await reasonOf(teams[1]!)) === 'Suspended');
    await teams[2]!.delete();
    await teams[2]!.gone();
  });

  it('says so when the time for it is over, and recovers', async () => {
    const team = await Team.create(
      world,
      'over',
      { 'a.yaml': web('over', 'bad-image') },
      { wait: true, timeout: '1s' },
    );
    const { status } = await team.condition('Ready', 'False', { reason: 'HealthCheckTimeout' });
    assert.match(status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /within 1s: Deployment over/);
    assert.equal(await reasonOf(team, 'Healthy'), 'Progressing');
    await team.push({ 'a.yaml': web('over', 'app:1') });
  });

  it('an edit of the source gives the time anew', async () => {
    const team = await Team.ready(
      world,
      'edited',
      { 'one/a.yaml': config('edited-a'), 'two/b.yaml': web('edited-b', 'bad-image') },
      { wait: true, timeout: '3s', path: 'one' },
    );
    await delay(4_000);
    await team.patch({ spec: { path: 'two' } });
    await until(async () => (await readyOf(team)).startsWith('waits for 1 object '), {
      what: 'the new object is waited for',
    });
    await until(async () => /within 3s: Deployment edited-b/.test(await readyOf(team)), { what: 'the time is over' });
  });

  it('a shorter time is kept too', async () => {
    const files = { 'a.yaml': web('shorter', 'bad-image') };
    const team = await Team.create(world, 'shorter', files, { wait: true, timeout: '1h' });
    await until(async () => (await readyOf(team)).startsWith('waits for 1 object '));
    await team.patch({ spec: { timeout: '5s' } });
    await until(async () => /within 5s/.test(await readyOf(team)), { what: 'the time is over' });
  });

  it('what was healthy has its time anew when a pod moves', async () => {
    const files = { 'a.yaml': web('moved', 'slow-app') };
    const team = await Team.ready(world, 'moved', files, { wait: true, timeout: '6s' });
    await delay(6_500);
    const pods = world.path('v1/pods');
    const { items } = (await world.expect(200, 'GET', pods)) as unknown as { items: KubeObject[] };
    const { name } = items.find(({ metadata }) => metadata.name.startsWith('moved-'))!.metadata;
    await world.expect(200, 'DELETE', `${pods}/${name}`);
    const isTold = async () => {
      const reason = await reasonOf(team);
      return reason === 'ReconciliationSucceeded' ? undefined : reason;
    };
    assert.equal(await until(isTold, { what: 'the pod is missed' }), 'Progressing');
    await team.condition('Ready', 'True', { reason: 'ReconciliationSucceeded' });
  });

  it('without wait, Ready does not ask for health, and Healthy tells it', async () => {
    const team = await Team.ready(world, 'careless', { 'a.yaml': web('careless', 'bad-image') });
    const { status } = await team.condition('Healthy', 'Unknown', { reason: 'Progressing' });
    assert.equal(status?.health?.progressing, 1);
    await team.push({ 'a.yaml': web('careless', 'app:1') });
    await team.condition('Healthy', 'True');
  });
});
