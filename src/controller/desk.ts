import { findCondition, type Condition } from '../api/conditions.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import type { Beside } from '../drift/beside.ts';
import { DEFAULT_POLICY, type DriftPolicy } from '../drift/policy.ts';
import type { Drift, SourceDesk } from '../drift/source-desk.ts';
import { keyOfKind, type WatchedKind } from '../drift/watches.ts';
import type { KubeError } from '../kube/errors.ts';
import type { Desired } from '../sync/desired.ts';
import { orderFor } from './actor.ts';
import type { ReconcileDeps } from './deps.ts';
import { recordBlocked, recordDrift, recordFightOver, subjectOf } from './drift-record.ts';
import { recordBeside } from './beside-record.ts';
import { recordSetbacks } from './setback-record.ts';
import { noteFailure } from './failure.ts';
import type { Source } from './source.ts';

/** Failures that another object's fate may have ended. */
const ENDED_BY_OTHERS: ReadonlySet<string> = new Set(['Terminating', 'OwnedByOtherSource']);

/** Health comes and goes while controllers catch up with any edit; what has passed within this time is not worth a write. */
const HEALTH_SETTLES_MS = 2_000;
/** A write of status costs the API server as much as an apply: what other sources wait to have applied comes first, so long. */
const HEALTH_PATIENCE_MS = 15_000;

/** Where the healer asks about sources, and where what happens around them is passed on to those it concerns. */
export class Desk implements SourceDesk {
  readonly #deps: () => ReconcileDeps;

  /** `deps` is asked late: the healer is one of them, and needs this desk. */
  constructor(deps: () => ReconcileDeps) {
    this.#deps = deps;
  }

  order(key: string) {
    const deps = this.#deps();
    const source = deps.sources.get(key);
    if (!source?.spec || source.deleting) return undefined;
    // What Prevent lets through is healed.
    const { suspend, drift } = source.spec;
    const isLeft = suspend || drift.mode === 'Report' || source.waitsToHeal(deps.clock.now());
    const mode = isLeft ? ('Report' as const) : ('Heal' as const);
    return { actor: orderFor(source, source.spec, deps), mode };
  }

  policy(key: string): DriftPolicy {
    return this.#deps().sources.get(key)?.spec?.drift ?? DEFAULT_POLICY;
  }

