// First touch on the real API server: whoever made the object before, a field that Git does not declare goes away with our
// first apply, and nothing that the system itself put there is lost.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { judge } from '../src/drift/judge.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { foldPredecessors, LAST_APPLIED_ANNOTATION, trackedByOther } from '../src/sync/predecessors.ts';
import { freshNamespace, sharedCluster, type Cluster } from './cluster.ts';
import { apply, labelled, OURS, patch, pathOf, read } from './drift-cluster.ts';
import { until } from './until.ts';

let cluster: Cluster;
let namespace: string;

before(async () => {
  cluster = await sharedCluster();
  namespace = await freshNamespace(cluster, 'touch');
});

async function create(object: KubeObject, manager: string): Promise<KubeObject> {
  const collection = pathOf(object, namespace).replace(/\/[^/]+$/, '');
  const answer = await cluster.request('POST', `${collection}?fieldManager=${manager}`, { body: object });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

/** First touch as the operator does it: one guarded patch, again when a controller was faster, then our first apply. */
async function adopt(declared: KubeObject): Promise<KubeObject> {
  await until(() => fold(declared).then(() => true), { what: `folding ${declared.metadata.name}` });
  const answer = await apply(cluster, declared);
  const again = foldPredecessors(answer, { ours: OURS });
  assert.deepEqual([again.changed, again.dropLastApplied], [false, false], 'nothing is left to fold');
  return answer;
}

async function fold(declared: KubeObject): Promise<void> {
  const live = await read(cluster, declared);
  const { changed, managedFields, dropLastApplied } = foldPredecessors(live, { ours: OURS });
  if (!changed && !dropLastApplied) return;
  const annotation = `/metadata/annotations/${LAST_APPLIED_ANNOTATION.replace('/', '~1')}`;
  const operations = [
    { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    ...(changed ? [{ op: 'replace', path: '/metadata/managedFields', value: managedFields }] : []),
    ...(dropLastApplied ? [{ op: 'remove', path: annotation }] : []),
  ];
  await patch(cluster, declared, operations, 'application/json-patch+json', OURS);
}

function configMap(name: string, data: Record<string, string>, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...metadata }, data };
}

function deployment(name: string, spec: object = {}): KubeObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:1' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}

