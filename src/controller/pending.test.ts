import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import { identityKey } from '../kube/object.ts';
import type { Desired } from '../sync/desired.ts';
import { pendingOf, type PendingInput } from './pending.ts';
import { setterOf } from './setter.ts';

const revision = `main@sha1:${'a'.repeat(40)}`;

function desired(name: string, digest = 'new'): PendingInput['desired'][number] {
  const identity = { group: '', kind: 'ConfigMap', namespace: 'shop', name };
  const declared = { file: `${name}.yaml`, line: 3, identity, key: identityKey(identity), digest };
  return declared as unknown as Desired;
}

const keyOf = (name: string) => desired(name).key;

function pending(input: Partial<PendingInput>) {
  return pendingOf({
    revision,
    hold: { reason: 'WaitingForApproval' },
    desired: [],
    enforced: new Map(),
    isLive: () => false,
    prune: { delete: [], keep: [] },
    findings: [],
    ...input,
  });
}

test('what is declared as before is no part of it, whatever became of it in the cluster', () => {
  const { create, configure, objects } = pending({
    desired: [desired('same', 'old'), desired('changed'), desired('fresh'), desired('found')],
    enforced: new Map([
      [keyOf('same'), 'old'],
      [keyOf('changed'), 'old'],
    ]),
    isLive: (key) => key === keyOf('found'),
  });
  assert.deepEqual({ create, configure }, { create: 1, configure: 2 });
  const shown = objects.map(({ action, name, file, line }) => [action, name, file, line]);
  assert.deepEqual(shown, [
    ['configure', 'changed', 'changed.yaml', 3],
    ['create', 'fresh', 'fresh.yaml', 3],
    ['configure', 'found', 'found.yaml', 3],
  ]);
});

test('counts are whole, the list is capped', () => {
  const many = Array.from({ length: 500 }, (_, index) => desired(`n${index}`));
  const { create, objects } = pending({ desired: many });
  assert.deepEqual([create, objects.length], [500, STATUS_LIMITS.pendingObjects]);
});

test('says what would be deleted, and what would stay for the lack of an approval', () => {
  const gone = { ...desired('gone'), pruneDisabled: false, reconcileDisabled: false, deleting: false };
  const blocked = { reason: 'PruneBlocked', message: 'deleting Namespace shop takes what is inside with it' } as const;
  const { prune, pruneBlocked, objects } = pending({ prune: { delete: [[gone]], keep: [], blocked } });
  assert.deepEqual([prune, pruneBlocked, objects[0]?.action], [1, blocked.message, 'prune']);
});

test('promises no time that nobody has looked at', () => {
  const until = Date.parse('2026-01-05T22:00:00.000Z');
  const at = (opening: { until: number; atLeast: boolean }) =>
    pending({ hold: { reason: 'WaitingForWindow', opening: { open: false, ...opening } } }).until;
  assert.equal(at({ until, atLeast: false }), '2026-01-05T22:00:00Z');
  assert.equal(at({ until, atLeast: true }), undefined);
  assert.equal(at({ until: Infinity, atLeast: false }), undefined);
  assert.equal(pending({}).until, undefined);
});

test('who set an annotation is the manager that owns it', () => {
  const object = (fields: object) => ({
    apiVersion: 'plumbline.dev/v1alpha1',
    kind: 'GitOpsSource',
    metadata: {
      name: 'app',
      managedFields: [
        { manager: 'somebody', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:a': {} } } } },
        { manager: 'kubectl-annotate', time: '2026-01-05T22:00:00Z', fieldsV1: fields as never },
      ],
    },
  });
  const annotated = object({ 'f:metadata': { 'f:annotations': { 'f:plumbline.dev/approve': {} } } });
  assert.deepEqual(setterOf(annotated, 'plumbline.dev/approve'), {
    by: 'kubectl-annotate',
    time: '2026-01-05T22:00:00Z',
  });
  assert.deepEqual(setterOf(annotated, 'plumbline.dev/syncNow'), { by: 'somebody unknown' });
});
