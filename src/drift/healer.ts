import { FIELD_MANAGER } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import type { KubeError } from '../kube/errors.ts';
import { groupOf, identityKey, identityOf, isLater, type KubeObject } from '../kube/object.ts';
import { NONE } from '../none.ts';
import type { Claims } from '../sync/claims.ts';
import { isKept, type Desired } from '../sync/desired.ts';
import type { LiveObject, LiveObjects } from '../sync/live.ts';
import { sighted } from '../sync/sighting.ts';
import type { ObjectWriter } from '../sync/writer.ts';
import { judgedAhead } from './ahead.ts';
import { assess, surrenderedIn } from './assess.ts';
import { NOTHING_BESIDE } from './beside.ts';
import { explainValues, type DriftedField } from './explain.ts';
import { formatPath } from './fields.ts';
import type { Difference } from './compare.ts';
import { NEVER_COMPARED } from './judge.ts';
import { isLax } from './policy.ts';
import { LostObjects } from './lost-objects.ts';
import { Repairs } from './repairs.ts';
import { answerRewritten, settle } from './settle.ts';
import type { SourceDesk } from './source-desk.ts';
import { wouldChange } from './would-change.ts';
import type { WatchedKind, WatchEventType, WatchListener } from './watches.ts';

export interface HealerDeps {
  live: LiveObjects;
  claims: Claims;
  writer: ObjectWriter;
  desk: SourceDesk;
  clock: Clock;
  /** 0 ≤ x < 1. */
  random: () => number;
  signal: AbortSignal;
}

/** What a watch said last about an object while a write of ours on it was under way. */
interface Waiting {
  object: KubeObject;
  deleted: boolean;
}

/**
 * Answers watch events: an event is judged without a request, in the tick in which it arrives, and drift is healed by one
 * apply. It never decides what should be; that is in Claims.
 */
export class Healer implements WatchListener {
  readonly #deps: HealerDeps;
  readonly #waiting = new Map<string, Waiting>();
  readonly #repairs: Repairs;
  readonly #lostObjects: LostObjects;

