// spec.sync Manual: a new commit is shown as a plan, and applied when somebody approves exactly that commit.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { GitFault } from './git-server.ts';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';
import { applied, closed, conditionOf, headOf, waiting } from './windows.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('spec.sync Manual', () => {
  it('waits for the approval of each commit; drift of the approved one is healed meanwhile', async () => {
    const team = await Team.create(world, 'app', { 'a.yaml': config('a'), 'b.yaml': config('b') }, { sync: 'Manual' });
    const first = await headOf(team);
    const fresh = await waiting(team, first, 'WaitingForApproval');
    assert.deepEqual([fresh.status?.pending?.create, conditionOf(fresh, 'Ready').status], [2, 'Unknown']);
    await team.annotate({ 'plumbline.dev/requestedAt': 'look' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'look');
    assert.equal(await dataOf(world, 'a'), undefined, 'to look is not to approve');
    await team.annotate({ 'plumbline.dev/approve': first });
    await applied(team, first);

    const second = await team.commit({
      'a.yaml': config('a', { key: 'second' }),
      'b.yaml': null,
      'c.yaml': config('c'),
    });
    const source = await waiting(team, second, 'WaitingForApproval');
    const { objects, ...pending } = source.status!.pending!;
    const revision = `main@sha1:${second}`;
    assert.deepEqual(pending, {
      revision,
      reason: 'WaitingForApproval',
      create: 1,
      configure: 1,
      prune: 1,
      findings: [],
    });
    assert.deepEqual(
      objects.map(({ action, name, file, line }) => [action, name, file, line]),
      [
        ['configure', 'a', 'a.yaml', 1],
        ['create', 'c', 'c.yaml', 1],
        ['prune', 'b', undefined, undefined],
      ],
    );
    const ready = conditionOf(source, 'Ready');
    assert.equal(ready.status, 'True');
    assert.ok(ready.message.includes(`plumbline.dev/approve=${revision}`), ready.message);
    await world.edit('v1/configmaps/a', { data: { key: 'by hand' } });
    await until(async () => (await dataOf(world, 'a'))?.['key'] === 'value');

    // The approval of a commit that is no longer the newest approves nothing.
    const third = await team.commit({ 'a.yaml': config('a', { key: 'third' }) });
    await waiting(team, third, 'WaitingForApproval');
    await team.annotate({ 'plumbline.dev/approve': second });
    await team.annotate({ 'plumbline.dev/requestedAt': 'again' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'again');
    await waiting(team, third, 'WaitingForApproval');
    assert.deepEqual(await dataOf(world, 'a'), { key: 'value' });

    await team.annotate({ 'plumbline.dev/approve': `main@sha1:${third}` });
    await applied(team, third);
    assert.deepEqual(await dataOf(world, 'a'), { key: 'third' });
    await present(world, 'b', false);
    assert.equal((await team.status()).pending, undefined);
    const audited = world.operator.lines.filter(({ audit, annotation }) => audit && annotation !== undefined);
    assert.deepEqual(
      audited.map((line) => [line['revision'], line['annotation'], typeof line['by']]),
      [first, third].map((commit) => [`main@sha1:${commit}`, 'plumbline.dev/approve', 'string']),
    );
  });

  it('a restart neither approves nor forgets an approval', async () => {
    const team = await Team.create(world, 'again', { 'a.yaml': config('again-a') }, { sync: 'Manual' });
    const first = await headOf(team);
    await waiting(team, first, 'WaitingForApproval');
    await team.annotate({ 'plumbline.dev/approve': first });
    await applied(team, first);
    const second = await team.commit({ 'a.yaml': config('again-a', { key: 'second' }) });
    await waiting(team, second, 'WaitingForApproval');
    await world.operator.stop('SIGKILL');
    await world.edit('v1/configmaps/again-a', { data: { key: 'by hand' } });
    world.startOperator();
    await until(async () => (await dataOf(world, 'again-a'))?.['key'] === 'value', { timeoutMs: 60_000 });
    await waiting(team, second, 'WaitingForApproval');
    await until(() => team.writes.length > 0);
    assert.deepEqual(team.writes, [`healed ConfigMap ${world.namespace}/again-a`]);
  });

  it('an approved commit waits for the window as well', async () => {
    const team = await Team.create(
      world,
      'both',
      { 'a.yaml': config('both-a') },
      { sync: 'Manual', windows: [closed('sync')] },
    );
    const first = await headOf(team);
    await waiting(team, first, 'WaitingForApproval');
    await team.annotate({ 'plumbline.dev/approve': first });
    await waiting(team, first, 'WaitingForWindow');
    assert.equal(await dataOf(world, 'both-a'), undefined);
    await team.annotate({ 'plumbline.dev/syncNow': first });
    await applied(team, first);
  });

  it('a request that comes while Git is being read is not answered before Git has been asked again', async () => {
    const files = { 'a.yaml': config('late-a') };
    const team = await Team.create(world, 'late', files, { sync: 'Manual', interval: '1h' });
    await waiting(team, await headOf(team), 'WaitingForApproval');
    const hold = (operation: string) => {
      const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      world.git.fault = async (request): Promise<GitFault> => {
        if (request.repository !== 'late' || request.operation !== operation) return 'pass';
        arrived.resolve();
        await released.promise;
        return 'pass';
      };
      return { arrived: arrived.promise, release: released.resolve };
    };
    const fetching = hold('fetch');
    await team.commit({ 'a.yaml': config('late-a', { key: 'second' }) });
    await team.annotate({ 'plumbline.dev/requestedAt': 'one' });
    await fetching.arrived;
    const third = await team.commit({ 'a.yaml': config('late-a', { key: 'third' }) });
    await team.annotate({ 'plumbline.dev/requestedAt': 'two' });
    // The annotation reaches the operator, and what it knows of Git gets too old.
    await delay(1_500);
    const asking = hold('ls-refs');
    fetching.release();
    await asking.arrived;
    await delay(2_000);
    assert.notEqual((await team.status()).lastHandledReconcileAt, 'two');
    asking.release();
    delete world.git.fault;
    await until(async () => (await team.status()).lastHandledReconcileAt === 'two');
    assert.ok((await team.status()).pending?.revision.endsWith(third));
  });

  it('Auto applies what waited', async () => {
    const team = await Team.create(world, 'auto', { 'a.yaml': config('auto-a') }, { sync: 'Manual' });
    const first = await headOf(team);
    await waiting(team, first, 'WaitingForApproval');
    await team.patch({ spec: { sync: 'Auto' } });
    await applied(team, first);
  });
});
