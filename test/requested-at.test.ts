// The annotations plumbline.dev/requestedAt and reconcile.fluxcd.io/requestedAt: now, and everything is looked at.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ServedMetrics } from './metrics.ts';
import { World } from './operator.ts';
import { config, dataOf, manifest, Team } from './team.ts';
import { until } from './until.ts';

const OURS = 'plumbline.dev/requestedAt';
const FLUX = 'reconcile.fluxcd.io/requestedAt';

let world: World;
let metrics: ServedMetrics;
before(async () => {
  metrics = await ServedMetrics.onFreePort();
  world = await World.create({ args: [metrics.flag] });
});
after(() => world[Symbol.asyncDispose]());

const served = (team: Team, token: string) =>
  until(async () => (await team.status()).lastHandledReconcileAt === token, { what: `${token} is echoed` });

describe('a request', { concurrency: true }, () => {
  it('brings a commit at once, long before the interval, by either annotation', async () => {
    const team = await Team.ready(world, 'now', { 'a.yaml': config('now-a') }, { interval: '1h' });
    for (const [turn, name] of [OURS, FLUX, OURS, FLUX].entries()) {
      await team.commit({ 'a.yaml': config('now-a', { key: `${turn}` }) });
      await team.annotate({ [name]: `token-${turn}` });
      await until(async () => (await dataOf(world, 'now-a'))?.['key'] === `${turn}`);
      await served(team, `token-${turn}`);
    }
  });

  it('is echoed when Git fails, when the revision is broken, when an object fails', async () => {
    const team = await Team.ready(world, 'fails', { 'a.yaml': config('fails-a') }, { interval: '1h' });
    await team.commit({ 'b.yaml': 'apiVersion: v1\nkind: [' });
    await team.annotate({ [OURS]: 'broken' });
    await served(team, 'broken');
    await team.condition('Ready', 'False');
    await team.commit({ 'b.yaml': manifest('v1', 'Service', 'fails-b', { spec: { ports: [{ port: 99999 }] } }) });
    await team.annotate({ [OURS]: 'refused' });
    await served(team, 'refused');
    await team.failure('fails-b');
    await team.patch({ spec: { url: team.repository.url.replace('fails.git', 'none.git') } });
    await team.condition('Ready', 'False', { reason: 'RepositoryNotFound' });
    await team.annotate({ [FLUX]: 'gone' });
    await served(team, 'gone');
  });

  it('tries what failed again at once', async () => {
    const held = manifest('v1', 'ConfigMap', 'retry-a', {
      metadata: { namespace: `${world.namespace}-later` },
      data: {},
    });
    const team = await Team.create(world, 'retry', { 'a.yaml': held }, { interval: '1h', retryInterval: '1h' });
    await team.failure('retry-a');
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${world.namespace}-later` } };
    await world.expect(201, 'POST', '/api/v1/namespaces', { body });
    await team.annotate({ [OURS]: 'again' });
    await team.condition('Ready', 'True');
  });

  it('lists everything anew and finds nothing to write in sync', async () => {
    const team = await Team.ready(world, 'calm', { 'a.yaml': config('calm-a'), 'b.yaml': config('calm-b') });
    const { resourceVersion } = (await world.get('v1/configmaps/calm-a'))!.metadata;
    await team.annotate({ [OURS]: 'look' });
    await served(team, 'look');
    assert.equal((await world.get('v1/configmaps/calm-a'))!.metadata.resourceVersion, resourceVersion);
    assert.equal(team.writes.length, 2, 'nothing but the two creations');
    const { drift } = await team.status();
    assert.deepEqual([drift?.count, drift?.healedCount], [0, 0]);
  });

  it('is one run', async () => {
    const team = await Team.ready(world, 'once', { 'a.yaml': config('once-a') }, { interval: '1h' });
    const runs = () => metrics.value(`plumbline_reconcile_duration_seconds_count{source="${team.key}"}`);
    await team.annotate({ [OURS]: 'before' });
    await served(team, 'before');
    const before = (await runs())!;
    // What a request caused besides its run would be counted by the time that the last one is served.
    for (const turn of ['one', 'two', 'three', 'four']) {
      await team.annotate({ [OURS]: turn });
      await served(team, turn);
    }
    assert.equal((await runs())! - before, 4);
  });
});
