// What a status says is ours alone: a write that a replica sent before it died arrives long after it, and is refused or undone.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { sharedCluster } from './cluster.ts';
import { ApiProxy } from './faults/proxy.ts';
import { World } from './operator.ts';
import { config } from './team.ts';
import { until } from './until.ts';

const WAIT = { timeoutMs: 60_000 };

it('a status that somebody else wrote is put right', async () => {
  await using world = await World.create();
  await world.createSource();
  const commit = await world.push({ 'a.yaml': config('a') });
  const { status } = await world.condition('Ready', 'True');
  const conditions = status!.conditions!.map((one) => (one.type === 'Ready' ? { ...one, status: 'False' } : one));
  const path = `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources/app/status`;
  await world.expect(200, 'PATCH', path, { body: { status: { conditions, lastAppliedRevision: 'main@sha1:0' } } });
  const right = await world.condition('Ready', 'True', WAIT);
  assert.ok(right.status?.lastAppliedRevision?.endsWith(commit));
});

it('a write of the status that arrives when another operator has written it changes nothing', async () => {
  const cluster = await sharedCluster();
  await using proxy = await ApiProxy.start(cluster);
  await using world = await World.create({ via: proxy });
  await world.createSource();
  await world.push({ 'a.yaml': config('a') });

  proxy.arm({ on: ['write'], after: 0, times: 100, fault: { kind: 'hold', ms: 20_000 } });
  await world.repository.write({ 'a.yaml': 'kind: [' });
  await until(() => proxy.met.has('hold'), { what: 'the first operator tells of the broken commit', ...WAIT });
  await world.operator.stop('SIGKILL');
  const commit = await world.repository.write({ 'a.yaml': config('a', { key: 'mended' }) });
  world.startOperator({ via: cluster });
  await world.condition('Ready', 'True', { revision: commit, ...WAIT });
  await proxy.delivered();
  const { status } = await world.condition('Ready', 'True', WAIT);
  assert.ok(status?.lastAppliedRevision?.endsWith(commit));
});

it('a run that an edit of the source overtakes says nothing of the edited source', async () => {
  const cluster = await sharedCluster();
  await using proxy = await ApiProxy.start(cluster);
  await using world = await World.create({ via: proxy });
  await world.createSource();
  await world.push({ 'a.yaml': config('overtaken') });

  proxy.arm({ on: ['write'], at: '/configmaps/overtaken', after: 0, times: 1, fault: { kind: 'slow', ms: 400 } });
  await world.repository.write({ 'a.yaml': config('overtaken', { key: 'second' }) });
  await until(() => proxy.met.has('slow'), { what: 'the commit is being applied', ...WAIT });
  world.git.fault = () => 'hang';
  await world.patchSource({ spec: { ref: { branch: 'other' } } });
  const ready = async () => {
    const { metadata, status } = (await world.source())!;
    const found = status?.conditions?.find(({ type }) => type === 'Ready');
    return found && found.observedGeneration === metadata.generation ? `${found.status} ${found.message}` : '';
  };
  const endsAt = Date.now() + 4_000;
  while (Date.now() < endsAt) {
    assert.doesNotMatch(await ready(), /^True/);
    await delay(20);
  }
});
