// The parts of `npm run demo` against the real API server: its samples, its client, and what a step says when nobody heals.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loadAll } from 'js-yaml';
import { API_VERSION, NAME_LABEL, NAMESPACE_LABEL } from '../src/api/names.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { Client, type Reference } from '../examples/demo/client.ts';
import { deleteObject, editMapping } from '../examples/demo/hand-steps.ts';
import { installEmissaryCrds, isEstablished } from '../examples/demo/installation.ts';
import { shopFiles, shopSources, THINGS } from '../examples/demo/shop.ts';
import type { Stage } from '../examples/demo/stage.ts';
import { freshNamespace, sharedCluster, type Cluster } from './cluster.ts';
import { installCrd } from './install.ts';

const signal = AbortSignal.timeout(120_000);
let cluster: Cluster;
let client: Client;

before(async () => {
  cluster = await sharedCluster();
  client = await Client.open(cluster.kubeconfig);
  await installCrd(cluster);
  assert.equal(await installEmissaryCrds(client, signal), 14);
  for (const name of ['shop-edge', 'shop-checkout', 'shop-catalog']) await applyNamespace(name);
});

async function applyNamespace(name: string): Promise<void> {
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'test', signal);
}

function mapping(apiVersion: string, namespace: string, spec: object): Reference & { spec: object } {
  return { apiVersion, kind: 'Mapping', metadata: { namespace, name: 'sample' }, spec };
}

test('a CRD that the API server has not looked at yet is not established', () => {
  const crd = (status?: object) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'a' },
    status,
  });
  for (const status of [
    undefined,
    {},
    { conditions: null },
    { conditions: [{ type: 'NamesAccepted', status: 'True' }] },
  ])
    assert.equal(isEstablished(crd(status)), false);
  assert.ok(isEstablished(crd({ conditions: [{ type: 'Established', status: 'True' }] })));
});

test('every file of the shop is accepted by the API server as it is', async () => {
  const files = Object.entries(await shopFiles()).filter(([path]) => path.endsWith('.yaml'));
  assert.ok(files.length >= 10);
  for (const [path, text] of files) {
    for (const object of loadAll(text) as KubeObject[]) {
      await assert.doesNotReject(
        client.apply(object, 'test', signal),
        `${path}: ${object.kind} ${object.metadata.name}`,
      );
    }
  }
});

test('the sources of the shop are accepted, each with the URL of the Git server', async () => {
  await applyNamespace('plumbline-system');
  const sources = (await shopSources('http://127.0.0.1:1/shop.git')).filter(({ kind }) => kind === 'GitOpsSource');
  assert.equal(sources.length, 3);
  for (const source of sources) {
    const applied = await client.apply(source, 'test', signal);
    assert.equal((applied.spec as { url: string }).url, 'http://127.0.0.1:1/shop.git');
    await client.remove(source, signal);
  }
});

test('a v3alpha1 Mapping loses nothing on its way through storage in v2', async () => {
  const namespace = await freshNamespace(cluster, 'demo');
  const spec = {
    hostname: '*.example.com',
    prefix: '/a/',
    service: 'a',
    v2ExplicitTLS: { serviceScheme: 'http://' },
    labels: { ambassador: [{ group: [{ generic_key: { value: 'x' } }] }] },
    health_checks: [{ health_check: { http: { path: '/', expected_statuses: [{ min: 200, max: 204 }] } } }],
    envoy_override: { anything: { at: ['all'] } },
  };
  await client.apply(mapping('getambassador.io/v3alpha1', namespace, spec), 'test', signal);
  const read = await client.get(mapping('getambassador.io/v3alpha1', namespace, {}), signal);
  assert.deepEqual(read?.spec, spec);
});

test('strict validation names a misspelled field of a v3alpha1 Mapping', async () => {
  const namespace = await freshNamespace(cluster, 'demo');
  const wrong = mapping('getambassador.io/v3alpha1', namespace, { host_name: 'a.com', prefix: '/', service: 'a' });
  await assert.rejects(client.apply(wrong, 'test', signal), { code: 'DemoRefused', message: /host_name/ });
});

test('a v2 Mapping may hold the forms that only v2 has', async () => {
  const namespace = await freshNamespace(cluster, 'demo');
  const spec = { host: 'a.com', prefix: '/', service: 'a', tls: true, headers: { 'x-a': true }, ambassador_id: 'one' };
  await client.apply(mapping('getambassador.io/v2', namespace, spec), 'test', signal);
  const read = await client.get(mapping('getambassador.io/v2', namespace, {}), signal);
  assert.deepEqual(read?.spec, spec);
});

