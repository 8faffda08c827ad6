// One object that the server refuses never holds the others, and says where it stands in Git.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { World } from './operator.ts';
import { config, dataOf, deployment, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const refused = (name: string) => manifest('v1', 'Service', name, { spec: { ports: [{ port: 99999 }] } });

describe('an object that the server refuses', { concurrency: true }, () => {
  it('holds no other, and its mend is applied', async () => {
    const files = {
      'all.yaml': `${config('iso-a')}---\n${refused('iso-bad')}---\n${config('iso-c')}`,
      'web.yaml': deployment('iso-web'),
    };
    const team = await Team.create(world, 'iso', files);
    const failure = await team.failure('iso-bad', 'ApiInvalid');
    const line = files['all.yaml'].split('\n').indexOf('---') + 2;
    assert.deepEqual([failure.kind, failure.file, failure.line], ['Service', 'all.yaml', line]);
    assert.match(failure.message, /99999/);
    const { status } = await team.condition('Ready', 'False', { reason: 'ReconciliationFailed' });
    assert.equal(status?.lastAppliedRevision, undefined, 'a revision of which something is missing is not applied');
    assert.equal(status?.conditions?.find(({ type }) => type === 'Reconciling')?.reason, 'ProgressingWithRetry');
    await present(world, 'iso-a');
    await present(world, 'iso-c');
    assert.ok(await world.get('apps/v1/deployments/iso-web'));

    const mended = await team.push({ 'all.yaml': config('iso-a') });
    const after = await team.status();
    assert.equal(after.lastAppliedRevision, `main@sha1:${mended}`);
    assert.equal(after.failures, undefined);
  });

  it('is tried again by itself, and alone', async () => {
    const quota = (pods: string) => manifest('v1', 'ResourceQuota', 'again', { spec: { hard: { configmaps: pods } } });
    const namespace = `${world.namespace}-again`;
    await world.expect(201, 'POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
    const quotas = `/api/v1/namespaces/${namespace}/resourcequotas`;
    // The controller manager puts one ConfigMap of its own there.
    await world.expect(201, 'POST', quotas, { body: quota('0'), contentType: 'application/yaml' });
    const team = await Team.create(
      world,
      'again',
      { 'a.yaml': config('again-config'), 'b.yaml': manifest('v1', 'ServiceAccount', 'again-account') },
      { targetNamespace: namespace, retryInterval: '1s' },
    );
    await team.failure('again-config', 'ApiForbidden');
    await world.expect(200, 'DELETE', `${quotas}/again`);
    await team.condition('Ready', 'True');
    assert.equal(team.writes.filter((line) => line.includes('again-account')).length, 1, 'applied once');
  });

  it('is tried again also while the source names a folder that cannot be', async () => {
    const namespace = `${world.namespace}-later`;
    const team = await Team.create(
      world,
      'later',
      { 'a.yaml': config('later-a', undefined, { namespace }) },
      { retryInterval: '2s' },
    );
    await team.failure('later-a', 'ApiNotFound');
    await team.patch({ spec: { path: '-a' } });
    await team.condition('Stalled', 'True', { reason: 'InvalidPath' });
    // What was due before that is over.
    await delay(5_000);
    await world.expect(201, 'POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
    const place = `/api/v1/namespaces/${namespace}/configmaps/later-a`;
    await until(async () => (await world.cluster.request('GET', place)).status === 200, { what: 'it is applied' });
  });

  it('leaves the rest to be changed and pruned by no half revision', async () => {
    const team = await Team.ready(world, 'half', { 'a.yaml': config('half-old'), 'b.yaml': config('half-b') });
    // A rename whose new half the server refuses.
    await team.commit({ 'a.yaml': refused('half-new'), 'b.yaml': config('half-b', { key: 'changed' }) });
    await team.failure('half-new');
    assert.deepEqual(await dataOf(world, 'half-b'), { key: 'changed' });
    await present(world, 'half-old');
    await team.push({ 'a.yaml': config('half-new') });
    await present(world, 'half-old', false);
  });
});
