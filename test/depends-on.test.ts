// A source waits for those that it depends on, and what it applied before stays enforced meanwhile.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, deployment, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create({ args: ['--concurrency=2'] })));
after(() => world[Symbol.asyncDispose]());

describe('dependsOn', { concurrency: true }, () => {
  it('waits until the other is Ready, and goes on at once when it is', async () => {
    const team = await Team.create(
      world,
      'child',
      { 'a.yaml': config('child-a') },
      { dependsOn: [{ name: 'parent' }] },
    );
    const { status } = await team.condition('Ready', 'False', { reason: 'DependencyNotReady' });
    assert.match(
      status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '',
      /parent, which does not exist/,
    );
    const parent = await Team.create(world, 'parent', { 'a.yaml': 'kind: [' });
    await parent.condition('Ready', 'False');
    await until(async () => (await team.status()).conditions?.some(({ message }) => /is not Ready/.test(message)));
    assert.equal(await dataOf(world, 'child-a'), undefined);
    await parent.push({ 'a.yaml': config('parent-a') });
    await team.condition('Ready', 'True');
  });

  it('with wait, a source that is not healthy holds back those that depend on it', async () => {
    const web = (image: string) => deployment('healthy', { image, replicas: 1, progressDeadlineSeconds: 2 });
    const parent = await Team.create(world, 'healthy', { 'a.yaml': web('bad-image') }, { wait: true });
    const child = await Team.create(
      world,
      'dependent',
      { 'a.yaml': config('dependent-a') },
      { dependsOn: [{ name: 'healthy' }] },
    );
    await child.condition('Ready', 'False', { reason: 'DependencyNotReady' });
    await parent.condition('Ready', 'False', { reason: 'HealthCheckFailed' });
    assert.equal(await dataOf(world, 'dependent-a'), undefined);
    await parent.push({ 'a.yaml': web('app:1') });
    await child.condition('Ready', 'True');
  });

  it('what was applied before is put back also by a new pod, while a newer commit waits', async () => {
    await using own = await World.create();
    const parent = await Team.ready(own, 'base', { 'a.yaml': config('base-a') });
    const child = await Team.ready(own, 'top', { 'a.yaml': config('top-a') }, { dependsOn: [{ name: 'base' }] });
    await parent.commit({ 'a.yaml': 'kind: [' });
    await parent.condition('Ready', 'False');
    await own.operator.stop('SIGKILL');
    await child.commit({ 'a.yaml': config('top-a'), 'b.yaml': config('top-b') });
    await own.edit('v1/configmaps/top-a', { data: { key: 'edited' } });
    own.startAsNewPod();
    await until(async () => (await dataOf(own, 'top-a'))?.['key'] === 'value', { what: 'what is applied is put back' });
    await child.condition('Ready', 'False', { reason: 'DependencyNotReady' });
    assert.equal(await dataOf(own, 'top-b'), undefined);
    await parent.push({ 'a.yaml': config('base-a') });
    await child.condition('Ready', 'True');
    assert.deepEqual(await dataOf(own, 'top-b'), { key: 'value' });
  });
});
