// A source waits for those that it depends on, and what it applied before stays enforced meanwhile.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { APPROVE_ANNOTATION, NAME_LABEL } from '../src/api/names.ts';
import { findCondition, type Condition } from '../src/api/conditions.ts';
import type { GitOpsSource } from '../src/api/source.ts';
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
    const told = await team.condition('Ready', 'False', { reason: 'DependencyNotReady' });
    assert.match(readyOf(told).message, /parent, which does not exist/);
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

  describe('of sources of one repository', { concurrency: true }, () => {
    it('a commit reaches first the one that the other depends on, and nothing is said of the moment between', async () => {
      const { base, top } = await pair('order');
      const many = Array.from({ length: 30 }, (_, index) => [`base/${index}.yaml`, config(`order-base-${index}`)]);
      const failures = () =>
        world.operator.lines.filter(({ msg, source }) => source === top.key && /not be rec/.test(msg!));
      const failed = failures().length;
      const pushed = await top.commit({ ...Object.fromEntries(many), 'top/b.yaml': config('order-top-b') });
      const told = new Set<string>();
      const isThere = async () => {
        const { status, message } = readyOf((await top.source())!);
        told.add(message);
        return status === 'True' && message.includes(pushed);
      };
      await until(isThere, { what: 'the dependent has applied it' });
      await base.condition('Ready', 'True', { revision: pushed });
      const first = await versionOf('order-top-b');
      for (const index of many.keys()) assert.ok((await versionOf(`order-base-${index}`)) < first, `${index}`);
      // On a busy machine a run may take so long that it is told of.
      for (const message of told) assert.match(message, /^appl(ied revision|ying) /);
      assert.equal(failures().length, failed);
    });

    it('a commit that the one cannot apply stays away from the other', async () => {
      const { base, top } = await pair('stays');
      await top.commit({ 'base/a.yaml': 'kind: [', 'top/b.yaml': config('stays-top-b') });
      await base.condition('Ready', 'False');
      await top.condition('Ready', 'False', { reason: 'DependencyNotReady' });
      assert.equal(await dataOf(world, 'stays-top-b'), undefined);
      const mended = await top.commit({ 'base/a.yaml': config('stays-base') });
      await top.condition('Ready', 'True', { revision: mended });
      assert.deepEqual(await dataOf(world, 'stays-top-b'), { key: 'value' });
    });

    it('what waits for an approval in the one waits in the other, which says why', async () => {
      const { base, top } = await pair('approval');
      await base.patch({ spec: { sync: 'Manual' } });
      await until(async () => (await base.status()).observedGeneration === 2);
      const pushed = await top.commit({
        'base/b.yaml': config('approval-base-b'),
        'top/b.yaml': config('approval-top-b'),
      });
      const told = await top.condition('Ready', 'False', { reason: 'DependencyNotReady' });
      assert.match(readyOf(told).message, /approval-base, where main@sha1:[0-9a-f]+ waits: WaitingForApproval/);
      assert.equal(await dataOf(world, 'approval-top-b'), undefined);
      await base.annotate({ [APPROVE_ANNOTATION]: pushed });
      await top.condition('Ready', 'True', { revision: pushed });
    });

    it('one that is suspended holds no commit back', async () => {
      const { base, top } = await pair('asleep');
      await base.patch({ spec: { suspend: true } });
      await base.condition('Ready', 'True', { reason: 'Suspended' });
      const pushed = await top.commit({ 'base/b.yaml': config('asleep-base-b'), 'top/b.yaml': config('asleep-top-b') });
      await top.condition('Ready', 'True', { revision: pushed });
      assert.equal(await dataOf(world, 'asleep-base-b'), undefined);
    });

    it('an object that moves between the two is handed over as it is', async () => {
      const { base, top } = await pair('moves');
      await top.commit({ 'top/b.yaml': config('moves-b') });
      await until(async () => dataOf(world, 'moves-b'));
      const { uid } = (await world.get('v1/configmaps/moves-b'))!.metadata;
      for (const [from, to] of [
        ['top', 'base'],
        ['base', 'top'],
      ]) {
        const moved = await top.commit({ [`${from}/b.yaml`]: null, [`${to}/b.yaml`]: config('moves-b') });
        await base.condition('Ready', 'True', { revision: moved });
        await top.condition('Ready', 'True', { revision: moved });
        const { metadata } = (await world.get('v1/configmaps/moves-b'))!;
        assert.deepEqual([metadata.labels?.[NAME_LABEL], metadata.uid], [`moves-${to}`, uid]);
      }
    });
  });

  it('sources that wait for each other say so', async () => {
    const one = await Team.ready(world, 'circle-1', { 'a.yaml': config('circle-1') });
    await Team.ready(world, 'circle-2', { 'a.yaml': config('circle-2') }, { dependsOn: [{ name: 'circle-1' }] });
    await one.patch({ spec: { dependsOn: [{ name: 'circle-2' }] } });
    const told = await one.condition('Ready', 'False', { reason: 'DependencyNotReady' });
    assert.match(readyOf(told).message, /waits for itself: circle-1 → circle-2 → circle-1/);
    await one.patch({ spec: { dependsOn: null } });
    await one.condition('Ready', 'True');
  });
});

/** Two sources over a folder each of one repository, both Ready: `top` depends on `base`. */
async function pair(name: string): Promise<{ base: Team; top: Team }> {
  const repository = await world.git.createRepository(name);
  await repository.write({ 'base/a.yaml': config(`${name}-base-a`), 'top/a.yaml': config(`${name}-top-a`) });
  const base = await Team.sharing(repository, world, `${name}-base`, { path: 'base' });
  const dependsOn = [{ name: base.name }];
  const top = await Team.sharing(repository, world, `${name}-top`, { path: 'top', dependsOn });
  await top.condition('Ready', 'True');
  return { base, top };
}

function readyOf({ status }: GitOpsSource): Condition {
  return findCondition((status?.conditions ?? []) as Condition[], 'Ready')!;
}

async function versionOf(configMap: string): Promise<number> {
  return Number((await world.get(`v1/configmaps/${configMap}`))?.metadata.resourceVersion);
}
