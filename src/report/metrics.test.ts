import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WRITE_ACTIONS } from './log.ts';
import { OUTCOMES, createMetrics } from './metrics.ts';

/** Our own series, by `name{labels}` as Prometheus reads them. */
async function series(metrics: { text: () => Promise<string> }): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('plumbline_'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

const namesOf = (all: Map<string, number>): string[] => [...all.keys()];

describe('metrics', () => {
  test('what is known beforehand starts at zero', async () => {
    const all = await series(createMetrics());
    for (const outcome of OUTCOMES) assert.equal(all.get(`plumbline_reconcile_total{outcome="${outcome}"}`), 0);
    for (const action of WRITE_ACTIONS) {
      const name = action === 'pruned' ? 'plumbline_pruned_total' : `plumbline_applied_total{action="${action}"}`;
      assert.equal(all.get(name), 0, name);
    }
    assert.equal(all.get('plumbline_kube_requests_total{verb="apply",code="200"}'), 0);
    assert.equal(all.get('plumbline_git_requests_total{operation="fetch",result="error"}'), 0);
    for (const name of ['drift_heal_seconds_count', 'queue_depth', 'watches', 'leader']) {
      assert.equal(all.get(`plumbline_${name}`), 0, name);
    }
  });

  test('each fact has its series', async () => {
    const state = { depth: 2, watches: 9, leader: true };
    const metrics = createMetrics({
      queueDepth: () => state.depth,
      watches: () => state.watches,
      leader: () => state.leader,
    });
    metrics.reconciled('team/shop', 'retry', 0.2);
    metrics.conditions('team/shop', [{ type: 'Ready', status: 'False' }]);
    metrics.conditions('team/shop', [
      { type: 'Ready', status: 'True' },
      { type: 'Drifted', status: 'Unknown' },
    ]);
    metrics.suspended('team/shop', true);
    metrics.managedObjects('team/shop', 40);
    metrics.driftOpen('team/shop', 3);
    metrics.driftDetected('Deployment', 'kubectl-edit');
    metrics.driftDetected('Deployment', undefined);
    metrics.driftHealed(0.004);
    metrics.wrote('healed');
    metrics.wrote('pruned');
    metrics.applyFailed('Forbidden');
    metrics.kubeRequest('GET', 200);
    metrics.kubeRequest('apply', 0);
    metrics.gitRequest('ls-refs', 'ok');
    const all = await series(metrics);
    const expected: Record<string, number> = {
      'reconcile_duration_seconds_count{source="team/shop"}': 1,
      'reconcile_total{outcome="retry"}': 1,
      'reconcile_condition{source="team/shop",type="Ready",status="True"}': 1,
      'reconcile_condition{source="team/shop",type="Ready",status="False"}': 0,
      'reconcile_condition{source="team/shop",type="Drifted",status="Unknown"}': 1,
      'reconcile_condition{source="team/shop",type="Stalled",status="False"}': 0,
      'suspend_status{source="team/shop"}': 1,
      'managed_objects{source="team/shop"}': 40,
      'drift_open{source="team/shop"}': 3,
      'drift_detected_total{kind="Deployment",manager="kubectl-edit"}': 1,
      'drift_detected_total{kind="Deployment",manager="unknown"}': 1,
      'drift_heal_seconds_bucket{le="0.003"}': 0,
      'drift_heal_seconds_bucket{le="0.005"}': 1,
      'applied_total{action="healed"}': 1,
      pruned_total: 1,
      'apply_failures_total{reason="Forbidden"}': 1,
      'kube_requests_total{verb="get",code="200"}': 1,
      'kube_requests_total{verb="apply",code="error"}': 1,
      'git_requests_total{operation="ls-refs",result="ok"}': 1,
      queue_depth: 2,
      watches: 9,
      leader: 1,
    };
    const actual = Object.keys(expected).map((name) => [name, all.get(`plumbline_${name}`)]);
    assert.deepEqual(Object.fromEntries(actual), expected);
  });

  test('a deleted source leaves no series behind', async () => {
    const metrics = createMetrics();
    for (const source of ['team/shop', 'team/other']) {
      metrics.reconciled(source, 'done', 1);
      metrics.conditions(source, [{ type: 'Ready', status: 'True' }]);
      metrics.suspended(source, false);
      metrics.managedObjects(source, 1);
      metrics.driftOpen(source, 0);
    }
    metrics.forget('team/shop');
    const names = namesOf(await series(metrics));
    assert.deepEqual(
      names.filter((name) => name.includes('team/shop')),
      [],
    );
    assert.ok(names.some((name) => name.includes('team/other')));
  });

  test('names that others choose do not add series without end', async () => {
    const metrics = createMetrics();
    for (let index = 0; index < 5000; index++) {
      metrics.driftDetected(`Kind${index}`, `manager-${index}`);
      metrics.applyFailed(`Reason${index}`);
      metrics.kubeRequest(`verb${index}`, index);
      metrics.gitRequest(`operation${index}`, 'ok');
      metrics.managedObjects(`team/source-${index}`, 1);
      metrics.reconciled(`team/source-${index}`, 'done', 1);
    }
    const all = await series(metrics);
    const count = (part: string): number => namesOf(all).filter((name) => name.includes(part)).length;
    assert.equal(count('drift_detected_total'), 101);
    assert.equal(count('apply_failures_total'), 101);
    assert.ok(count('kube_requests_total') < 150);
    assert.ok(count('git_requests_total') < 10);
    assert.equal(count('managed_objects'), 2000);
    assert.equal(all.get('plumbline_reconcile_duration_seconds_count{source="other"}'), 3000);
    assert.doesNotMatch(namesOf(all).join('\n'), /manager-/);
  });
});
