// Replicas that an autoscaler takes through the scale subresource are its own; a person's scale is drift.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { deployment, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const replicas = async (name: string) =>
  ((await world.get(`apps/v1/deployments/${name}`)) as KubeObject & { spec: { replicas: number } }).spec.replicas;

const scale = (name: string, count: number, manager: string) =>
  world.expect(200, 'PATCH', `${world.path(`apps/v1/deployments/${name}`)}/scale?fieldManager=${manager}`, {
    body: { spec: { replicas: count } },
  });

async function judged(name: string): Promise<void> {
  const label = { metadata: { labels: { 'plumbline.dev/namespace': 'other' } } };
  await world.edit(`apps/v1/deployments/${name}`, label, 'probe');
  await until(
    async () =>
      (await world.get(`apps/v1/deployments/${name}`))?.metadata.labels?.['plumbline.dev/namespace'] ===
      world.namespace,
  );
}

describe('replicas', () => {
  it('scaled by the autoscaler are left alone: at once, by heals, by commits, by a restart', async () => {
    const files = (image: string) => ({ 'web.yaml': deployment('auto', { replicas: 1, image }) });
    const team = await Team.ready(world, 'auto', files('app:1'));
    await scale('auto', 3, 'kube-controller-manager');
    await judged('auto');
    assert.equal(await replicas('auto'), 3);
    await scale('auto', 4, 'kube-controller-manager');
    await team.push(files('app:2'));
    assert.equal(await replicas('auto'), 4);
    await team.condition('Drifted', 'False', { reason: 'InSync' });

    await world.operator.stop();
    await scale('auto', 5, 'kube-controller-manager');
    await team.commit(files('app:3'));
    world.startOperator();
    await until(async () => JSON.stringify(await world.get('apps/v1/deployments/auto')).includes('app:3'));
    assert.equal(await replicas('auto'), 5, 'also when a commit came while nobody was watching');
    await judged('auto');
    assert.equal(await replicas('auto'), 5);

    await scale('auto', 7, 'kubectl');
    await until(async () => (await replicas('auto')) === 1);
    await until(() => team.writes.includes(`healed Deployment ${world.namespace}/auto`));
    assert.equal(await replicas('auto'), 1, 'a person gives the field back to Git');
  });

  it('scaled by a person are put back, and taken again by the autoscaler afterwards', async () => {
    await Team.ready(world, 'person', { 'web.yaml': deployment('person', { replicas: 1 }) });
    await scale('person', 7, 'kubectl');
    await until(async () => (await replicas('person')) === 1);
    await scale('person', 3, 'keda-operator');
    await judged('person');
    assert.equal(await replicas('person'), 3);
  });
});