  constructor(deps: HealerDeps) {
    this.#deps = deps;
    this.#repairs = new Repairs(deps, (...answer) => this.noteAnswer(...answer));
    this.#lostObjects = new LostObjects(deps, {
      judge: (...sighting) => this.#judge(...sighting),
      correct: (...drift) => this.#correct(...drift),
    });
  }

  observe(type: WatchEventType, object: KubeObject): void {
    const { live, claims, writer } = this.#deps;
    const key = identityKey(identityOf(object));
    const desired = claims.desired(key);
    // A second watch in another version of the kind, while a commit changes the version: the declared one judges.
    if (desired && desired.apiVersion !== object.apiVersion) return;
    if (writer.turns.busy(key)) this.#waiting.set(key, { object, deleted: type === 'DELETED' });
    else if (type === 'DELETED') this.#gone(key, object, desired);
    else this.#seen(object, live.get(key), desired, type === 'MODIFIED');
  }

  /** The write that was under way has been answered: what arrived meanwhile is judged against the new baseline. */
  settled(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    const { live, claims } = this.#deps;
    if (waiting.deleted) this.#gone(key, waiting.object, claims.desired(key));
    else this.#seen(waiting.object, live.get(key), claims.desired(key), true);
  }

  listed(kind: WatchedKind, seen: ReadonlySet<string>, resourceVersion: string): void {
    const { live, desk } = this.#deps;
    this.#missing(live.values(), kind, seen, resourceVersion);
    desk.listed(kind);
  }

  /** As `listed`, for a list of the objects of one source only. */
  listedOf(source: string, kind: WatchedKind, seen: ReadonlySet<string>, resourceVersion: string): void {
    this.#missing([...this.#deps.live.of(source)], kind, seen, resourceVersion);
  }

  #missing(
    objects: Iterable<LiveObject>,
    { apiVersion, kind }: WatchedKind,
    seen: ReadonlySet<string>,
    resourceVersion: string,
  ): void {
    const { claims, writer } = this.#deps;
    const group = groupOf(apiVersion);
    for (const object of objects) {
      // Whatever the version: each list holds all objects of the kind.
      const isOfKind = object.identity.kind === kind && object.identity.group === group;
      if (!isOfKind || seen.has(object.key)) continue;
      // Written by us after the moment that the list shows, or right now: the list knows nothing of it.
      const isLaterWritten = object.resourceVersion !== '' && isLater(object.resourceVersion, resourceVersion);
      if (writer.turns.busy(object.key) || isLaterWritten) continue;
      this.#lost(object, claims.desired(object.key));
    }
  }

  problem(kind: WatchedKind, error: KubeError, isBlind: boolean): void {
    this.#deps.desk.problem(kind, error, isBlind);
  }

  #seen(object: KubeObject, before: LiveObject | undefined, desired: Desired | undefined, isNews: boolean): void {
    // An event from before our last write: the answer of that write already said more.
    if (before && before.uid === object.metadata.uid && !isNewer(object, before)) return;
    const { live, claims, desk } = this.#deps;
    const now = sighted(object, before, desired);
    // What is doubted is listed and compared by a run; what happens meanwhile, also when it is not listed, is judged at once.
    if (before?.resourceVersion === '') now.baseline = isNews && before.baseline ? NEVER_COMPARED : undefined;
    const source = claims.holder(now.key);
    live.set(now);
    const visible =
      before?.health.status !== now.health.status || before.deleting !== now.deleting || before.source !== now.source;
    if (visible) for (const owner of new Set([source, now.source])) if (owner) desk.changed(owner);
    if (source !== undefined && before && before.reconcileDisabled !== now.reconcileDisabled) desk.marked(source);
    if (!desired || source === undefined || !now.baseline || now.declaredDigest !== desired.digest) {
      // Not comparable yet: the source is not rendered, or has a newer declaration that its own run applies.
      const awaited = desired !== undefined || (now.source !== undefined && desk.awaits(now.source));
      now.unjudged = awaited ? object : undefined;
      // Whatever was changed is found when there is a declaration to compare it with.
      now.declaredDigest = undefined;
      if (source !== undefined && before?.reconcileDisabled && !now.reconcileDisabled) desk.released(source);
      if (desired && source !== undefined && before?.uid !== now.uid) this.#cameAnew(source, desired, now, object);
      if (!desired) this.judgeAhead(now);
      if (!awaited) this.#noteStray(now, before);
      return;
    }
    if (isKept(desired) && !now.reconcileDisabled) this.#judge(source, desired, now, object);
  }

  /** Ours and not declared: a run prunes it, unless one has looked at it as it is now. */
  #noteStray(now: LiveObject, before: LiveObject | undefined): void {
    const owner = prunableBy(now);
    if (owner === undefined || (before?.uid === now.uid && prunableBy(before) === owner)) return;
    this.#deps.desk.released(owner);
  }

  /** Declared, and there for the first time, or as another one than before: somebody put it there while no run was under way to look. */
  #cameAnew(source: string, desired: Desired, now: LiveObject, object: KubeObject): void {
    const { desk } = this.#deps;
    // It may have been looked at before it came.
    if (desk.isApplying(source)) return desk.released(source);
    if (!isKept(desired) || now.reconcileDisabled) return;
    this.#judgeAnew(source, desired, now, object);
  }

  /**
   * Judges what waits by what its source is expected to declare, where that is known. Says nothing to anybody: that is for the run
   * of the source, which compares what goes on waiting.
   */
  judgeAhead(waiting: LiveObject): void {
    const { live, desk } = this.#deps;
    const { source, key } = waiting;
    const expected = source === undefined ? undefined : desk.expected(source, key);
    const judged = expected && judgedAhead(waiting, expected);
    if (judged) live.set(judged);
  }

  /** DELETED comes for a deletion and for a stripped label alike. */
  #gone(key: string, object: KubeObject, desired: Desired | undefined): void {
    const known = this.#deps.live.get(key);
    if (known && known.uid === object.metadata.uid) this.#lost(known, desired);
  }

  #lost(known: LiveObject, desired: Desired | undefined): void {
    const { live, claims, desk } = this.#deps;
    live.delete(known.key);
    const source = claims.holder(known.key);
    for (const owner of new Set([source, known.source])) if (owner) desk.changed(owner);
    // Deleted, or only without our labels: it may still have to be pruned.
    if (!desired && known.source !== undefined && !known.deleting) desk.lostSight(known.source);
    if (desired && source !== undefined) desk.beside(source, desired, NOTHING_BESIDE);
    if (!desired || source === undefined || !desired.policy.reconcile || known.reconcileDisabled) return;
    if (desired.policy.ssa === 'Ignore') return;
    // What is declared now was never applied: it is no drift that it is not there, and a run of the source goes on with it.
    if (known.declaredDigest !== desired.digest) return desk.released(source);
    void this.#lostObjects.look(source, desired, known);
  }

  #judge(source: string, desired: Desired, now: LiveObject, object: KubeObject): void {
    const { desk, clock } = this.#deps;
    // What others hold is not in the digest of what is ours: whether they are still the ones who hold it must be looked at.
    const baseline = now.surrendered.length > 0 && now.baseline ? { ...now.baseline, digest: '' } : now.baseline;
    const look = { manager: FIELD_MANAGER, baseline, policy: desk.policy(source) };
    const { judgement, fields, unwanted, beside } = assess(desired, object, look);
    if (judgement.kind === 'terminating') return;
    desk.beside(source, desired, beside);
    // What others took and may is left out of whatever is sent from here on; what they gave back is sent again.
    if (judgement.kind === 'surrendered' || 'surrendered' in judgement)
      now.surrendered = surrenderedIn(judgement).map(formatPath);
    if (unwanted.length > 0) return this.#correct(source, desired, fields, clock.elapsed());
    switch (judgement.kind) {
      case 'inSync':
      case 'surrendered':
        return this.#inSync(source, desired, { ...now, baseline: judgement.baseline });
      case 'valuesDiffer':
        return void this.#rehearse(source, desired, object, clock.elapsed());
      case 'lost':
      case 'surplus':
      case 'versionChanged':
      case 'unowned':
      case 'gone':
        return this.#correct(source, desired, fields, clock.elapsed());
    }
  }

  /**
   * Judges an object that was never compared in this process as if its event had just arrived. Used where a source wants to
   * hear of drift but leaves it: from here on every event of the object is compared in full.
   */
  async judgeUnjudged(source: string, desired: Desired): Promise<void> {
    const { live } = this.#deps;
    const now = live.get(desired.key);
    if (!now) return this.#lostObjects.look(source, desired, undefined);
    if (now.unjudged) this.#judgeAnew(source, desired, now, now.unjudged);
  }

  #judgeAnew(source: string, desired: Desired, now: LiveObject, object: KubeObject): void {
    const next = { ...now, baseline: NEVER_COMPARED, declaredDigest: desired.digest, unjudged: undefined };
    this.#deps.live.set(next);
    this.#judge(source, desired, next, object);
  }

  #inSync(source: string, desired: Desired, now: LiveObject): void {
    this.#deps.live.set(now);
    this.#repairs.inSync(source, desired.key, now.rewritten.length > 0);
  }

  /** Owned as declared, but other values: only the server knows whether an apply would change anything. */
  async #rehearse(source: string, desired: Desired, object: KubeObject, arrivedAt: number): Promise<void> {
    const { desk, writer, live, signal } = this.#deps;
    const order = desk.order(source);
    if (!order) return;
    try {
      const answer = await writer.rehearse(order.actor, desired, signal);
      const now = live.get(desired.key);
      // Something newer arrived while we asked; it is judged on its own.
      if (!now || now.resourceVersion !== object.metadata.resourceVersion) return;
      const settled = settle(writer.steadyBody(desired), object, answer);
      if (!settled) return this.#correct(source, desired, wouldChange(object, answer), arrivedAt);
      const next = { ...now, baseline: settled.baseline };
      live.set(next);
      this.noteRewritten(source, desired, settled.rewritten);
      this.#inSync(source, desired, next);
    } catch (error) {
      if (!signal.aborted) desk.failed(source, desired, error);
    }
  }

  /** Tells once about fields that admission rewrites each time we apply them, and when it no longer does. */
  noteRewritten(source: string, desired: Desired, found: readonly Difference[]): void {
    const { live, desk } = this.#deps;
    const now = live.get(desired.key);
    if (!now) return;
    const before = now.rewritten;
    now.rewritten = found.length === 0 ? NONE : found.map(({ path }) => formatPath(path));
    if (now.rewritten.some((path) => !before.includes(path)))
      desk.drifted({ source, desired, fields: explainValues(found), state: 'Rewritten' });
    else if (now.rewritten.length === 0 && before.length > 0) this.#repairs.inSync(source, desired.key, false);
  }

  /** The same from the answer to a write, which holds what admission made of it. */
  noteAnswer(source: string, desired: Desired, answer: KubeObject): void {
    const { live, writer } = this.#deps;
    const now = live.get(desired.key);
    this.#repairs.done(desired.key);
    // Nothing differs in nearly every answer, and then nothing is parsed.
    const isAsSent = !now?.baseline || now.baseline.settled === '';
    this.noteRewritten(source, desired, isAsSent ? [] : answerRewritten(writer.steadyBody(desired), answer));
    this.#noteBeside(source, desired, answer);
  }

  /** Beside what we wrote; where nobody asked for it, nothing is parsed. */
  #noteBeside(source: string, desired: Desired, answer: KubeObject): void {
    const { live, desk } = this.#deps;
    const policy = desk.policy(source);
    if (isLax(policy) && !live.get(desired.key)?.surrendered.length) return;
    desk.beside(source, desired, assess(desired, answer, { manager: FIELD_MANAGER, policy }).beside);
  }

  #correct(source: string, desired: Desired, fields: DriftedField[], arrivedAt: number): void {
    const now = this.#deps.live.get(desired.key);
    // What is told of it next takes the place of what was told; the answer to the heal tells that again.
    if (now) now.rewritten = NONE;
    this.#repairs.correct(source, desired, fields, arrivedAt);
  }
}

/** The source that may prune it, as far as the object itself says. */
function prunableBy({ source, deleting, pruneDisabled, reconcileDisabled }: LiveObject): string | undefined {
  return deleting || pruneDisabled || reconcileDisabled ? undefined : source;
}

/** Does the event say more than we know? */
function isNewer(object: KubeObject, before: LiveObject): boolean {
  const now = object.metadata.resourceVersion ?? '';
  if (now === before.resourceVersion) return before.unjudged !== undefined;
  return isLater(now, before.resourceVersion);
}
