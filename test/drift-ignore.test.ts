// spec.drift.ignore: fields that others may set. Given at creation, then nobody's; a rule that comes or goes resets nothing.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const REPLICAS = { ignore: [{ paths: ['/spec/replicas'], target: { kind: 'Deployment' } }] };

async function web(name: string): Promise<KubeObject & { spec: { replicas: number } }> {
  return (await world.get(`apps/v1/deployments/${name}`)) as KubeObject & { spec: { replicas: number } };
}

function owners(object: KubeObject): string[] {
  const entries = object.metadata.managedFields ?? [];
  return entries.flatMap(({ manager, fieldsV1 }) => (fieldsV1?.['f:spec']?.['f:replicas'] ? [manager!] : [])).sort();
}

/** What of the data of a ConfigMap the second manager holds. */
async function givenUpKeys(name: string): Promise<string[]> {
  const { managedFields = [] } = ((await world.get(`v1/configmaps/${name}`)) as KubeObject).metadata;
  const initial = managedFields.find(({ manager }) => manager === 'plumbline-initial');
  return Object.keys(initial?.fieldsV1?.['f:data'] ?? {}).sort();
}

/** A heal that came later in the same watch: what was edited before it has been judged. */
async function judged(name: string): Promise<void> {
  const label = { metadata: { labels: { 'plumbline.dev/namespace': 'other' } } };
  await world.edit(`apps/v1/deployments/${name}`, label, 'probe');
  await until(async () => (await web(name)).metadata.labels?.['plumbline.dev/namespace'] === world.namespace);
}