  beside(key: string, desired: Desired, beside: Beside): void {
    const source = this.#deps().sources.get(key);
    if (source) recordBeside(source, desired, beside, this.#deps());
  }

  awaits(key: string): boolean {
    const source = this.#deps().sources.get(key);
    return source !== undefined && source.rendered === undefined;
  }

  isApplying(key: string): boolean {
    return this.#deps().sources.get(key)?.applying ?? false;
  }

  expected(key: string, object: string): Desired | undefined {
    const source = this.#deps().sources.get(key);
    // What was told to differ is told to be over by the run that finds it so.
    return source?.drift.has(object) ? undefined : source?.expected?.get(object);
  }

  drifted(drift: Drift): void {
    const source = this.#deps().sources.get(drift.source);
    if (source) recordDrift(source, drift, this.#deps());
  }

  fightOver(key: string, object: string): void {
    const source = this.#deps().sources.get(key);
    if (source) recordFightOver(source, object, this.#deps());
  }

  inSync(key: string, object: string, rewritten: boolean): void {
    const { sources, status } = this.#deps();
    const source = sources.get(key);
    const drift = source?.drift.get(object);
    if (!source || !drift || (rewritten && drift.action === 'Rewritten')) return;
    source.drift.delete(object);
    source.left.delete(object);
    status.changed(source);
  }

  failed(key: string, desired: Desired, error: unknown): void {
    const deps = this.#deps();
    const source = deps.sources.get(key);
    if (!source) return;
    const failure = noteFailure(source, desired, error, { clock: deps.clock, isRepair: true });
    recordBlocked(source, desired);
    // What keeps the newest commit from being applied, or all of it, goes on being the news.
    if (source.result.kind === 'applied') source.result = { kind: 'partly' };
    deps.metrics.applyFailed(failure.code);
    deps.log.warn({ source: key, error, object: desired.identity }, 'could not put a changed object back');
    deps.wake(key, failure.retryAt - deps.clock.elapsed());
    deps.status.changed(source);
  }

  released(key: string): void {
    this.#deps().wake(key);
  }

  marked(key: string): void {
    const { sources, wake } = this.#deps();
    // A request to scale does not show the annotation: whether it is refused stands in the guard, which a run writes.
    if (sources.get(key)?.prevention?.active) wake(key);
  }

  lostSight(key: string): void {
    const { sources, wake } = this.#deps();
    const source = sources.get(key);
    if (!source) return;
    // The count in the status stays until it has been looked for.
    source.pruned = false;
    wake(key);
  }

  changed(key: string): void {
    const { sources, status } = this.#deps();
    const source = sources.get(key);
    if (!source) return;
    // Before the first run after a start the lists are not whole yet; a suspended source has none.
    const isKnown = source.judged || source.result.kind === 'suspended';
    // Where Ready waits for health, it is what people wait for.
    if (isKnown && source.spec?.wait) status.changed(source);
    else if (isKnown) status.changedLately(source, HEALTH_SETTLES_MS, HEALTH_PATIENCE_MS);
    this.#retryNow(source, ENDED_BY_OTHERS);
  }

  /** What was not known completely held back its prune, and what its status says about drift. */
  listed({ apiVersion, kind }: WatchedKind): void {
    const { sources, wake } = this.#deps();
    for (const { key, unlisted } of sources.values()) {
      if (unlisted.some((other) => other.kind === kind && other.apiVersion === apiVersion)) wake(key);
    }
  }

  problem(kind: WatchedKind, error: KubeError, isBlind: boolean): void {
    const { sources, log, status } = this.#deps();
    log.warn({ kind, error }, 'a kind cannot be watched; trying again');
    if (!isBlind) return;
    for (const source of sources.values()) {
      const isOne = (other: WatchedKind) => keyOfKind(other) === keyOfKind(kind);
      if (!source.kinds.some(isOne) || source.unlisted.some(isOne)) continue;
      source.unlisted = [...source.unlisted, { ...kind, why: error }];
      status.changed(source);
    }
  }

  /** A CRD came or went: objects that failed for the lack of their kind are tried now. */
  kindsChanged(): void {
    for (const source of this.#deps().sources.values()) this.#retryNow(source, new Set(['KindNotFound']));
  }

  #retryNow(source: Source, codes: ReadonlySet<string>): void {
    const ended = [...source.failures.values()].filter(({ code }) => codes.has(code));
    for (const failure of ended) failure.retryAt = 0;
    if (ended.length > 0) this.#deps().wake(source.key);
  }

  /** The server holds this status, until now `before`: metrics and events follow it, and so do sources that wait for this one. */
  told(source: Source, before: GitOpsSourceStatus | undefined): void {
    const { metrics, events } = this.#deps();
    const conditions = (source.status.conditions ?? []) as Condition[];
    metrics.conditions(source.key, conditions);
    metrics.suspended(source.key, source.spec?.suspend ?? false);
    metrics.managedObjects(source.key, source.status.inventory?.count ?? 0);
    metrics.commitWaiting(source.key, source.status.pending?.reason);
    metrics.driftOpen(source.key, source.status.drift?.count ?? 0);
    metrics.driftFights(source.key, [...source.drift.values()].filter(({ action }) => action === 'NotHolding').length);
    recordSetbacks(source, before, events);
    const ready = findCondition(conditions, 'Ready');
    const readyBefore = findCondition((before?.conditions ?? []) as Condition[], 'Ready');
    if (!ready || ready.status === 'Unknown') return;
    const isOld = ready.status === readyBefore?.status && ready.message === readyBefore.message;
    // Also when only the generation is new: they wait for that too. And it may be they now who are in its way.
    this.wakeDependents(source, { alsoTold: ready.status === 'True' || !isOld });
    // A run that failed has told why by itself.
    if (isOld || source.result.kind === 'failed' || source.result.kind === 'suspended') return;
    const revision = source.attempt?.revision;
    const type = ready.status === 'True' ? 'Normal' : 'Warning';
    const commit = source.attempt?.commit?.sha;
    events.record(subjectOf(source), { type, reason: ready.reason, message: ready.message, revision, commit });
  }

  /** Those that wait for this source: quietly, and with `alsoTold` those whose Ready says so. */
  wakeDependents({ namespace, name }: Pick<Source, 'namespace' | 'name'>, { alsoTold }: { alsoTold: boolean }): void {
    const { sources, wake } = this.#deps();
    for (const { key, namespace: within, result, behind, spec } of sources.values()) {
      const isTold = result.kind === 'failed' && result.code === 'DependencyNotReady';
      if (within !== namespace || !(behind !== undefined || (isTold && alsoTold))) continue;
      if (spec?.dependsOn?.some((dependency) => dependency.name === name)) wake(key);
    }
  }
}
