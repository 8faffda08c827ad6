// What admission changes each time we apply it is said once: it is neither healed for ever nor called in sync without asking.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

/** From when it resolves, the key `key` of ConfigMaps with this prefix is `admitted`, whatever anybody writes. */
async function admission(prefix: string): Promise<void> {
  const name = `${world.namespace}-${prefix}`;
  const spec = {
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': world.namespace } },
      resourceRules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] },
      ],
    },
    matchConditions: [{ name: 'prefix', expression: `object.metadata.name.startsWith('${prefix}')` }],
    mutations: [
      {
        patchType: 'JSONPatch',
        jsonPatch: { expression: '[JSONPatch{op: "replace", path: "/data/key", value: "admitted"}]' },
      },
    ],
  };
  const make = (kind: string, body: object) =>
    world.expect(201, 'POST', `${ADMISSION}/${kind.toLowerCase().replace(/y$/, 'ie')}s`, {
      body: { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, ...body },
    });
  await make('MutatingAdmissionPolicy', { spec });
  await make('MutatingAdmissionPolicyBinding', { spec: { policyName: name } });
  const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${prefix}-probe` }, data: { key: 'value' } };
  await until(async () => {
    const { body } = await world.cluster.request('POST', `${world.path('v1/configmaps/')}?dryRun=All`, { body: probe });
    return (body['data'] as { key?: string } | undefined)?.key === 'admitted';
  });
}

async function forget(prefix: string): Promise<void> {
  const name = `${world.namespace}-${prefix}`;
  await world.expect(200, 'DELETE', `${ADMISSION}/mutatingadmissionpolicybindings/${name}`);
  await world.expect(200, 'DELETE', `${ADMISSION}/mutatingadmissionpolicies/${name}`);
  const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${prefix}-probe` }, data: { key: 'value' } };
  await until(async () => {
    const { body } = await world.cluster.request('POST', `${world.path('v1/configmaps/')}?dryRun=All`, { body: probe });
    return (body['data'] as { key?: string } | undefined)?.key === 'value';
  });
}

type Shown = NonNullable<GitOpsSourceStatus['drift']>['objects'][number];

async function rewritten(name: string, team: Team): Promise<Shown> {
  const source = await team.condition('Drifted', 'False', { reason: 'DriftRewritten' });
  const shown = source.status?.drift?.objects.find((object) => object.name === name);
  assert.equal(shown?.action, 'Rewritten');
  assert.equal(source.status?.drift?.count, 0);
  return shown;
}

describe('admission rewrites a declared field', () => {
  it('of an object that is applied: said at once, and once, and not healed', async () => {
    await admission('rw');
    const team = await Team.ready(world, 'rw', { 'a.yaml': config('rw-a'), 'b.yaml': config('plain-b') });
    const first = await rewritten('rw-a', team);
    const [{ since, ...field } = {}, ...others] = first.fields;
    assert.ok(since);
    assert.deepEqual(field, { path: '/data/key', declared: 'value', live: 'admitted', action: 'Rewritten' });
    assert.deepEqual(others, []);
    const { resourceVersion } = (await world.get('v1/configmaps/rw-a'))!.metadata;

    // Foreign edits of the object are judged, and find nothing to heal.
    await world.edit('v1/configmaps/rw-a', { metadata: { annotations: { mine: 'x' } } });
    await world.edit('v1/configmaps/plain-b', { data: { key: 'edited' } });
    await until(async () => (await dataOf(world, 'plain-b'))?.['key'] === 'value');
    assert.deepEqual(
      team.writes.filter((line) => line.includes('rw-a')),
      [`created ConfigMap ${world.namespace}/rw-a`],
    );
    assert.deepEqual(await rewritten('rw-a', team), first);

    // A declared field beside it is healed, and the rewriting goes on being told.
    await world.edit('v1/configmaps/rw-a', { metadata: { labels: { 'plumbline.dev/namespace': 'other' } } });
    await until(() => world.operator.writes.includes(`healed ConfigMap ${world.namespace}/rw-a`));
    await rewritten('rw-a', team);

    // After a restart it is asked about, not believed; and nothing is written.
    const before = (await world.get('v1/configmaps/rw-a'))!.metadata.resourceVersion;
    assert.notEqual(before, resourceVersion);
    await world.operator.stop();
    const status = await team.status();
    world.startOperator();
    await team.annotate({ 'plumbline.dev/requestedAt': 'after' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'after');
    assert.deepEqual((await team.status()).drift, status.drift);
    assert.deepEqual(world.operator.writes, []);
    assert.equal((await world.get('v1/configmaps/rw-a'))!.metadata.resourceVersion, before);

    // Admission changed its mind while nobody was looking: the next look at everything finds it.
    await forget('rw');
    await team.annotate({ 'plumbline.dev/requestedAt': 'later' });
    await until(async () => (await dataOf(world, 'rw-a'))?.['key'] === 'value');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('of an object that was in sync: a value that changed under our ownership is asked about', async () => {
    const team = await Team.ready(world, 'under', { 'a.yaml': config('under-a') });
    await admission('under');
    await world.edit('v1/configmaps/under-a', { metadata: { annotations: { mine: 'x' } } });
    assert.equal((await dataOf(world, 'under-a'))?.['key'], 'admitted', 'changed, and nobody but us owns it');
    await rewritten('under-a', team);
    assert.deepEqual(team.writes, [`created ConfigMap ${world.namespace}/under-a`]);
  });

  it("is not said of the server's own notation: quantities, defaults in atomic nodes, empty maps", async () => {
    const resources = { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: '0.5' } };
    const env = [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }];
    const template = (labels: object) => ({
      metadata: { labels },
      spec: { nodeSelector: {}, containers: [{ name: 'app', image: 'app:1', resources, env }] },
    });
    const team = await Team.ready(world, 'notation', {
      'web.yaml': deployment('notation-web', { template: template({ app: 'notation-web' }), strategy: {} }),
      'rules.yaml': manifest('networking.k8s.io/v1', 'NetworkPolicy', 'notation-rules', {
        spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
      }),
      'quota.yaml': manifest('v1', 'ResourceQuota', 'notation-quota', {
        spec: { hard: { 'requests.cpu': '100000m' } },
      }),
    });
    const inSync = async () => {
      const { status } = await team.condition('Drifted', 'False', { reason: 'InSync' });
      assert.deepEqual(status?.drift?.objects, []);
    };
    await inSync();
    await team.annotate({ 'plumbline.dev/requestedAt': 'now' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'now');
    await inSync();
    await world.edit('apps/v1/deployments/notation-web', { metadata: { annotations: { mine: 'x' } } });
    await world.operator.stop();
    const versions = async () => [
      (await world.get('apps/v1/deployments/notation-web'))!.metadata.managedFields?.map(({ manager, time }) => [
        manager,
        time,
      ]),
      (await world.get('networking.k8s.io/v1/networkpolicies/notation-rules'))!.metadata.resourceVersion,
    ];
    const before = await versions();
    world.startOperator();
    await team.annotate({ 'plumbline.dev/requestedAt': 'again' });
    await until(async () => (await team.status()).lastHandledReconcileAt === 'again');
    await inSync();
    assert.deepEqual(world.operator.writes, []);
    assert.deepEqual(await versions(), before);
  });
});
