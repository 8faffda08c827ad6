// What need not wait as a whole for its source, and what has to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { Body } from '../render/body.ts';
import { planStep } from '../sync/plan.ts';
import type { Desired } from '../sync/desired.ts';
import type { LiveObject } from '../sync/live.ts';
import { sighted } from '../sync/sighting.ts';
import { judgedAhead } from './ahead.ts';

const METADATA = { name: 'x', namespace: 'shop' };
const expected: Desired = {
  identity: { group: '', kind: 'ConfigMap', namespace: 'shop', name: 'x' },
  key: '/ConfigMap/shop/x',
  apiVersion: 'v1',
  file: 'x.yaml',
  line: 1,
  body: new Body(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: METADATA, data: { a: '1', b: '2' } })),
  digest: 'of the declaration',
  policy: { prune: true, reconcile: true, ssa: 'Override', force: false, adopt: false },
};
const OURS: ManagedFieldsEntry = {
  manager: 'plumbline',
  operation: 'Apply',
  apiVersion: 'v1',
  fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } },
};

interface LiveInput {
  apiVersion?: string;
  data?: object;
  entry?: Partial<ManagedFieldsEntry>;
  metadata?: object;
}

function liveAs({ apiVersion = 'v1', data = {}, entry = {}, metadata = {} }: LiveInput = {}): KubeObject {
  const managedFields = [{ ...OURS, ...entry }];
  return {
    apiVersion,
    kind: 'ConfigMap',
    metadata: { ...METADATA, uid: 'u', resourceVersion: '7', managedFields, ...metadata },
    data: { a: '1', b: '2', ...data },
  };
}

function waiting(object: KubeObject): LiveObject {
  return { ...sighted(object, undefined, undefined), unjudged: object };
}

test('what is as it is expected to be declared is known by its baseline, and a run that declares it has nothing to do', () => {
  const judged = judgedAhead(waiting(liveAs()), expected);
  assert.equal(judged?.unjudged, undefined);
  assert.equal(judged?.baseline?.resourceVersion, '7');
  assert.deepEqual(planStep(expected, judged), { kind: 'unchanged' });
  // Another declaration is none that it was compared with.
  assert.deepEqual(planStep({ ...expected, digest: 'of a new one' }, judged), { kind: 'configure' });
});

test('what others have beside it, and its status, make no difference', () => {
  const theirs = { manager: 'kubectl', fieldsV1: { 'f:data': { 'f:c': {} } } };
  const managedFields = [OURS, theirs];
  assert.ok(judgedAhead(waiting(liveAs({ data: { c: '3' }, metadata: { managedFields } })), expected));
});

const wait: [string, LiveInput, Partial<Desired>?][] = [
  ['a declared field that is no longer ours', { entry: { fieldsV1: { 'f:data': { 'f:a': {} } } } }],
  [
    'a field that we hold and is not declared',
    { entry: { fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {}, 'f:c': {} } } } },
  ],
  ['other values below what we hold', { data: { b: 'other' } }],
  ['no entry of ours', { metadata: { managedFields: [] } }],
  ['an entry in another apiVersion', { entry: { apiVersion: 'v1beta1' } }],
  ['it was listed in another apiVersion', { apiVersion: 'v1beta1' }],
  ['it is being deleted', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  ['its annotation keeps it from us', { metadata: { annotations: { 'plumbline.dev/reconcile': 'disabled' } } }],
  ['its manifest leaves it alone', {}, { policy: { ...expected.policy, reconcile: false } }],
  ['it is only to be created', {}, { policy: { ...expected.policy, ssa: 'IfNotPresent' } }],
];
for (const [what, live, declared] of wait)
  test(`it waits as a whole: ${what}`, () => {
    assert.equal(judgedAhead(waiting(liveAs(live)), { ...expected, ...declared }), undefined);
  });

test('what does not wait is not judged a second time', () => {
  assert.equal(judgedAhead({ ...waiting(liveAs()), unjudged: undefined }, expected), undefined);
});
