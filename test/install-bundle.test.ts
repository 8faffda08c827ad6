// The bundle, run as the Deployment would run the image, with exactly the rights of deploy/install.yaml.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { request } from 'undici';
import type { GitOpsSource } from '../src/api/source.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { bundle } from '../src/build.ts';
import { freshNamespace, startCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { noContainers, startContainer } from './container.ts';
import type { Container } from './container.ts';
import { startGitServer } from './git-server.ts';
import type { GitServer } from './git-server.ts';
import { applyObject, objectsOf, pathOf } from './install.ts';
import { mayEdit } from './tenancy.ts';
import { until } from './until.ts';
import { freePort } from './free-port.ts';

const skip = noContainers();
const installed = objectsOf('deploy/install.yaml');
const deployment = installed.find(({ kind }) => kind === 'Deployment')!;
const app = mkdtempSync(join(tmpdir(), 'plumbline-app-'));
let cluster: Cluster;
let git: GitServer;

before(async () => {
  if (skip) return;
  // The pods that the cluster makes of the Deployment run nothing: the container of a test is the one that works.
  [cluster, git] = await Promise.all([startCluster(), startGitServer(), bundle(app)]);
});
after(async () => {
  await Promise.all([cluster?.stop(), git?.[Symbol.asyncDispose]()]);
  rmSync(app, { recursive: true });
});

/**
 * The operator of a fresh installation, ready. Without the platform's binding, which would hide a right that is missing:
 * it gives them all.
 */
async function install(): Promise<Container & { ports: Record<string, number> }> {
  for (const object of installed) {
    if (object.metadata.name !== 'plumbline-platform') await applyObject(cluster, object);
  }
  const ports = { metrics: await freePort(), health: await freePort() };
  const container = await startContainer({ cluster, deployment, app, ports });
  await until(
    async () => {
      assert.equal(container.process.exitCode, null, container.output());
      return (await request(`http://127.0.0.1:${ports.health}/readyz`)).statusCode === 200;
    },
    { what: 'the operator is ready' },
  );
  return Object.assign(container, { ports });
}

/** A source in a namespace of its own that has applied one ConfigMap. */
async function appliedSource(): Promise<{ source: string; managed: string }> {
  const namespace = await freshNamespace(cluster, 'bundle');
  await applyObject(cluster, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'plumbline', namespace } });
  await mayEdit(cluster, { name: 'plumbline', namespace }, namespace);
  const repository = await git.createRepository(namespace);
  const sha = await repository.write({
    'settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n',
  });
  const source = pathOf(
    await applyObject(cluster, {
      apiVersion: 'plumbline.dev/v1alpha1',
      kind: 'GitOpsSource',
      metadata: { name: 'settings', namespace },
      spec: { url: repository.url },
    }),
  );
  await until(
    async () => {
      const { status } = (await cluster.request<GitOpsSource>('GET', source)).body;
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return ready?.status === 'True' && status?.lastAppliedRevision === `main@sha1:${sha}`;
    },
    { what: 'the source is ready' },
  );
  return { source, managed: `/api/v1/namespaces/${namespace}/configmaps/settings` };
}

/** The sources of all tests. */
async function sources(): Promise<KubeObject[]> {
  const { body } = await cluster.request<{ items: KubeObject[] }>('GET', '/apis/plumbline.dev/v1alpha1/gitopssources');
  return body.items;
}

async function exists(path: string): Promise<boolean> {
  return (await cluster.request('GET', path)).status === 200;
}

/** What `kubectl delete -f` sends: one DELETE after the other, in the order of the file, without waiting for the ends. */
async function uninstall(): Promise<void> {
  for (const object of installed) await cluster.request('DELETE', pathOf(object));
}

test('the bundle applies, heals and ends as its manifest runs it', { skip }, async () => {
  await using operator = await install();
  const { managed } = await appliedSource();
  assert.deepEqual((await cluster.request('GET', managed)).body['data'], { colour: 'blue' });
  await cluster.request('PATCH', `${managed}?fieldManager=somebody`, { body: { data: { colour: 'red' } } });
  await until(
    async () => {
      const { data } = (await cluster.request('GET', managed)).body as unknown as { data: { colour: string } };
      return data.colour === 'blue';
    },
    { what: 'the edit is healed' },
  );
  const events = managed.replace(/configmaps.*$/, 'events');
  await until(async () => (await cluster.request<{ items: unknown[] }>('GET', events)).body.items.length > 0, {
    what: 'the operator may write events',
  });
  const metrics = await request(`http://127.0.0.1:${operator.ports['metrics']}/metrics`);
  assert.equal(metrics.statusCode, 200);
  assert.match(await metrics.body.text(), /^plumbline_/m);
  assert.equal((await request(`http://127.0.0.1:${operator.ports['health']}/healthz`)).statusCode, 200);
  assert.equal(await operator.stop(), 0, operator.output());
  assert.doesNotMatch(operator.output(), /forbidden/i, 'every right that it needed it had');
});

test(
  'an operator that is gone before its CRD leaves what is managed, and its sources can be released by hand',
  { skip },
  async () => {
    const operator = await install();
    const { source, managed } = await appliedSource();
    await operator.stop();
    const { uid } = (await cluster.request('GET', managed)).body.metadata;
    const crd = pathOf(installed.find(({ kind }) => kind === 'CustomResourceDefinition')!);
    await cluster.request('DELETE', crd);
    await until(async () => (await cluster.request('GET', source)).body.metadata.deletionTimestamp !== undefined, {
      what: 'the source is being deleted',
    });
    for (const left of await sources()) {
      await cluster.request('PATCH', pathOf(left), { body: { metadata: { finalizers: null } } });
    }
    await until(async () => !(await exists(crd)), { what: 'the CRD is gone' });
    assert.equal((await cluster.request('GET', managed)).body.metadata.uid, uid);
  },
);

test('uninstalling with one `kubectl delete -f` ends, and leaves what is managed', { skip }, async () => {
  await using operator = await install();
  // The server deletes the CRD's sources after our rights: with several of them one would be too late.
  const managed = (await Promise.all(Array.from({ length: 3 }, appliedSource))).map((applied) => applied.managed);
  const uids = () => Promise.all(managed.map(async (path) => (await cluster.request('GET', path)).body.metadata.uid));
  const before = await uids();
  await uninstall();
  const crd = pathOf(installed.find(({ kind }) => kind === 'CustomResourceDefinition')!);
  await until(async () => !(await exists(crd)), { what: 'the CRD is gone, and with it every source' });
  assert.deepEqual(await uids(), before, operator.output());
});
