// A CRD whose versions are converted by a webhook, with fields of other names: no false drift, no loop, and true drift is told
// in the words of the declared version.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { load } from 'js-yaml';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { guarded } from './prevent.ts';
import { config, crd, dataOf, manifest, Team } from './team.ts';
import { until } from './until.ts';
import { Webhook, type ReviewRequest } from './webhook.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

let world: World;
let webhook: Webhook;
let group: string;
before(async () => {
  world = await World.create({ args: ['--prevent-namespaces=*'] });
  group = `${world.namespace}.example.com`;
  webhook = await Webhook.start(world.cluster, converted);
  const definition = load(crd(group, 'Route', 'routes', ['v1', 'v2'])) as { spec: object };
  const conversion = {
    strategy: 'Webhook',
    webhook: { clientConfig: webhook.clientConfig, conversionReviewVersions: ['v1'] },
  };
  await world.expect(201, 'POST', CRDS, { body: { ...definition, spec: { ...definition.spec, conversion } } });
  await until(async () => (await world.cluster.request('GET', `/apis/${group}/v2/routes`)).status === 200);
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await webhook[Symbol.asyncDispose]();
});

interface SpecV1 {
  prefix?: string;
  timeoutMs?: number;
}
interface SpecV2 {
  path?: string;
  timeout?: string;
}

/** v1 calls them prefix and timeoutMs, v2 path and timeout: `30s`, whatever unit was used. */
function converted({ objects = [], desiredAPIVersion = '' }: ReviewRequest): object {
  const convertedObjects = objects.map((object) => {
    if (object.apiVersion === desiredAPIVersion) return object;
    const toV1 = desiredAPIVersion.endsWith('/v1');
    const spec = object['spec'] as (SpecV1 & SpecV2) | undefined;
    return { ...object, apiVersion: desiredAPIVersion, ...(spec && { spec: toV1 ? asV1(spec) : asV2(spec) }) };
  });
  return { convertedObjects, result: { status: 'Success' } };
}

function asV1({ path, timeout, ...rest }: SpecV2): SpecV1 {
  const [, count, unit] = /^([\d.]+)(s|m)$/.exec(timeout ?? '') ?? [];
  const timeoutMs = Number(count) * (unit === 'm' ? 60_000 : 1_000);
  return { ...rest, ...(path !== undefined && { prefix: path }), ...(timeout !== undefined && { timeoutMs }) };
}

function asV2({ prefix, timeoutMs, ...rest }: SpecV1): SpecV2 {
  const timeout = `${(timeoutMs ?? 0) / 1_000}s`;
  return { ...rest, ...(prefix !== undefined && { path: prefix }), ...(timeoutMs !== undefined && { timeout }) };
}

const place = (version: string, name: string) =>
  `/apis/${group}/${version}/namespaces/${world.namespace}/routes/${name}`;
const route = (name: string, spec: SpecV2) => manifest(`${group}/v2`, 'Route', name, { spec });
const read = (version: string, name: string) =>
  world.expect(200, 'GET', place(version, name)) as Promise<KubeObject & { spec: SpecV1 & SpecV2 }>;
const edit = (version: string, name: string, body: object) =>
  world.expect(200, 'PATCH', `${place(version, name)}?fieldManager=somebody`, { body });
const versionsOf = async (...names: string[]) =>
  Promise.all(names.map(async (name) => (await read('v2', name)).metadata.resourceVersion));

async function looked(team: Team, token: string): Promise<void> {
  await team.annotate({ 'plumbline.dev/requestedAt': token });
  await until(async () => (await team.status()).lastHandledReconcileAt === token, { timeoutMs: 60_000 });
}

it('what conversion by way of the stored version writes otherwise is told once, and never healed for ever', async () => {
  const team = await Team.ready(world, 'unit', { 'a.yaml': route('unit', { path: '/u/', timeout: '0.5m' }) });
  const source = await team.condition('Drifted', 'False', { reason: 'DriftRewritten' });
  const [field] = source.status!.drift!.objects[0]!.fields;
  assert.deepEqual([field?.path, field?.declared, field?.live], ['/spec/timeout', '0.5m', '30s']);
  await edit('v1', 'unit', { metadata: { annotations: { mine: 'x' } } });
  await edit('v2', 'unit', { metadata: { annotations: { mine: 'y' } } });
  await edit('v1', 'unit', { spec: { prefix: '/edited/' } });
  await until(async () => (await read('v2', 'unit')).spec.path === '/u/', { timeoutMs: 60_000 });
  await team.condition('Drifted', 'False', { reason: 'DriftRewritten' });
  const [version] = await versionsOf('unit');
  await looked(team, 'once more');
  assert.deepEqual(await versionsOf('unit'), [version]);
  assert.deepEqual(
    team.writes.map((line) => line.split(' ')[0]),
    ['created', 'healed'],
  );
});

