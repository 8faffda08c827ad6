import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { Body } from '../render/body.ts';
import { assess, type Kept } from './assess.ts';
import { baselineOf } from './judge.ts';
import { DEFAULT_POLICY } from './policy.ts';

const manager = 'plumbline';
const declared: KubeObject = { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, spec: { a: 1 } };

function live(resourceVersion: string, more: object = {}): KubeObject {
  const own = { manager, operation: 'Apply' as const, apiVersion: 'v1', fieldsV1: { 'f:spec': { 'f:a': {} } } };
  return { ...declared, metadata: { name: 'x', resourceVersion, managedFields: [own] }, ...more };
}

const baseline = baselineOf(declared, live('1'), manager)!;

function kept(body: string): Kept {
  return {
    apiVersion: 'v1',
    identity: { group: '', kind: 'X', namespace: '', name: 'x' },
    policy: { ssa: 'Apply' },
    body: new Body(body),
  };
}

it('an event that leaves ours as it was is told without a look at the declaration', () => {
  const look = { manager, baseline, policy: DEFAULT_POLICY };
  const { judgement, fields, beside } = assess(kept('never read'), live('2', { status: { ready: true } }), look);
  assert.deepEqual(judgement, { kind: 'inSync', baseline: { ...baseline, resourceVersion: '2' } });
  assert.deepEqual([fields, beside], [[], { ignored: [], foreign: [] }]);
});

it('what is ours has moved, is going or was written in another version: the declaration is asked', () => {
  const look = { manager, baseline, policy: DEFAULT_POLICY };
  const kind = (object: KubeObject) => assess(kept(JSON.stringify(declared)), object, look).judgement.kind;
  assert.equal(kind(live('2', { spec: { a: 2 } })), 'valuesDiffer');
  const going = live('2');
  going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  assert.equal(kind(going), 'terminating');
  const older = live('2');
  older.metadata.managedFields![0]!.apiVersion = 'v1beta1';
  assert.equal(kind(older), 'versionChanged');
});

it('who asks for what others added hears of it with each event', () => {
  const look = { manager, baseline, policy: { foreignFields: 'Report' as const } };
  const object = live('2', { spec: { a: 1, b: 2 } });
  object.metadata.managedFields!.push({
    manager: 'kubectl-edit',
    operation: 'Update',
    apiVersion: 'v1',
    fieldsV1: { 'f:spec': { 'f:b': {} } },
  });
  const { judgement, beside } = assess(kept(JSON.stringify(declared)), object, look);
  assert.equal(judgement.kind, 'inSync');
  assert.deepEqual(
    beside.foreign.map(({ path }) => path),
    ['/spec/b'],
  );
});
