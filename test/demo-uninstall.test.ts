// The demo on a cluster that somebody named: it refuses what is taken, and leaves nothing behind. On a cluster of its own,
// because it removes CRDs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FINALIZER } from '../src/api/names.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { Client, type Reference } from '../examples/demo/client.ts';
import {
  accountKubeconfig,
  installEmissaryCrds,
  installPlumbline,
  refuseIfTaken,
  uninstall,
} from '../examples/demo/installation.ts';
import { emissaryCrds, installObjects, shopSources } from '../examples/demo/shop.ts';
import { startCluster, type Cluster } from './cluster.ts';

const signal = AbortSignal.timeout(180_000);
let cluster: Cluster;
let client: Client;

before(async () => {
  cluster = await startCluster();
  client = await Client.open(cluster.kubeconfig);
});
after(() => cluster.stop());

test('an empty cluster is taken as it is', async () => {
  await refuseIfTaken(client, signal);
});

test('a cluster with a namespace of the demo, or with Emissary, is refused by name', async () => {
  const namespace: Reference = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop-edge' } };
  await client.apply(namespace, 'test', signal);
  await assert.rejects(refuseIfTaken(client, signal), { code: 'DemoTaken', message: /Namespace shop-edge/ });
  await client.remove(namespace, signal);
  const what = 'the namespace to be gone';
  await client.waitFor(namespace, (object) => object === undefined, { what, timeoutMs: 60_000, signal });
  await installEmissaryCrds(client, signal);
  await assert.rejects(refuseIfTaken(client, signal), { code: 'DemoTaken', message: /getambassador\.io/ });
});

test('the operator gets the rights of its ServiceAccount and no others', async () => {
  const account = await installPlumbline(client, signal);
  const kubeconfig = JSON.parse(await accountKubeconfig(client, account, signal)) as {
    users: { user: { token: string } }[];
    clusters: { cluster: { server: string } }[];
  };
  assert.equal(kubeconfig.clusters[0]?.cluster.server, client.server);
  const token = kubeconfig.users[0]?.user.token ?? '';
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const answer = await cluster.request<{ status: { userInfo: { username: string } } }>('POST', path, { body, token });
  assert.equal(answer.body.status.userInfo.username, `system:serviceaccount:${account.namespace}:${account.name}`);
});

test('uninstall takes away sources that nobody releases, and everything else that the demo created', async () => {
  for (const object of await shopSources('https://git.example.com/shop.git')) {
    const metadata = { ...object.metadata, ...(object.kind === 'GitOpsSource' && { finalizers: [FINALIZER] }) };
    await client.apply({ ...object, metadata }, 'test', signal);
  }
  await uninstall(client, signal, 100);
  // An API server whose storage of a kind "is (re)initializing" at the delete keeps the CRD for minutes: that it is being
  // deleted is all that can be asked for.
  const isGone = (object: KubeObject | undefined): boolean =>
    object === undefined || (object.kind === 'CustomResourceDefinition' && !!object.metadata.deletionTimestamp);
  const namespaces = ['plumbline-system', 'shop-edge', 'shop-checkout', 'shop-catalog'].map((name): Reference => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  for (const reference of [...namespaces, ...(await installObjects()), ...(await emissaryCrds())]) {
    if (reference.kind === 'GitOpsSource') continue;
    const what = `${reference.kind} ${reference.metadata.name} to be gone`;
    await client.waitFor(reference, isGone, { what, timeoutMs: 90_000, signal });
  }
});