test('waitFor sees what came before it, what comes after, and a deletion', async () => {
  const metadata = { namespace: await freshNamespace(cluster, 'demo'), name: 'a' };
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
  const created = await client.apply({ ...reference, data: { a: '1' } } as Reference, 'test', signal);
  const options = { what: 'it', timeoutMs: 20_000, signal };
  const isTwo = (object: KubeObject | undefined): boolean => (object?.data as { a?: string } | undefined)?.a === '2';
  assert.equal((await client.waitFor(reference, (object) => object !== undefined, options)).object?.metadata.name, 'a');
  const [two] = await Promise.all([
    client.waitFor(reference, isTwo, { ...options, from: created }),
    client.edit(reference, { data: { a: '2' } }, 'somebody', signal),
  ]);
  assert.deepEqual(two.object?.data, { a: '2' });
  const isGone = (object: KubeObject | undefined): boolean => object === undefined;
  const [gone] = await Promise.all([client.waitFor(reference, isGone, options), client.remove(reference, signal)]);
  assert.equal(gone.object, undefined);
});

test('waitFor says what it waited for in vain, and stops at once when it is told to', async () => {
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'never' } };
  const never = (object: KubeObject | undefined): boolean => object !== undefined;
  const waiting = client.waitFor(reference, never, { what: 'a miracle', timeoutMs: 50, signal });
  await assert.rejects(waiting, { code: 'DemoTimeout', message: /a miracle/ });
  const stop = new AbortController();
  const stopped = client.waitFor(reference, never, { what: 'it', timeoutMs: 60_000, signal: stop.signal });
  stop.abort();
  await assert.rejects(stopped, { name: 'AbortError' });
});

function stage(patience: Stage['patience']): Stage {
  const push = (): never => assert.fail('these steps do not push');
  return { client, signal, patience, sources: [], tip: () => ({ sha: '', files: {} }), push };
}

async function applyCanary(): Promise<void> {
  const spec = { hostname: 'shop.example.com', prefix: '/checkout/', service: 'checkout-next', weight: 25 };
  const { namespace, name } = THINGS.checkout.metadata;
  const labels = { [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace };
  const { apiVersion, kind, metadata } = THINGS.canary;
  await client.apply({ apiVersion, kind, metadata: { ...metadata, labels }, spec } as Reference, 'test', signal);
}

test('a step fails when nobody heals', async () => {
  const metadata = THINGS.settings.metadata;
  await client.apply({ ...THINGS.settings, metadata, data: {} } as Reference, 'test', signal);
  await assert.rejects(deleteObject(stage({ syncMs: 200, healMs: 200 })), {
    code: 'DemoTimeout',
    message: /to be back/,
  });
});

test('the edit of a Mapping is passed when it is put back and the status says who did it', async () => {
  await applyCanary();
  const source = { ...THINGS.checkout, spec: { url: 'https://git.example.com/shop.git' } };
  await client.apply(source, 'test', signal);
  const playing = editMapping(stage({ syncMs: 20_000, healMs: 20_000 }));
  const weightOf = (object: KubeObject | undefined): number | undefined =>
    (object?.spec as { weight: number } | undefined)?.weight;
  await client.waitFor(THINGS.canary, (object) => weightOf(object) === 100, { what: 'it', timeoutMs: 20_000, signal });
  await applyCanary();
  const drifted = {
    group: 'getambassador.io',
    kind: 'Mapping',
    ...THINGS.canary.metadata,
    fields: [{ path: '/spec/weight', declared: '25', live: '100', manager: 'traffic-script', operation: 'Update' }],
  };
  const status = { observedGeneration: 1, drift: { count: 0, healedCount: 1, objects: [drifted] } };
  const path = `/apis/${API_VERSION}/namespaces/shop-checkout/gitopssources/checkout/status`;
  const contentType = 'application/merge-patch+json';
  const answer = await client.call(path, { method: 'PATCH', body: { status }, contentType, signal });
  assert.equal(answer.status, 200);
  const { said, ms, report } = await playing;
  assert.match(said, /healed/);
  assert.ok(ms !== undefined);
  assert.match(report?.[1] ?? '', /\/spec\/weight +25 +100 +traffic-script \(Update\)/);
  await client.remove(source, signal);
});
