// A restart while the window is closed: what was let through last is enforced, not what Git says now.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { World } from './operator.ts';
import { config, dataOf, Team } from './team.ts';
import { until } from './until.ts';
import { closed, waiting } from './windows.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const says = (name: string, key: string) =>
  until(async () => (await dataOf(world, name))?.['key'] === key, { what: `${name} says ${key}`, timeoutMs: 60_000 });

it('heals towards the last applied commit from the mirror, also what changed while nobody watched', async () => {
  const team = await Team.ready(world, 'app', { 'a.yaml': config('a'), 'b.yaml': config('b') });
  await team.patch({ spec: { windows: [closed('sync')] } });
  const seen = await team.commit({ 'a.yaml': config('a', { key: 'seen' }) });
  await waiting(team, seen, 'WaitingForWindow');
  await world.operator.stop('SIGKILL');
  const newest = await team.commit({ 'a.yaml': config('a', { key: 'newest' }), 'b.yaml': null });
  await world.edit('v1/configmaps/a', { data: { key: 'by hand' } });

  world.startOperator();
  await says('a', 'value');
  const source = await waiting(team, newest, 'WaitingForWindow');
  assert.deepEqual([source.status?.pending?.configure, source.status?.pending?.prune], [1, 1]);
  assert.ok(await dataOf(world, 'b'));
  await until(() => team.writes.length > 0);
  assert.deepEqual(team.writes, [`healed ConfigMap ${world.namespace}/a`]);
});

it('brings to its end what was let through and is only half applied', async () => {
  const team = await Team.ready(world, 'half', { 'a.yaml': config('half-a') });
  await team.patch({ spec: { windows: [closed('sync')] } });
  const broken = { 'a.yaml': config('half-a', { key: 'new' }), 'b.yaml': config('half-b', { key: 1 as never }) };
  const commit = await team.commit(broken);
  await waiting(team, commit, 'WaitingForWindow');
  await team.annotate({ 'plumbline.dev/syncNow': commit });
  await team.failure('half-b');
  await says('half-a', 'new');
  await team.annotate({ 'plumbline.dev/syncNow': null });
  await world.operator.stop('SIGKILL');
  await world.edit('v1/configmaps/half-a', { data: { key: 'by hand' } });

  world.startOperator();
  await says('half-a', 'new');
  await team.failure('half-b');
  const { pending, lastReleasedRevision, lastAppliedRevision } = await team.status();
  assert.equal(pending, undefined);
  assert.ok(lastReleasedRevision?.endsWith(commit));
  assert.ok(!lastAppliedRevision?.endsWith(commit));
});

it('what cannot be read after a restart is asked for again, while a newer commit waits', async () => {
  const team = await Team.ready(world, 'lost', { 'a.yaml': config('lost-a') });
  const applied = (await team.status()).lastAppliedRevision!.slice(-40);
  await team.patch({ spec: { windows: [closed('sync')] } });
  const seen = await team.commit({ 'a.yaml': config('lost-a', { key: 'new' }) });
  await waiting(team, seen, 'WaitingForWindow');
  await world.operator.stop('SIGKILL');
  await world.edit('v1/configmaps/lost-a', { data: { key: 'by hand' } });

  let refused = 0;
  world.git.fault = ({ lines }) => {
    if (!lines.some((line) => line.includes(applied))) return 'pass';
    refused += 1;
    return { status: 503 };
  };
  world.startAsNewPod();
  await until(() => world.operator.lines.some(({ msg }) => msg === 'watching sources'));
  await until(() => refused > 0, { what: 'the applied commit is asked for', timeoutMs: 60_000 });
  await waiting(team, seen, 'WaitingForWindow');
  world.git.fault = () => 'pass';
  await says('lost-a', 'value');
});
