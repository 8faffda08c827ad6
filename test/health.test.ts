// Health of what a real controller manager does with real workloads.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { health } from '../src/sync/health.ts';
import { freshNamespace, sharedCluster, type Cluster } from './cluster.ts';
import { apply, installShapes, read } from './drift-cluster.ts';
import { until } from './until.ts';

let cluster: Cluster;
let namespace: string;

before(async () => {
  cluster = await sharedCluster();
  namespace = await freshNamespace(cluster, 'health');
});

function deployment(name: string, image: string, spec: object = {}): KubeObject {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas: 2, selector: { matchLabels: labels }, template, ...spec },
  };
}

async function becomes(object: KubeObject, status: string): Promise<string> {
  let message = '';
  await until(
    async () => {
      const seen = health(await read(cluster, object));
      message = seen.message;
      return seen.status === status;
    },
    { what: `${object.kind} ${object.metadata.name} ${status}` },
  );
  return message;
}

describe('health on the real server', () => {
  it('a Deployment: being made, current, updated, current again', async () => {
    const first = deployment('web', 'app:1');
    assert.equal(health(await apply(cluster, first)).status, 'InProgress');
    await becomes(first, 'Current');
    assert.equal(health(await apply(cluster, deployment('web', 'app:2'))).status, 'InProgress');
    await becomes(first, 'Current');
  });

  it('a Deployment without pods', async () => {
    const none = deployment('none', 'app:1', { replicas: 0 });
    await apply(cluster, none);
    await becomes(none, 'Current');
  });

  it('a Deployment that misses its deadline', async () => {
    const bad = deployment('bad', 'bad-image', { progressDeadlineSeconds: 1 });
    await apply(cluster, bad);
    assert.match(await becomes(bad, 'Failed'), /timed out/);
  });

  it('a Job runs to its end', async () => {
    const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'app' }] } } };
    const once: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once', namespace }, spec };
    assert.equal(health(await apply(cluster, once)).status, 'InProgress');
    await becomes(once, 'Current');
  });

  it('a CRD is established', async () => {
    await installShapes(cluster);
    const crd: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'shapes.shapes.example.com' },
    };
    await becomes(crd, 'Current');
  });
});
