import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Discovery } from '../src/kube/discovery.ts';
import { freshNamespace, sharedCluster } from './cluster.ts';
import { clientOf } from './kube-client.ts';
import { fakeApi, sendJson, sendStatus } from './kube-fake.ts';
import { until } from './until.ts';

const signal = new AbortController().signal;

test('kinds of a real server', async () => {
  const requests: string[] = [];
  await using api = clientOf(await sharedCluster(), { observer: ({ verb }) => requests.push(verb) });
  assert.equal(api.discovery.presence('apps', 'Deployment'), 'unknown');
  const deployment = await api.discovery.resource('apps/v1', 'Deployment', signal);
  const { verbs, ...rest } = deployment ?? assert.fail();
  assert.deepEqual(rest, {
    apiVersion: 'apps/v1',
    group: 'apps',
    version: 'v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
    hasStatus: true,
    hasScale: true,
  });
  assert.ok(verbs.includes('watch'));
  assert.equal(api.discovery.cached('rbac.authorization.k8s.io/v1', 'ClusterRole')?.namespaced, false);
  assert.equal((await api.discovery.preferred('autoscaling', 'HorizontalPodAutoscaler', signal))?.version, 'v2');
  assert.equal((await api.discovery.resource('autoscaling/v1', 'HorizontalPodAutoscaler', signal))?.version, 'v1');
  assert.equal(api.discovery.presence('apps', 'Deployment'), 'present');
  assert.equal(api.discovery.presence('example.com', 'Thing'), 'absent');
  assert.deepEqual(requests, ['discover', 'discover']);
});

test('a CRD that is installed later is found, and listeners hear of it', async () => {
  const cluster = await sharedCluster();
  await using api = clientOf(cluster);
  const discovery = new Discovery(api.transport, { minRefreshMs: 0 });
  const group = `${await freshNamespace(cluster, 'crd')}.example.com`;
  assert.equal(await discovery.resource(`${group}/v1`, 'Thing', signal), undefined);
  let changes = 0;
  const stop = discovery.onChange(() => (changes += 1));
  const names = { kind: 'Thing', plural: 'things', singular: 'thing' };
  const schema = { openAPIV3Schema: { type: 'object' } };
  const version = { name: 'v1', served: true, storage: true, schema, subresources: { status: {} } };
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await cluster.request('POST', crds, {
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `things.${group}` },
      spec: { group, scope: 'Cluster', names, versions: [version] },
    },
  });
  const thing = await until(() => discovery.resource(`${group}/v1`, 'Thing', signal));
  assert.deepEqual([thing.namespaced, thing.hasStatus, thing.plural], [false, true, 'things']);
  assert.equal(discovery.presence(group, 'Thing'), 'present');
  assert.ok(changes > 0);
  stop();
  await cluster.request('DELETE', `${crds}/things.${group}`);
  await until(async () => {
    await discovery.refresh(signal);
    return discovery.presence(group, 'Thing') === 'absent';
  });
});

test('an aggregated API that is down is unknown, never absent', async () => {
  const cluster = await sharedCluster();
  await using api = clientOf(cluster);
  const namespace = await freshNamespace(cluster, 'aggregated');
  const group = `${namespace}.example.com`;
  const services = '/apis/apiregistration.k8s.io/v1/apiservices';
  await cluster.request('POST', services, {
    body: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${group}` },
      spec: {
        group,
        version: 'v1',
        groupPriorityMinimum: 1000,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { namespace, name: 'nowhere' },
      },
    },
  });
  await until(async () => {
    await api.discovery.refresh(signal);
    return api.discovery.presence(group, 'Thing') === 'unknown';
  });
  assert.equal(api.discovery.presence('apps', 'Thing'), 'absent');
  await cluster.request('DELETE', `${services}/v1.${group}`);
  await until(async () => {
    await api.discovery.refresh(signal);
    return api.discovery.presence(group, 'Thing') === 'absent';
  });
});

test('a server without aggregated discovery is asked for each group, and a silent one is unknown', async () => {
  const resources = (...entries: object[]) => ({ kind: 'APIResourceList', resources: entries });
  const thing = { name: 'things', kind: 'Thing', namespaced: true, verbs: ['list'] };
  const answers: Record<string, object> = {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': resources({ ...thing, name: 'pods', kind: 'Pod' }, { ...thing, name: 'pods/status', kind: 'Pod' }),
    '/apis': {
      kind: 'APIGroupList',
      groups: [
        {
          name: 'a.io',
          versions: [{ groupVersion: 'a.io/v1' }, { groupVersion: 'a.io/v2' }],
          preferredVersion: { groupVersion: 'a.io/v2' },
        },
        { name: 'down.io', versions: [{ groupVersion: 'down.io/v1' }] },
        { name: 'gone.io', versions: [{ groupVersion: 'gone.io/v1' }] },
      ],
    },
    '/apis/a.io/v1': resources(thing),
    '/apis/a.io/v2': resources(thing),
  };
  await using fake = await fakeApi(({ path }, response) => {
    const answer = answers[path];
    if (answer) sendJson(response, 200, answer);
    else if (path.includes('down.io')) sendStatus(response, 500, 'InternalError');
    else sendStatus(response, 404, 'NotFound');
  });
  const { discovery } = fake.api;
  const pod = await discovery.resource('v1', 'Pod', signal);
  assert.deepEqual([pod?.plural, pod?.hasStatus, pod?.group], ['pods', true, '']);
  assert.equal((await discovery.preferred('a.io', 'Thing', signal))?.version, 'v2');
  const presence = ['a.io', 'down.io', 'gone.io'].map((group) => discovery.presence(group, 'Thing'));
  assert.deepEqual(presence, ['present', 'unknown', 'absent']);
});

test('unknown kinds do not make it ask all the time; concurrent questions are one', async () => {
  let now = 0;
  await using fake = await fakeApi((_request, response) =>
    sendJson(response, 200, { kind: 'APIGroupDiscoveryList', items: [] }),
  );
  const discovery = new Discovery(fake.transport, { minRefreshMs: 3_000, clock: () => now });
  const ask = () => discovery.resource('v1', 'Nothing', signal);
  await Promise.all([ask(), ask(), ask()]);
  await ask();
  assert.equal(fake.requests.length, 2);
  now = 3_000;
  await ask();
  assert.equal(fake.requests.length, 4);
  await discovery.refresh(signal);
  assert.equal(fake.requests.length, 6);
});

test('a refresh that fails is told and keeps what was known', async () => {
  const pods = { resource: 'pods', responseKind: { kind: 'Pod' }, scope: 'Namespaced', verbs: [] };
  const core = { metadata: {}, versions: [{ version: 'v1', resources: [pods] }] };
  await using fake = await fakeApi(({ path }, response, index) => {
    if (index >= 2) sendStatus(response, 403, 'Forbidden');
    else sendJson(response, 200, { kind: 'APIGroupDiscoveryList', items: path === '/api' ? [core] : [] });
  });
  const { discovery } = fake.api;
  await discovery.refresh(signal);
  await assert.rejects(discovery.refresh(signal), { code: 'ApiForbidden' });
  assert.equal(discovery.presence('', 'Pod'), 'present');
});
