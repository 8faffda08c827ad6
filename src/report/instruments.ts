import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

const RECONCILE_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];
const HEAL_BUCKETS = [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300];

/** Values that are read when Prometheus asks, so that nobody has to push them. */
export interface Readings {
  queueDepth?: () => number;
  watches?: () => number;
  leader?: () => boolean;
}

/** Every metric of ours, by name, help and labels. Each has its row in docs/reference/metrics.md. */
export function createInstruments(registry: Registry, readings: Readings) {
  const registers = [registry];
  const reading = (name: string, help: string, value: () => number): void => {
    // The client reads the gauge through `collect`; the registry keeps it.
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(value()) });
  };
  reading('plumbline_queue_depth', 'Sources that wait for a worker.', () => readings.queueDepth?.() ?? 0);
  reading('plumbline_watches', 'Open watches, one for each declared kind.', () => readings.watches?.() ?? 0);
  reading('plumbline_leader', '1 in the replica that acts, 0 in one that stands by.', () =>
    readings.leader?.() ? 1 : 0,
  );

  return {
    reconcileSeconds: new Histogram({
      name: 'plumbline_reconcile_duration_seconds',
      help: 'How long one reconciliation of a source took, waiting for Git and the API server included.',
      labelNames: ['source'],
      buckets: RECONCILE_BUCKETS,
      registers,
    }),
    reconciles: new Counter({
      name: 'plumbline_reconcile_total',
      help: 'Reconciliations by how they ended: done, again (after a set time), retry (failed), terminal (needs a person).',
      labelNames: ['outcome'],
      registers,
    }),
    conditions: new Gauge({
      name: 'plumbline_reconcile_condition',
      help: 'Conditions of each source: 1 for the status that holds, 0 for the others.',
      labelNames: ['source', 'type', 'status'],
      registers,
    }),
    suspended: new Gauge({
      name: 'plumbline_suspend_status',
      help: '1 when the source is suspended.',
      labelNames: ['source'],
      registers,
    }),
    managedObjects: new Gauge({
      name: 'plumbline_managed_objects',
      help: 'Objects in the cluster that belong to the source.',
      labelNames: ['source'],
      registers,
    }),
    driftOpen: new Gauge({
      name: 'plumbline_drift_open',
      help: 'Objects of the source that differ from Git now.',
      labelNames: ['source'],
      registers,
    }),
    driftFights: new Gauge({
      name: 'plumbline_drift_fights',
      help: 'Objects of the source that somebody changes again and again after each repair.',
      labelNames: ['source'],
      registers,
    }),
    driftDetected: new Counter({
      name: 'plumbline_drift_detected_total',
      help: 'Objects found changed by somebody else, by kind and by the field manager that did it.',
      labelNames: ['kind', 'manager'],
      registers,
    }),
    driftHealed: new Histogram({
      name: 'plumbline_drift_heal_seconds',
      help: 'From the arrival of the change to the answer of the apply that corrected it.',
      buckets: HEAL_BUCKETS,
      registers,
    }),
    applied: new Counter({
      name: 'plumbline_applied_total',
      help: 'Objects written, by what was done to them.',
      labelNames: ['action'],
      registers,
    }),
    pruned: new Counter({
      name: 'plumbline_pruned_total',
      help: 'Objects deleted because Git no longer declares them.',
      registers,
    }),
    commitWaiting: new Gauge({
      name: 'plumbline_commit_waiting',
      help: '1 while a commit of the source waits, for an approval or a window.',
      labelNames: ['source', 'reason'],
      registers,
    }),
    edgeVerdicts: new Counter({
      name: 'plumbline_edge_verdicts_total',
      help: 'New revisions at the gate of the edge: passed, blocked, or overridden by an EdgePolicy.',
      labelNames: ['verdict'],
      registers,
    }),
    applyFailures: new Counter({
      name: 'plumbline_apply_failures_total',
      help: 'Objects that could not be written, by the reason that stands in the status.',
      labelNames: ['reason'],
      registers,
    }),
    kubeRequests: new Counter({
      name: 'plumbline_kube_requests_total',
      help: 'Requests to the API server by verb and HTTP status; code "error" when no answer came.',
      labelNames: ['verb', 'code'],
      registers,
    }),
    gitRequests: new Counter({
      name: 'plumbline_git_requests_total',
      help: 'Requests to Git servers by operation and result.',
      labelNames: ['operation', 'result'],
      registers,
    }),
  };
}
