import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSpec } from '../src/api/source.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { freshNamespace, sharedCluster } from './cluster.ts';
import { installCrd, objectsOf } from './install.ts';

const cluster = await sharedCluster();
await installCrd(cluster);
const namespace = await freshNamespace(cluster, 'crd');
const collection = `/apis/plumbline.dev/v1alpha1/namespaces/${namespace}/gitopssources`;
const url = 'https://git.example.com/a';

function source(name: string, spec: Record<string, unknown>, more: object = {}) {
  return { apiVersion: 'plumbline.dev/v1alpha1', kind: 'GitOpsSource', metadata: { name, namespace }, spec, ...more };
}

async function create(name: string, spec: Record<string, unknown> = { url }): Promise<KubeObject> {
  const answer = await cluster.request('POST', `${collection}?fieldValidation=Strict`, { body: source(name, spec) });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

test('the server fills in the defaults that parseSpec fills in', async () => {
  const created = await create('defaults');
  const parsed = parseSpec({ url });
  assert.deepEqual(created['spec'], parsed.ok && parsed.spec);
});

test('a fresh source says observedGeneration -1, so that kstatus waits for us', async () => {
  assert.deepEqual((await create('fresh'))['status'], { observedGeneration: -1 });
});

test('a misspelt field is refused by strict validation', async () => {
  const body = source('strict', { url, prunes: true });
  const answer = await cluster.request<{ message: string }>('POST', `${collection}?fieldValidation=Strict`, { body });
  assert.equal(answer.status, 400);
  assert.match(answer.body.message, /unknown field "spec.prunes"/);
});

test('the CRD itself is structural and accepted', async () => {
  const [crd] = objectsOf('crds/plumbline.dev_gitopssources.yaml');
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd!.metadata.name}`;
  const { body } = await cluster.request<{ status: { conditions: { type: string; status: string }[] } }>('GET', path);
  const conditions = Object.fromEntries(body.status.conditions.map(({ type, status }) => [type, status]));
  assert.deepEqual(
    { Established: conditions['Established'], NonStructuralSchema: conditions['NonStructuralSchema'] },
    { Established: 'True', NonStructuralSchema: undefined },
  );
});

test('spec and status are written apart, and only a change of spec moves the generation', async () => {
  const created = await create('apart');
  const status = { observedGeneration: 1, drift: { count: 2, healedCount: 40, objects: [] } };
  const path = `${collection}/apart`;
  const patched = await cluster.request('PATCH', `${path}/status`, {
    body: { status, spec: { url: 'https://elsewhere.example.com' } },
  });
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
  assert.deepEqual(patched.body['status'], status);
  assert.deepEqual(patched.body['spec'], created['spec']);
  assert.equal(patched.body.metadata.generation, 1);
  const edited = await cluster.request('PATCH', path, {
    body: { spec: { prune: false }, status: { observedGeneration: 9 } },
  });
  assert.equal(edited.body.metadata.generation, 2);
  assert.deepEqual(edited.body['status'], status);
});

test('conditions are one per type, and a broken one is refused', async () => {
  await create('conditions');
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'ReconciliationSucceeded',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 1,
  };
  const write = (conditions: object[]) =>
    cluster.request('PATCH', `${collection}/conditions/status`, { body: { status: { conditions } } });
  assert.equal((await write([condition])).status, 200);
  assert.equal((await write([condition, condition])).status, 422);
  assert.equal((await write([{ ...condition, lastTransitionTime: 'now' }])).status, 422);
  assert.equal((await write([{ ...condition, status: 'Maybe' }])).status, 422);
});

test('going from a branch to a tag needs no knowledge of what stood there', async () => {
  const apply = (ref: object) =>
    cluster.request('PATCH', `${collection}/ref?fieldManager=${Object.keys(ref)[0]}&force=true`, {
      body: JSON.stringify(source('ref', { url, ref })),
      contentType: 'application/apply-patch+yaml',
    });
  assert.equal((await apply({ branch: 'main' })).status, 201);
  const changed = await apply({ tag: 'v1' });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  assert.deepEqual((changed.body['spec'] as { ref: object }).ref, { tag: 'v1' });
});

test('kubectl get shows revision, readiness, drift, message and age', async () => {
  await create('columns');
  const conditions = [
    {
      type: 'Ready',
      status: 'False',
      reason: 'PruneBlocked',
      message: 'waits',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
    {
      type: 'EdgeHealthy',
      status: 'False',
      reason: 'EdgeBlocked',
      message: 'stopped',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ];
  const status = {
    conditions,
    lastAppliedRevision: 'main@sha1:0123',
    drift: { count: 3, healedCount: 0, objects: [] },
  };
  await cluster.request('PATCH', `${collection}/columns/status`, { body: { status } });
  const { body } = await cluster.request<{
    columnDefinitions: { name: string; priority: number }[];
    rows: { cells: unknown[] }[];
  }>('GET', `${collection}/columns`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
  const shown = body.columnDefinitions.map(({ name, priority }) => (priority > 0 ? `(${name})` : name));
  const always = ['Name', 'Revision', 'Ready', 'Drift', 'Edge', 'Status', 'Age'];
  assert.deepEqual(shown, [...always, '(URL)', '(Path)', '(Suspended)']);
  assert.deepEqual(body.rows[0]!.cells.slice(0, 6), ['columns', 'main@sha1:0123', 'False', 3, 'False', 'waits']);
});

test('short name and category are served, and `kubectl delete all` does not reach a source', async () => {
  const { body } = await cluster.request<{
    resources: { name: string; shortNames?: string[]; categories?: string[] }[];
  }>('GET', '/apis/plumbline.dev/v1alpha1');
  const resource = body.resources.find(({ name }) => name === 'gitopssources');
  assert.deepEqual([resource?.shortNames, resource?.categories], [['gos'], ['gitops']]);
});
