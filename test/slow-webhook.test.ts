// A webhook that takes what it is asked and never answers, as one behind a black hole: whom it is not asked about notices nothing.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { load } from 'js-yaml';
import { startCluster } from './cluster.ts';
import { applyObject } from './install.ts';
import { World } from './operator.ts';
import { config, crd, dataOf, manifest, Team } from './team.ts';
import { installedWorld, Tenant } from './tenancy.ts';
import { until } from './until.ts';
import { Webhook } from './webhook.ts';

const MANY = 100;

it('admission of one namespace: others are applied and healed meanwhile', async () => {
  await using world = await installedWorld();
  await using webhook = await Webhook.silent(world.cluster);
  const [slow, sound] = [await Tenant.create(world, 'slow'), await Tenant.create(world, 'sound')];
  const soundSource = await sound.source('app', { 'a.yaml': config('a') });
  await soundSource.ready('True');
  await applyObject(world.cluster, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'silent' },
    webhooks: [
      {
        name: 'silent.example.com',
        clientConfig: webhook.clientConfig,
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': slow.namespace } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 30,
      },
    ],
  });
  const files = Object.fromEntries(Array.from({ length: MANY }, (_, index) => [`${index}.yaml`, config(`c-${index}`)]));
  await slow.source('app', files);
  await until(() => webhook.open >= 8, { what: 'writes of the one hang', timeoutMs: 60_000 });
  const place = `/api/v1/namespaces/${sound.namespace}/configmaps/a`;
  await world.expect(200, 'PATCH', `${place}?fieldManager=by-hand`, { body: { data: { key: 'edited' } } });
  const key = async () => ((await sound.get('configmaps/a'))?.['data'] as { key: string } | undefined)?.key;
  await until(async () => (await key()) === 'value', { what: 'the other one is healed', timeoutMs: 60_000 });
  assert.ok(webhook.open > 0, 'while those that hang still do');
});

it('conversion of one kind: the lease is kept', async () => {
  const env = { POD_NAME: 'one', POD_UID: 'uid-of-one' };
  // Of its own: nobody else could list everything that there is.
  await using cluster = await startCluster();
  await using world = await World.create({ cluster, args: ['--leader-elect=true'], env });
  await using webhook = await Webhook.silent(world.cluster);
  const group = `${world.namespace}.example.com`;
  const definition = load(crd(group, 'Route', 'routes', ['v1', 'v2'])) as { spec: object };
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await world.expect(201, 'POST', crds, { body: definition });
  await until(async () => (await world.cluster.request('GET', `/apis/${group}/v2/routes`)).status === 200);
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`${index}.yaml`, manifest(`${group}/v2`, 'Route', `r-${index}`)]),
  );
  await Team.ready(world, 'routes', files);
  await Team.ready(world, 'beside', { 'a.yaml': config('beside') });
  await world.operator.stop();
  const conversion = {
    strategy: 'Webhook',
    webhook: { clientConfig: webhook.clientConfig, conversionReviewVersions: ['v1'] },
  };
  await world.expect(200, 'PATCH', `${crds}/routes.${group}`, { body: { spec: { conversion } } });
  world.startOperator();
  const what = { timeoutMs: 120_000 };
  await until(() => webhook.open >= 16, { what: 'reads hang', ...what });
  const renewed = new Set<unknown>();
  const lease = world.path('coordination.k8s.io/v1/leases/plumbline-operator');
  // Longer together than the time after which the lease is lost.
  const kept = async () => {
    renewed.add(((await world.cluster.request('GET', lease)).body['spec'] as { renewTime: string }).renewTime);
    return renewed.size > 8 || !world.operator.running;
  };
  await until(kept, { what: 'the lease is renewed', ...what });
  assert.ok(world.operator.running);
  await world.edit('v1/configmaps/beside', { data: { key: 'edited' } });
  await until(async () => (await dataOf(world, 'beside'))?.['key'] === 'value', { what: 'others are healed', ...what });
});
