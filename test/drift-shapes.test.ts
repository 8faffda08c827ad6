import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { wouldChange } from '../src/drift/would-change.ts';
import { surplus, uncovered } from '../src/drift/coverage.ts';
import { formatPath, ownEntry } from '../src/drift/fields.ts';
import { baselineOf, judge } from '../src/drift/judge.ts';
import { rewritten } from '../src/drift/notation.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { freshNamespace, sharedCluster, type Cluster } from './cluster.ts';
import { apply, installShapes, labelled, OURS, read, shapes } from './drift-cluster.ts';

/** Quantities, defaults inside atomic nodes, and an empty map that gets defaults. */
const WRITTEN_DIFFERENTLY = [
  'Deployment/web',
  'StatefulSet/db',
  'PersistentVolumeClaim/claim',
  'PersistentVolume/pv-NS',
  'ResourceQuota/quota',
  'LimitRange/limits',
  'Endpoints/manual',
  'EndpointSlice/manual-1',
  'NetworkPolicy/rules',
  'RoleBinding/bind',
  'ClusterRoleBinding/NS:reader',
  'ValidatingWebhookConfiguration/hook-NS',
  'ValidatingAdmissionPolicy/policy-NS',
  'Shape/full',
  'CronJob/zoned',
  'MutatingWebhookConfiguration/mutate-NS',
  'HorizontalPodAutoscaler/scaler-wide',
  'StatefulSet/claims',
  'RoleBinding/terse',
];

let cluster: Cluster;
let namespace: string;
let objects: KubeObject[];

before(async () => {
  cluster = await sharedCluster();
  await installShapes(cluster);
  namespace = await freshNamespace(cluster, 'shapes');
  objects = shapes(namespace).map(labelled);
});

describe('what the real API server makes of our apply', () => {
  it('covers every declared field and nothing else, and is in sync at once', async () => {
    assert.ok(objects.length >= 45, `${objects.length} shapes`);
    for (const declared of objects) {
      const name = `${declared.kind}/${declared.metadata.name}`;
      const answer = await apply(cluster, declared);
      const fields = ownEntry(answer, OURS)?.fieldsV1 ?? {};
      assert.deepEqual(uncovered(declared, fields).map(formatPath), [], `uncovered in ${name}`);
      assert.deepEqual(surplus(declared, fields).map(formatPath), [], `surplus in ${name}`);
      const baseline = baselineOf(declared, answer, OURS);
      // Controllers write status and their own fields meanwhile: those are no difference.
      const judged = judge({ declared, live: await read(cluster, declared), manager: OURS, baseline });
      assert.equal(judged.kind, 'inSync', name);
    }
  });

  it('is in sync without a baseline too, but for values that the server writes its own way; a dry-run settles those', async () => {
    const settled: string[] = [];
    for (const declared of objects) {
      const name = `${declared.kind}/${declared.metadata.name.replace(declared.metadata.namespace ?? namespace, 'NS')}`;
      const live = await read(cluster, declared);
      const judged = judge({ declared, live, manager: OURS });
      if (judged.kind === 'inSync') continue;
      assert.equal(judged.kind, 'valuesDiffer', name);
      assert.deepEqual(rewritten(judged.differences), [], `${name}: the server's own notation is not a rewriting`);
      assert.deepEqual(wouldChange(live, await apply(cluster, declared, OURS, '&dryRun=All')), [], name);
      settled.push(name);
    }
    assert.deepEqual(settled, WRITTEN_DIFFERENTLY);
  });
});