it('under Prevent an edit by way of the stored version is refused, in the words of the declared one', async () => {
  const files = { 'a.yaml': route('guarded', { path: '/g/', timeout: '30s' }) };
  const team = await guarded(world, 'guarded', files);
  let round = 0;
  const message = await until(async () => {
    const body = { spec: { prefix: `/edited-${(round += 1)}/` } };
    const answer = await world.cluster.request('PATCH', `${place('v1', 'guarded')}?fieldManager=by-${round}`, { body });
    return answer.status === 403 && (answer.body as unknown as { message: string }).message;
  });
  assert.match(message, /\/spec\/path is declared in Git by the GitOpsSource/);
  await edit('v1', 'guarded', { metadata: { annotations: { mine: 'x' } }, spec: { weight: 3 } });
  await until(async () => (await read('v2', 'guarded')).spec.path === '/g/');
  await team.condition('Ready', 'True');
});

describe('declared as v2, stored as v1', () => {
  let team: Team;
  before(async () => {
    team = await Team.ready(world, 'two', {
      'a.yaml': route('a', { path: '/a/', timeout: '30s' }),
      'b.yaml': route('b', { path: '/b/', timeout: '30s' }),
      'c.yaml': config('beside'),
    });
  });

  it('others writing the stored version is no drift; what they change is, by its declared name', async () => {
    assert.deepEqual((await read('v1', 'a')).spec, { prefix: '/a/', timeoutMs: 30_000 }, 'the webhook converts');
    await edit('v1', 'a', { metadata: { annotations: { mine: 'x' } }, spec: { weight: 3 } });
    await edit('v1', 'b', { spec: { prefix: '/edited/' } });
    await until(async () => (await read('v2', 'b')).spec.path === '/b/', { timeoutMs: 60_000 });
    const { drift } = await until(async () => {
      const status = await team.status();
      return status.drift?.healedCount === 1 && status;
    });
    const { time, since, ...field } = drift!.objects[0]!.fields[0]!;
    assert.ok(time && since);
    const told = { path: '/spec/path', declared: '/b/', live: '/edited/', manager: 'somebody', operation: 'Update' };
    assert.deepEqual(field, { ...told, action: 'Healed' });
    assert.deepEqual((await read('v1', 'a')).spec, { prefix: '/a/', timeoutMs: 30_000, weight: 3 });
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('another stored version is no drift, nor is a restart', async () => {
    const { spec } = (await world.expect(200, 'GET', `${CRDS}/routes.${group}`)) as unknown as {
      spec: { versions: { name: string; storage: boolean }[] };
    };
    const versions = spec.versions.map((version) => ({ ...version, storage: version.name === 'v2' }));
    await world.expect(200, 'PATCH', `${CRDS}/routes.${group}`, { body: { spec: { versions } } });
    // Whatever is written from now on is stored in the other version.
    await edit('v1', 'a', { metadata: { annotations: { mine: 'y' } } });
    const before = await versionsOf('a', 'b');
    const writes = team.writes.length;
    await looked(team, 'stored');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.equal(team.writes.length, writes);
    await world.operator.stop();
    world.startOperator();
    await looked(team, 'restarted');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.deepEqual(team.writes, []);
    assert.deepEqual(await versionsOf('a', 'b'), before);
  });

  it('a webhook that is down is not drift: nothing is deleted or made anew, the rest is served, and it goes on', async () => {
    const { uid } = (await read('v2', 'a')).metadata;
    await webhook.down();
    await edit('v2', 'a', { metadata: { annotations: { mine: 'z' } } }).catch(() => undefined);
    await world.edit('v1/configmaps/beside', { data: { key: 'edited' } });
    await until(async () => (await dataOf(world, 'beside'))?.['key'] === 'value', { timeoutMs: 60_000 });
    await webhook.up();
    await edit('v1', 'a', { spec: { prefix: '/after/' } });
    await until(async () => (await read('v2', 'a')).spec.path === '/a/', { timeoutMs: 60_000 });
    assert.equal((await read('v2', 'a')).metadata.uid, uid);
    await looked(team, 'up');
    await team.condition('Ready', 'True');
    assert.deepEqual(
      team.writes.filter((line) => !line.startsWith('healed')),
      [],
    );
  });
});
