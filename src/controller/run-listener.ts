import { FIELD_MANAGER } from '../api/names.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Difference } from '../drift/compare.ts';
import { assess } from '../drift/assess.ts';
import type { Beside } from '../drift/beside.ts';
import { OBJECT_GONE, type DriftedField } from '../drift/explain.ts';
import type { DriftPolicy } from '../drift/policy.ts';
import { describeIdentity, type KubeObject } from '../kube/object.ts';
import { audit, type WriteAction } from '../report/log.ts';
import { sayChanges } from '../report/sentences.ts';
import type { Desired } from '../sync/desired.ts';
import type { RevisionListener } from '../sync/revision.ts';
import type { WriteAction as WrittenAction, Written } from '../sync/writer.ts';
import type { ReconcileDeps } from './deps.ts';
import { recordBeside } from './beside-record.ts';
import { recordDrift, recordHealed, recordLeft, subjectOf } from './drift-record.ts';
import { noteFailure } from './failure.ts';
import type { Source } from './source.ts';

function fieldsThatDiffer(desired: Desired, live: KubeObject, policy: DriftPolicy): DriftedField[] {
  return assess(desired, live, { manager: FIELD_MANAGER, policy }).fields;
}

/** Takes down what a run does: into the source, the audit log, events and metrics. */
export class RunListener implements RevisionListener {
  readonly #source: Source;
  readonly #spec: GitOpsSourceSpec;
  readonly #deps: ReconcileDeps;
  /** A new revision or new settings: what differs is to be applied. Otherwise it is drift from while nobody was watching. */
  readonly #isNew: boolean;
  readonly #counts: Record<WrittenAction, number> = {
    created: 0,
    configured: 0,
    adopted: 0,
    recreated: 0,
    unchanged: 0,
  };

  /** Somebody opened the windows for healing once. */
  readonly #healsNow: boolean;

  constructor(
    source: Source,
    spec: GitOpsSourceSpec,
    deps: ReconcileDeps,
    run: { isNew: boolean; healNow: string | undefined },
  ) {
    this.#source = source;
    this.#spec = spec;
    this.#deps = deps;
    this.#isNew = run.isNew;
    this.#healsNow = run.healNow !== undefined;
  }

  written(desired: Desired, written: Written, fields: readonly DriftedField[]): void {
    const { action, object } = written;
    this.#counts[action] += 1;
    if (action === 'unchanged') return;
    if (this.#isNew || !this.#wasDrift(desired, written, fields)) this.#applied(desired, written);
    if (object) this.#deps.healer.noteAnswer(this.#source.key, desired, object);
  }

  /** Nothing was declared anew: what had to be written, others had changed. Tells it as drift that was put back. */
  #wasDrift(desired: Desired, { action, found }: Written, fields: readonly DriftedField[]): boolean {
    const source = this.#source;
    const healed = (what: readonly DriftedField[], state: 'Healed' | 'Recreated') =>
      recordDrift(source, { source: source.key, desired, fields: [...what], state }, this.#deps);
    const known = source.drift.get(desired.key);
    const seen = found ? fieldsThatDiffer(desired, found, this.#spec.drift) : fields;
    if (action === 'created' && !source.failures.has(desired.key)) healed([OBJECT_GONE], 'Recreated');
    else if (action === 'configured' && seen.length > 0) healed(seen, 'Healed');
    else if (action === 'configured' && known) recordHealed(source, desired, known, this.#deps);
    else return false;
    return true;
  }

  #applied(desired: Desired, { action, adopted }: Written): void {
    if (action === 'unchanged') return;
    const source = this.#source;
    const { log, metrics, events } = this.#deps;
    metrics.wrote(action);
    const { sha, author } = source.rendered!.commit;
    audit(log, {
      source: source.key,
      commit: sha,
      author,
      object: desired.identity,
      action: action satisfies WriteAction,
    });
    if (adopted) events.adopted(subjectOf(source), desired.identity, adopted.managers, source.rendered!.tip.revision);
  }

  inSync({ key }: Desired): void {
    const { failures, drift, left } = this.#source;
    failures.delete(key);
    left.delete(key);
    const known = drift.get(key);
    const isRewritten = (this.#deps.live.get(key)?.rewritten.length ?? 0) > 0;
    // Whether a fight is over is the healer's to say.
    if (known && known.action !== 'NotHolding' && !(isRewritten && known.action === 'Rewritten')) drift.delete(key);
  }

  rewritten(desired: Desired, differences: readonly Difference[]): void {
    this.#deps.healer.noteRewritten(this.#source.key, desired, differences);
  }

  beside(desired: Desired, beside: Beside): void {
    recordBeside(this.#source, desired, beside, this.#deps);
  }

  failed(desired: Desired, error: unknown): void {
    const before = this.#source.failures.get(desired.key);
    // A retry is what the first attempt was.
    const isRepair = !this.#isNew && (before?.digest !== desired.digest || before.isRepair);
    const failure = noteFailure(this.#source, desired, error, { clock: this.#deps.clock, isRepair });
    this.#deps.metrics.applyFailed(failure.code);
    if (failure.code === 'OwnedByOtherSource') this.#tellOwner(desired);
    this.#deps.log.warn(
      { source: this.#source.key, file: desired.file, line: desired.line, error },
      `could not apply ${describeIdentity(desired.identity)}`,
    );
  }

  /** Whose object it is could not see it, when its labels were taken off: it may let it go now. */
  #tellOwner({ key }: Desired): void {
    const owner = this.#deps.live.get(key)?.source;
    if (owner !== undefined && owner !== this.#source.key) this.#deps.wake(owner);
  }

  /** In Report mode, and while the window for healing is closed, a difference that no commit made is told and left, also by commits that change other objects. */
  leaveDrift(desired: Desired): boolean {
    const { key, failures } = this.#source;
    const waits = !this.#healsNow && this.#source.waitsToHeal(this.#deps.clock.now());
    if (this.#spec.drift.mode !== 'Report' && !waits) return false;
    if (!this.#isOldDrift(desired) && (this.#isNew || failures.has(desired.key))) return false;
    failures.delete(desired.key);
    recordLeft(this.#source, desired, this.#deps);
    void this.#deps.healer.judgeUnjudged(key, desired);
    return true;
  }

  /** Was it left already, or found and not put back because the server refused that? */
  #isOldDrift({ key, digest }: Desired): boolean {
    const { failures, left } = this.#source;
    const failure = failures.get(key);
    return left.get(key) === digest || (failure?.digest === digest && failure.isRepair);
  }

  /** Says once what was done. */
  done(): void {
    const { log } = this.#deps;
    const { unchanged: _, ...counts } = this.#counts;
    if (Object.values(counts).some((count) => count > 0))
      log.info(
        { source: this.#source.key, revision: this.#source.rendered!.tip.revision, ...counts },
        sayChanges(counts),
      );
  }
}
