import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GitOpsSourceStatus } from '../api/source.ts';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import { gitOpsSourceStatus } from '../api/status.ts';
import { capStatus } from './status-size.ts';

const time = '2026-01-02T03:04:05Z';
const identity = (index: number) => ({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: `web-${index}` });
const times = <T>(count: number, value: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => value(i));
const bytes = (status: GitOpsSourceStatus): number => Buffer.byteLength(JSON.stringify(status));

/** What a source could report of `count` objects, all of them in trouble; `long` is how long each text is. */
function reportOf(count: number, long: number): GitOpsSourceStatus {
  const text = 'é'.repeat(long);
  return {
    observedGeneration: 3,
    conditions: ['Ready', 'Drifted', 'Healthy'].map((type) => ({
      type,
      status: 'False' as const,
      lastTransitionTime: time,
      reason: 'ReconciliationFailed',
      message: text,
    })),
    lastAttemptedRevision: `main@sha1:${'a'.repeat(40)}`,
    commit: { sha: 'a'.repeat(40), author: text, subject: text, time },
    inventory: { count, kinds: times(200, (index) => ({ group: 'example.com', kind: `Kind${index}`, count: 1 })) },
    drift: {
      count,
      healedCount: 0,
      objects: times(count, (index) => ({
        ...identity(index),
        fields: times(20, (field) => ({
          path: `/spec/${field}/${text}`,
          declared: text,
          live: text,
          manager: 'kubectl-edit',
          operation: 'Update',
          time,
        })),
      })),
    },
    failures: times(count, (index) => ({
      ...identity(index),
      file: `${text}.yaml`,
      line: 1,
      reason: 'Invalid',
      message: text,
    })),
    ignoredFiles: { count, names: times(count, (index) => `docs/${index}/${text}.yaml`) },
    health: {
      ready: 0,
      progressing: 0,
      failed: count,
      reasons: times(count, (index) => ({ ...identity(index), message: text })),
    },
    edge: {
      routes: count,
      hosts: 0,
      members: count,
      errors: count,
      warnings: 0,
      infos: 0,
      findings: times(count, (index) => ({
        rule: 'EM022',
        severity: 'error' as const,
        kind: 'Mapping',
        name: `m${index}`,
        file: `${text}.yaml`,
        host: text,
        path: text,
        message: text,
        mend: text,
      })),
      setbacks: {
        count,
        objects: times(count, (index) => ({
          kind: 'Mapping',
          name: `m${index}`,
          file: `${text}.yaml`,
          state: 'Shadowed' as const,
          message: text,
        })),
      },
    },
    history: times(20, (index) => ({
      revision: `main@sha1:${index}`,
      status: 'Failed' as const,
      firstSeen: time,
      lastSeen: time,
      message: text,
    })),
  };
}

describe('capStatus', () => {
  test('a status that is small stays as it is', () => {
    const small = { observedGeneration: 1, history: reportOf(1, 10).history?.slice(0, 2) };
    assert.deepEqual(capStatus(small), small);
    assert.deepEqual(capStatus({ observedGeneration: -1 }), { observedGeneration: -1 });
  });

  for (const [count, long] of [
    [5000, 10],
    [5000, 300],
    [500, 1000],
    [40, 5000],
  ] as const) {
    test(`${count} objects in trouble with texts of ${long} characters fit, and the API server would take them`, () => {
      const whole = reportOf(count, long);
      const capped = capStatus(whole);
      assert.ok(bytes(whole) > STATUS_LIMITS.bytes);
      assert.ok(bytes(capped) <= STATUS_LIMITS.bytes, `${bytes(capped)} bytes`);
      assert.deepEqual(gitOpsSourceStatus.parse(capped), capped);
      assert.deepEqual(capped.inventory, whole.inventory);
      assert.equal(capped.conditions?.length, 3);
      assert.deepEqual(capped.truncated, {
        driftObjects: count - (capped.drift?.objects.length ?? 0),
        failures: count - (capped.failures?.length ?? 0),
        ignoredFiles: count - (capped.ignoredFiles?.names.length ?? 0),
        healthReasons: count - (capped.health?.reasons.length ?? 0),
        history: 20 - (capped.history?.length ?? 0),
        edgeFindings: count - (capped.edge?.findings.length ?? 0),
        edgeSetbacks: count - (capped.edge?.setbacks?.objects.length ?? 0),
      });
    });
  }

  test('the room is used: one more entry of the longest list would not fit', () => {
    const capped = capStatus(reportOf(5000, 60));
    const entries = [...(capped.drift?.objects ?? []), ...(capped.failures ?? []), ...(capped.edge?.findings ?? [])];
    const largest = Math.max(...entries.map((entry) => Buffer.byteLength(JSON.stringify(entry))));
    assert.ok(bytes(capped) > STATUS_LIMITS.bytes - largest - 300, `${bytes(capped)} bytes`);
    assert.equal(capped.history?.length, STATUS_LIMITS.history, 'short lists lose nothing to a long one');
  });

  test('the first entries stay, in order, and the given status is not touched', () => {
    const whole = reportOf(50, 10);
    const before = structuredClone(whole);
    const capped = capStatus(whole);
    assert.deepEqual(whole, before);
    assert.deepEqual(
      capped.failures?.map(({ name }) => name),
      times(STATUS_LIMITS.failures, (index) => `web-${index}`),
    );
  });

  test('what an earlier status said about missing entries does not stay', () => {
    assert.equal(capStatus({ observedGeneration: 1, truncated: { failures: 7 } }).truncated, undefined);
  });

  test('conditions and kinds stay even when they alone are too much', () => {
    const kinds = times(1000, (index) => ({ group: 'g'.repeat(100), kind: `Kind${index}`, count: 1 }));
    const capped = capStatus({ ...reportOf(100, 100), inventory: { count: 1000, kinds } });
    assert.equal(capped.inventory?.kinds.length, 1000);
    assert.deepEqual([capped.failures, capped.drift?.objects, capped.history], [[], [], []]);
  });
});
