// How the managed objects are stands in status, from the same watches: counted, with the first reasons, and it follows.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { World } from './operator.ts';
import { config, crd, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

describe('the condition Healthy', { concurrency: true }, () => {
  it('names what is not ready yet, and becomes True by itself; Ready does not wait for it', async () => {
    const web = (image: string) => ({
      'web.yaml': deployment('web', { replicas: 1, image }),
      'a.yaml': config('web-a'),
    });
    const team = await Team.ready(world, 'web', web('bad-image:1'));
    const waiting = await team.condition('Healthy', 'Unknown', { reason: 'Progressing' });
    const { health } = waiting.status!;
    assert.deepEqual([health?.ready, health?.progressing, health?.failed], [1, 1, 0]);
    assert.deepEqual([health?.reasons[0]?.kind, health?.reasons[0]?.name], ['Deployment', 'web']);
    assert.match(waiting.status!.conditions!.find(({ type }) => type === 'Healthy')!.message, /Deployment web/);
    assert.equal(waiting.status!.conditions!.find(({ type }) => type === 'Ready')?.status, 'True');
    await team.push(web('app:1'));
    const { status } = await team.condition('Healthy', 'True', { reason: 'Healthy' });
    assert.deepEqual(status?.health, { ready: 2, progressing: 0, failed: 0, reasons: [] });
  });

  it('is False for an object that has failed, by what its own controller says', async () => {
    const group = `${world.namespace}.example.com`;
    const files = {
      'crd.yaml': crd(group, 'Thing', 'things'),
      'a.yaml': manifest(`${group}/v1`, 'Thing', 'thing', { spec: {} }),
    };
    const team = await Team.ready(world, 'thing', files);
    await team.condition('Healthy', 'True');
    const report = (conditions: object[]) =>
      world.expect(
        200,
        'PATCH',
        `/apis/${group}/v1/namespaces/${world.namespace}/things/thing?fieldManager=controller`,
        {
          body: { status: { conditions } },
        },
      );
    await report([{ type: 'Stalled', status: 'True', reason: 'Broken', message: 'it is broken' }]);
    const { status } = await team.condition('Healthy', 'False', { reason: 'HealthCheckFailed' });
    assert.deepEqual(status?.health?.reasons, [
      { group, kind: 'Thing', namespace: world.namespace, name: 'thing', message: 'it is broken' },
    ]);
    await report([{ type: 'Ready', status: 'True', reason: 'Fine', message: '' }]);
    await team.condition('Healthy', 'True');
    assert.equal((await team.status()).drift?.healedCount, 0, 'status is nobody’s drift');
  });

  it('follows while the source is suspended, after a restart too', async () => {
    await using own = await World.create();
    const web = { 'web.yaml': deployment('asleep', { replicas: 1 }) };
    const team = await Team.ready(own, 'asleep', web);
    await team.condition('Healthy', 'True');
    await team.patch({ spec: { suspend: true } });
    await team.condition('Ready', 'True', { reason: 'Suspended' });
    await own.operator.stop();
    own.startOperator();
    await team.condition('Drifted', 'Unknown', { reason: 'DriftUnknown' });
    const containers = [{ name: 'app', image: 'bad-image' }];
    await own.edit('apps/v1/deployments/asleep', { spec: { template: { spec: { containers } } } });
    const { status } = await team.condition('Healthy', 'Unknown', { reason: 'Progressing' });
    assert.equal(status?.health?.progressing, 1);
  });

  it('tells of an object that is on its way out', async () => {
    const team = await Team.ready(world, 'out', { 'a.yaml': config('out-a') });
    await world.edit('v1/configmaps/out-a', { metadata: { finalizers: ['example.com/wait'] } });
    await world.expect(200, 'DELETE', world.path('v1/configmaps/out-a'));
    await until(async () => (await team.status()).health?.reasons[0]?.message === 'is being deleted');
    await world.edit('v1/configmaps/out-a', { metadata: { finalizers: null } });
    await team.condition('Healthy', 'True');
  });
});
