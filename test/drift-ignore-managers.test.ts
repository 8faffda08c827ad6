// spec.drift.ignore with managers: a field is left only while one of them holds it; anybody else's change is drift.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

type Deployment = KubeObject & { spec: { template: { spec: { containers: { name: string; image: string }[] } } } };

const get = async (name: string) => (await world.get(`apps/v1/deployments/${name}`)) as Deployment;
const imageOf = async (name: string) => (await get(name)).spec.template.spec.containers[0]!.image;

const setImage = (name: string, image: string, manager: string) =>
  world.expect(200, 'PATCH', `${world.path(`apps/v1/deployments/${name}`)}?fieldManager=${manager}`, {
    body: { spec: { template: { spec: { containers: [{ name: 'app', image }] } } } },
    contentType: 'application/strategic-merge-patch+json',
  });

/** A heal that came later in the same watch: what was edited before it has been judged. */
async function judged(place: string): Promise<void> {
  await world.edit(place, { metadata: { labels: { 'plumbline.dev/namespace': 'other' } } }, 'probe');
  await until(async () => (await world.get(place))?.metadata.labels?.['plumbline.dev/namespace'] === world.namespace);
}

const IMAGES = { ignore: [{ paths: ['/spec/template/spec/containers/*/image'], managers: ['image-*'] }] };

describe('a field that is left to managers', () => {
  it('is theirs as soon as they take it, through commits and restarts, until somebody else takes it', async () => {
    const files = (replicas: number) => ({ 'web.yaml': deployment('updated', { image: 'app:1', replicas }) });
    const team = await Team.ready(world, 'updated', files(0), { drift: IMAGES });
    await setImage('updated', 'app:hand', 'kubectl-set');
    await until(async () => (await imageOf('updated')) === 'app:1', { what: 'a person is healed' });
    await setImage('updated', 'app:2', 'image-updater');
    await judged('apps/v1/deployments/updated');
    assert.equal(await imageOf('updated'), 'app:2', 'also by a heal of the same object');
    await team.push(files(1));
    assert.equal(await imageOf('updated'), 'app:2', 'and by a commit');
    await team.condition('Drifted', 'False', { reason: 'InSync' });

    await world.operator.stop();
    await setImage('updated', 'app:3', 'image-updater');
    await team.commit(files(2));
    world.startOperator();
    await until(async () => ((await get('updated')).spec as unknown as { replicas: number }).replicas === 2);
    assert.equal(await imageOf('updated'), 'app:3', 'and by a commit that came while nobody was watching');

    await setImage('updated', 'app:hand', 'kubectl-set');
    await until(async () => (await imageOf('updated')) === 'app:1', { what: 'it is Git again that decides' });
  });

  it('is theirs in a list item whose key is not declared whole', async () => {
    const service = manifest('v1', 'Service', 'ported', { spec: { ports: [{ port: 80, targetPort: 8080 }] } });
    const paths = ['/spec/ports[port=80,protocol=TCP]/targetPort'];
    const drift = { ignore: [{ paths, managers: ['port-*'] }] };
    const team = await Team.ready(world, 'ported', { 'service.yaml': service }, { drift });
    await world.expect(200, 'PATCH', `${world.path('v1/services/ported')}?fieldManager=port-mover`, {
      body: [{ op: 'replace', path: '/spec/ports/0/targetPort', value: 9090 }],
      contentType: 'application/json-patch+json',
    });
    await judged('v1/services/ported');
    const { ports } = (await world.get('v1/services/ported'))!['spec'] as { ports: { targetPort: number }[] };
    assert.deepEqual(
      ports.map(({ targetPort }) => targetPort),
      [9090],
    );
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('is shown where it differs, with who holds it, and is no drift', async () => {
    const team = await Team.ready(
      world,
      'shown',
      { 'web.yaml': deployment('shown', { image: 'app:1' }) },
      { drift: IMAGES },
    );
    await setImage('shown', 'app:2', 'image-updater');
    const ignored = await until(async () => (await team.status()).drift?.ignored);
    assert.equal(ignored.count, 1);
    const { since, ...object } = ignored.objects[0]!;
    const { time, since: fieldSince, ...field } = object.fields[0]!;
    assert.ok(since && time && fieldSince);
    assert.deepEqual(field, {
      path: '/spec/template/spec/containers[name=app]/image',
      declared: 'app:1',
      live: 'app:2',
      manager: 'image-updater',
      operation: 'Update',
      action: 'Ignored',
    });
    assert.equal(object.action, 'Ignored');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.equal((await team.status()).drift?.count, 0);
    await setImage('shown', 'app:1', 'image-updater');
    await until(async () => (await team.status()).drift?.ignored === undefined, {
      what: 'equal again: nothing to show',
    });
  });

  it('may be taken by force under their own apply, and is healed when they let it go', async () => {
    const drift = { ignore: [{ paths: ['/data/mine'], managers: ['config-*'] }] };
    await Team.ready(world, 'apply', { 'a.yaml': config('apply-a', { key: 'value', mine: 'git' }) }, { drift });
    const applied = (data: object) =>
      world.expect(200, 'PATCH', `${world.path('v1/configmaps/apply-a')}?fieldManager=config-sync&force=true`, {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'apply-a' }, data },
        contentType: 'application/apply-patch+yaml',
      });
    await applied({ mine: 'theirs' });
    await judged('v1/configmaps/apply-a');
    assert.equal((await dataOf(world, 'apply-a'))?.['mine'], 'theirs');
    await applied({});
    await until(async () => (await dataOf(world, 'apply-a'))?.['mine'] === 'git', { what: 'nobody holds it any more' });
  });

  it('follows a rule that comes later, and one that goes', async () => {
    const files = { 'a.yaml': config('rule-a', { key: 'value', mine: 'git' }) };
    const team = await Team.ready(world, 'rule', files, { drift: { mode: 'Report' } });
    await world.edit('v1/configmaps/rule-a', { data: { mine: 'theirs' } }, 'config-sync');
    await team.condition('Drifted', 'True');
    const ignore = [{ paths: ['/data/mine'], managers: ['config-*'] }];
    await team.patch({ spec: { drift: { ignore } } });
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    await team.patch({ spec: { drift: { mode: 'Heal' } } });
    await judged('v1/configmaps/rule-a');
    assert.equal((await dataOf(world, 'rule-a'))?.['mine'], 'theirs', 'Heal leaves it too');
    await team.patch({ spec: { drift: { ignore: null } } });
    await until(async () => (await dataOf(world, 'rule-a'))?.['mine'] === 'git');
  });

  it('only where the target says so', async () => {
    const ignore = [
      {
        paths: ['/data/key'],
        managers: ['config-*'],
        target: { labelSelector: { matchExpressions: [{ key: 'tier', operator: 'In' as const, values: ['front'] }] } },
      },
    ];
    const files = {
      'a.yaml': config('tier-a', { key: 'value' }, { labels: { tier: 'front' } }),
      'b.yaml': config('tier-b', { key: 'value' }, { labels: { tier: 'back' } }),
    };
    await Team.ready(world, 'tier', files, { drift: { ignore } });
    for (const name of ['tier-a', 'tier-b'])
      await world.edit(`v1/configmaps/${name}`, { data: { key: 'theirs' } }, 'config-sync');
    await until(async () => (await dataOf(world, 'tier-b'))?.['key'] === 'value');
    await judged('v1/configmaps/tier-a');
    assert.equal((await dataOf(world, 'tier-a'))?.['key'], 'theirs');
  });
});