describe('an ignored field', { concurrency: true }, () => {
  it('is created with the value of Git, keeps its live value, and is healed beside', async () => {
    const declared = (image: string) => ({ 'web.yaml': deployment('given', { replicas: 2, image }) });
    const team = await Team.ready(world, 'given', declared('app:1'), { drift: REPLICAS });
    assert.equal((await web('given')).spec.replicas, 2);
    assert.deepEqual(owners(await web('given')), ['plumbline-initial']);
    await world.edit('apps/v1/deployments/given', { spec: { replicas: 5 } });
    await judged('given');
    assert.equal((await web('given')).spec.replicas, 5, 'left, also by a heal of the same object');
    await team.push(declared('app:2'));
    assert.equal((await web('given')).spec.replicas, 5, 'and by a commit');
    await world.operator.stop();
    world.startOperator();
    await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'now');
    assert.equal((await web('given')).spec.replicas, 5, 'and by a restart');
    assert.deepEqual(
      world.operator.writes.filter((line) => line.includes('given')),
      [],
    );
  });

  it('may become ignored later: the live value stays', async () => {
    const team = await Team.ready(world, 'later', { 'web.yaml': deployment('later', { replicas: 3 }) });
    await team.patch({ spec: { drift: REPLICAS } });
    await until(async () => owners(await web('later')).join() === 'plumbline-initial');
    assert.equal((await web('later')).spec.replicas, 3, 'a field that we alone own would be reset when it is left out');
    await world.edit('apps/v1/deployments/later', { spec: { replicas: 4 } });
    await judged('later');
    assert.equal((await web('later')).spec.replicas, 4);
  });

  it('may be joined by others: each keeps its live value', async () => {
    const ignore = (...keys: string[]) => ({ drift: { ignore: [{ paths: keys.map((key) => `/data/${key}`) }] } });
    const files = { 'a.yaml': config('joined-a', { key: 'value', one: '1', two: '2' }) };
    const team = await Team.ready(world, 'joined', files, ignore('one'));
    await team.patch({ spec: ignore('one', 'two') });
    await until(async () => (await givenUpKeys('joined-a')).includes('f:two'));
    assert.deepEqual(await givenUpKeys('joined-a'), ['f:one', 'f:two']);
    assert.deepEqual(await dataOf(world, 'joined-a'), { key: 'value', one: '1', two: '2' });
  });

  it('may be named by its place in Git, in whatever order the live items are', async () => {
    const team = await Team.ready(world, 'placed', { 'web.yaml': deployment('placed') });
    await world.expect(200, 'PATCH', `${world.path('apps/v1/deployments/placed')}?fieldManager=injector`, {
      body: [{ op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'mesh', image: 'mesh:1' } }],
      contentType: 'application/json-patch+json',
    });
    const paths = ['/spec/template/spec/containers/0/image'];
    await team.patch({ spec: { drift: { ignore: [{ paths }] } } });
    const given = { 'f:image': {}, 'f:name': {}, '.': {} };
    const held = async () => {
      const { managedFields = [] } = (await web('placed')).metadata;
      const initial = managedFields.find(({ manager }) => manager === 'plumbline-initial');
      return initial?.fieldsV1?.['f:spec']?.['f:template']?.['f:spec']?.['f:containers'];
    };
    assert.deepEqual(await until(held), { 'k:{"name":"app"}': given });
    await team.condition('Ready', 'True');
  });

  it('may be all that there is: what is applied around it leaves it', async () => {
    const ignore = [{ paths: ['/data/one', '/data/two'] }];
    const files = (labels: object) => ({ 'a.yaml': config('all-a', { one: '1', two: '2' }, { labels }) });
    const team = await Team.ready(world, 'all', files({ edition: 'a' }), { drift: { ignore } });
    await team.push(files({ edition: 'b' }));
    assert.deepEqual(await dataOf(world, 'all-a'), { one: '1', two: '2' });
    assert.deepEqual(await givenUpKeys('all-a'), ['f:one', 'f:two']);
  });

  it('may be taken back: Git decides again, and what Git drops is gone', async () => {
    const ignore = [{ paths: ['/data/mine'] }];
    const files = (data: Record<string, string>) => ({ 'a.yaml': config('back-a', data) });
    const team = await Team.ready(world, 'back', files({ key: 'value', mine: 'first' }), { drift: { ignore } });
    await world.edit('v1/configmaps/back-a', { data: { mine: 'theirs' } });
    await team.patch({ spec: { drift: { ignore: null } } });
    await until(async () => (await dataOf(world, 'back-a'))?.['mine'] === 'first');
    await team.push(files({ key: 'value' }));
    assert.deepEqual(await dataOf(world, 'back-a'), { key: 'value' });
  });

  it('that nobody changed may be taken back as well', async () => {
    const ignore = [{ paths: ['/data/mine'] }];
    const files = (data: Record<string, string>) => ({ 'a.yaml': config('same-a', data) });
    const team = await Team.ready(world, 'same', files({ key: 'value', mine: 'first' }), { drift: { ignore } });
    await team.patch({ spec: { drift: { ignore: null } } });
    await team.condition('Ready', 'True');
    await team.push(files({ key: 'value' }));
    assert.deepEqual(await dataOf(world, 'same-a'), { key: 'value' });
  });

  it('that names a whole object part by its list key leaves the rest to Git', async () => {
    const paths = ['/spec/template/spec/containers/0/image'];
    await Team.ready(world, 'image', { 'web.yaml': deployment('image') }, { drift: { ignore: [{ paths }] } });
    const edit = (image: string) =>
      world.expect(200, 'PATCH', `${world.path('apps/v1/deployments/image')}?fieldManager=rollout`, {
        body: { spec: { template: { spec: { containers: [{ name: 'app', image }] } } } },
        contentType: 'application/strategic-merge-patch+json',
      });
    await edit('app:canary');
    await world.edit('apps/v1/deployments/image', { spec: { replicas: 1 } });
    await until(async () => (await web('image')).spec.replicas === 0);
    const spec = (await web('image')).spec as unknown as { template: { spec: { containers: { image: string }[] } } };
    assert.equal(spec.template.spec.containers[0]?.image, 'app:canary');
  });
});
