import { Registry, collectDefaultMetrics } from '@prometheus-io/client';
import { CONDITION_TYPES as CONDITIONS } from '../api/conditions.ts';
import { type Readings, createInstruments } from './instruments.ts';
import { WRITE_ACTIONS, type WriteAction } from './log.ts';

/** How a reconciliation ended; see the four answers of the reconcile function. */
export const OUTCOMES = ['done', 'again', 'retry', 'terminal'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What the gate of the edge says to a new revision. */
const EDGE_VERDICTS = ['passed', 'blocked', 'overridden'] as const;
export type EdgeVerdict = (typeof EDGE_VERDICTS)[number];

/** What a commit waits for. */
const WAIT_REASONS = ['WaitingForApproval', 'WaitingForWindow'] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

const CONDITION_TYPES = Object.keys(CONDITIONS);
const CONDITION_STATUSES = ['True', 'False', 'Unknown'] as const;
const KUBE_VERBS = ['get', 'list', 'watch', 'create', 'apply', 'update', 'patch', 'delete', 'post', 'put'];
const GIT_OPERATIONS = ['ls-refs', 'fetch'];

/**
 * Field managers that get a label of their own. Anybody who may write an object chooses his manager's name, so every other
 * name is counted as `other`: a loop with random names must not fill the memory of this process and of Prometheus.
 */
const KNOWN_MANAGERS = [
  'kubectl',
  'kubectl-client-side-apply',
  'kubectl-create',
  'kubectl-edit',
  'kubectl-patch',
  'kubectl-replace',
  'kubectl-rollout',
  'kubectl-scale',
  'kubectl-set',
  'kubectl-annotate',
  'kubectl-label',
  'kube-controller-manager',
  'helm',
  'helm-controller',
  'kustomize-controller',
  'argocd-controller',
  'argocd-application-controller',
];

/** More kinds, failure reasons or answer codes than this are counted together as `other`. */
const MAX_LABEL_VALUES = 100;
/** Sources beyond this have no series of their own: their durations are kept under `other`, their gauges left out. */
const MAX_SOURCES = 2000;

/**
 * Everything we count. Each method is one fact of the domain; labels are capped here and nowhere else. A source is
 * `namespace/name`. What each metric means to its reader stands in docs/reference/metrics.md.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #instruments;
  readonly #sources = new Set<string>();
  readonly #kind = firstOf(MAX_LABEL_VALUES);
  readonly #reason = firstOf(MAX_LABEL_VALUES);
  readonly #code = firstOf(MAX_LABEL_VALUES);
  readonly #manager = oneOf(KNOWN_MANAGERS);
  readonly #verb = oneOf(KUBE_VERBS);
  readonly #operation = oneOf(GIT_OPERATIONS);

  constructor(readings: Readings = {}) {
    // The library looks at the event loop's use ten times a second by default: too often for a process that rests.
    collectDefaultMetrics({ register: this.#registry, eventLoopUtilizationTimeout: 1000 });
    this.#instruments = createInstruments(this.#registry, readings);
    const { reconciles, applied, kubeRequests, gitRequests, edgeVerdicts } = this.#instruments;
    for (const verdict of EDGE_VERDICTS) edgeVerdicts.inc({ verdict }, 0);
    for (const outcome of OUTCOMES) reconciles.inc({ outcome }, 0);
    for (const action of WRITE_ACTIONS) if (action !== 'pruned') applied.inc({ action }, 0);
    for (const verb of KUBE_VERBS) kubeRequests.inc({ verb, code: this.#code('200') }, 0);
    for (const operation of GIT_OPERATIONS) {
      gitRequests.inc({ operation, result: 'ok' }, 0);
      gitRequests.inc({ operation, result: 'error' }, 0);
    }
  }

  reconciled(source: string, outcome: Outcome, seconds: number): void {
    this.#instruments.reconcileSeconds.observe({ source: this.#admit(source) ? source : 'other' }, seconds);
    this.#instruments.reconciles.inc({ outcome });
  }

  /** The conditions that the status holds now; every other type and status reads 0. */
  conditions(source: string, held: readonly { type: string; status: string }[]): void {
    if (!this.#admit(source)) return;
    for (const type of CONDITION_TYPES) {
      const now = held.find((condition) => condition.type === type)?.status;
      for (const status of CONDITION_STATUSES) {
        this.#instruments.conditions.set({ source, type, status }, Number(now === status));
      }
    }
  }

  suspended(source: string, suspended: boolean): void {
    if (this.#admit(source)) this.#instruments.suspended.set({ source }, Number(suspended));
  }

  managedObjects(source: string, count: number): void {
    if (this.#admit(source)) this.#instruments.managedObjects.set({ source }, count);
  }

  /** Why the newest commit of the source waits; undefined: it does not. */
  commitWaiting(source: string, reason: WaitReason | undefined): void {
    if (!this.#admit(source)) return;
    for (const one of WAIT_REASONS)
      this.#instruments.commitWaiting.set({ source, reason: one }, Number(one === reason));
  }

  /** How many objects of the source differ from Git at this moment. */
  driftOpen(source: string, count: number): void {
    if (this.#admit(source)) this.#instruments.driftOpen.set({ source }, count);
  }

  /** How many objects of the source somebody changes again and again. */
  driftFights(source: string, count: number): void {
    if (this.#admit(source)) this.#instruments.driftFights.set({ source }, count);
  }

  /** `kind` as Kubernetes writes it; `manager` is who changed the object, undefined when nobody can tell. */
  driftDetected(kind: string, manager: string | undefined): void {
    const label = manager === undefined ? 'unknown' : this.#manager(manager);
    this.#instruments.driftDetected.inc({ kind: this.#kind(kind), manager: label });
  }

  /** From the arrival of the watch event to the answer of the corrective apply. */
  driftHealed(seconds: number): void {
    this.#instruments.driftHealed.observe(seconds);
  }

  wrote(action: WriteAction): void {
    if (action === 'pruned') this.#instruments.pruned.inc();
    else this.#instruments.applied.inc({ action });
  }

  /** What the gate of the edge said to a new revision. */
  edgeJudged(verdict: EdgeVerdict): void {
    this.#instruments.edgeVerdicts.inc({ verdict });
  }

  /** `reason` is the code of a PlumblineError. */
  applyFailed(reason: string): void {
    this.#instruments.applyFailures.inc({ reason: this.#reason(reason) });
  }

  /** `verb` in any case: `apply`, `GET`. `status` is the HTTP status, 0 when no answer came. */
  kubeRequest(verb: string, status: number): void {
    const code = status === 0 ? 'error' : this.#code(String(status));
    this.#instruments.kubeRequests.inc({ verb: this.#verb(verb.toLowerCase()), code });
  }

  /** `operation` is ls-refs or fetch. */
  gitRequest(operation: string, result: 'ok' | 'error'): void {
    this.#instruments.gitRequests.inc({ operation: this.#operation(operation), result });
  }

  /** Removes the series of a source that was deleted. */
  forget(source: string): void {
    this.#sources.delete(source);
    const { reconcileSeconds, conditions, suspended, managedObjects, driftOpen, driftFights } = this.#instruments;
    for (const metric of [reconcileSeconds, suspended, managedObjects, driftOpen, driftFights])
      metric.remove({ source });
    for (const reason of WAIT_REASONS) this.#instruments.commitWaiting.remove({ source, reason });
    for (const type of CONDITION_TYPES) {
      for (const status of CONDITION_STATUSES) conditions.remove({ source, type, status });
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** What Prometheus reads, in its text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Whether the source has series of its own; they start at zero. */
  #admit(source: string): boolean {
    if (this.#sources.has(source)) return true;
    if (this.#sources.size >= MAX_SOURCES) return false;
    this.#sources.add(source);
    const { reconcileSeconds, suspended, managedObjects, driftOpen, driftFights } = this.#instruments;
    for (const gauge of [suspended, managedObjects, driftOpen, driftFights]) gauge.set({ source }, 0);
    reconcileSeconds.zero({ source });
    return true;
  }
}

/** The process's metrics, on a registry of their own. */
export function createMetrics(readings: Readings = {}): Metrics {
  return new Metrics(readings);
}

/** A label that keeps the known values and calls every other one `other`. */
function oneOf(known: readonly string[]): (value: string) => string {
  const values = new Set(known);
  return (value) => (values.has(value) ? value : 'other');
}

/** A label that keeps the first `max` distinct values it meets and calls every later one `other`. */
function firstOf(max: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.size < max) seen.add(value);
    return seen.has(value) ? value : 'other';
  };
}