describe('an object that others made', () => {
  const MANAGERS: [manager: string, verb: 'create' | 'apply'][] = [
    ['kubectl-client-side-apply', 'create'],
    ['kubectl-create', 'create'],
    ['kubectl', 'apply'],
    ['helm', 'create'],
    ['helm', 'apply'],
    ['kustomize-controller', 'apply'],
    ['argocd-controller', 'apply'],
    ['before-first-apply', 'create'],
    [OURS, 'create'],
  ];
  for (const [manager, verb] of MANAGERS) {
    it(`${manager}, ${verb}: a field that is not declared is gone`, async () => {
      const name = `from-${manager}-${verb}`;
      const annotations = { [LAST_APPLIED_ANNOTATION]: '{}', 'example.com/old': 'x' };
      const theirs = configMap(name, { kept: 'old', gone: 'x' }, { annotations });
      await (verb === 'create' ? create(theirs, manager) : apply(cluster, theirs, manager));
      const declared = labelled(configMap(name, { kept: 'new' }));
      const answer = await adopt(declared);
      assert.deepEqual(answer['data'], { kept: 'new' });
      assert.equal(answer.metadata.annotations, undefined);
      assert.equal(judge({ declared, live: answer, manager: OURS }).kind, 'inSync');
      assert.deepEqual(
        answer.metadata.managedFields?.map((entry) => entry.manager),
        [OURS],
      );
    });
  }

  it('keeps what a stranger added', async () => {
    const theirs = configMap('mixed', { kept: 'old', gone: 'x' });
    await create(theirs, 'kubectl-create');
    await patch(cluster, theirs, { data: { operator: 'y' } }, 'application/merge-patch+json', 'some-operator');
    const answer = await adopt(labelled(configMap('mixed', { kept: 'new' })));
    assert.deepEqual(answer['data'], { kept: 'new', operator: 'y' });
  });

  it('keeps nothing of a cleared managedFields but what the system needs', async () => {
    const annotations = { 'volume.kubernetes.io/selected-node': 'n', 'example.com/old': 'x' };
    const metadata = { finalizers: ['example.com/wait'], annotations };
    const theirs = configMap('cleared', { kept: 'old', gone: 'x' }, metadata);
    await create(theirs, 'kubectl-create');
    await patch(cluster, theirs, { metadata: { managedFields: [{}] } }, 'application/merge-patch+json', 'x');
    // The server notes down everything that is there under before-first-apply when the first apply comes.
    const declared = labelled(configMap('cleared', { kept: 'new' }));
    await apply(cluster, declared);
    const answer = await adopt(declared);
    assert.deepEqual(answer['data'], { kept: 'new' });
    assert.deepEqual(answer.metadata.finalizers, ['example.com/wait']);
    assert.deepEqual(answer.metadata.annotations, { 'volume.kubernetes.io/selected-node': 'n' });
  });

  it('a Deployment keeps its defaults and its last restart; hand-made settings go', async () => {
    const theirs = deployment('web', { minReadySeconds: 7, replicas: 3 });
    await create(theirs, 'kubectl-client-side-apply');
    const restartedAt = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
    await patch(
      cluster,
      theirs,
      { spec: { template: { metadata: { annotations: restartedAt } } } },
      'application/merge-patch+json',
      'kubectl-rollout',
    );
    await patch(cluster, theirs, { spec: { replicas: 4 } }, 'application/merge-patch+json', 'kubectl', '/scale');
    const { spec } = (await adopt(labelled(deployment('web')))) as unknown as { spec: Record<string, unknown> };
    assert.equal(spec['minReadySeconds'], undefined);
    assert.equal(spec['revisionHistoryLimit'], 10);
    assert.equal(spec['replicas'], 4, 'entries of a subresource are not ours to fold');
    const template = spec['template'] as { metadata: { annotations?: object } };
    assert.deepEqual(template.metadata.annotations, restartedAt);
  });

  it('a Service keeps its addresses and node ports, a claim its volume', async () => {
    const service: KubeObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace },
      spec: { type: 'NodePort', ports: [{ port: 80 }] },
    };
    const made = await create(service, 'helm');
    await patch(cluster, service, { metadata: { managedFields: [{}] } }, 'application/merge-patch+json', 'x');
    await apply(cluster, labelled(service));
    assert.deepEqual((await adopt(labelled(service)))['spec'], made['spec']);

    const spec = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'none',
      resources: { requests: { storage: '1Gi' } },
    };
    const claim: KubeObject = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace },
      spec,
    };
    await create({ ...claim, spec: { ...spec, volumeName: 'pv' } }, 'kubectl-create');
    const adopted = await adopt(labelled(claim));
    assert.equal((adopted['spec'] as { volumeName: string }).volumeName, 'pv');
    assert.ok(adopted.metadata.finalizers?.includes('kubernetes.io/pvc-protection'));
  });

  it('an Update under our own name is folded into our Apply entry, and both survive as one', async () => {
    const declared = labelled(configMap('split', { a: '1', b: '2' }));
    await apply(cluster, declared);
    await patch(cluster, declared, { data: { c: '3' } }, 'application/merge-patch+json', OURS);
    assert.equal((await read(cluster, declared)).metadata.managedFields?.length, 2);
    const answer = await adopt(declared);
    assert.deepEqual(answer['data'], { a: '1', b: '2' });
    assert.equal(answer.metadata.managedFields?.length, 1);
  });
});

describe('an object that another tool still tracks', () => {
  const argo = [{ manager: 'argocd-controller', operation: 'Apply' as const }];
  const CASES: [what: string, metadata: Partial<KubeObject['metadata']>, tool: string | undefined][] = [
    ['nobody', {}, undefined],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }, 'Flux'],
    ['Flux, by Helm', { labels: { 'helm.toolkit.fluxcd.io/name': 'apps' } }, 'Flux'],
    [
      'Argo CD, by annotation',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'app:/ConfigMap:shop/x' } },
      'Argo CD',
    ],
    ['Argo CD, by label', { labels: { 'app.kubernetes.io/instance': 'app' }, managedFields: argo }, 'Argo CD'],
    ['a label that charts set', { labels: { 'app.kubernetes.io/instance': 'app' } }, undefined],
    ['Argo CD without a mark', { managedFields: argo }, undefined],
    ['Config Sync', { annotations: { 'configmanagement.gke.io/managed': 'enabled' } }, 'Config Sync'],
    ['Config Sync, told to let go', { annotations: { 'configmanagement.gke.io/managed': 'disabled' } }, undefined],
    ['Fleet', { annotations: { 'objectset.rio.cattle.io/id': 'x' } }, 'Fleet'],
    ['kapp', { labels: { 'kapp.k14s.io/app': '1' } }, 'kapp'],
    [
      'a Helm release',
      { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'x' } },
      undefined,
    ],
  ];
  for (const [what, metadata, tool] of CASES) {
    it(what, () => {
      const tracker = trackedByOther({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', ...metadata } });
      assert.equal(tracker?.tool, tool);
      if (tracker) assert.match(tracker.detail, /^(label|annotation) \S+=\S+$/);
    });
  }
});
