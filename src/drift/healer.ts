import { FIELD_MANAGER } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import type { KubeError } from '../kube/errors.ts';
import { identityKey, identityOf, type KubeObject } from '../kube/object.ts';
import type { Claims } from '../sync/claims.ts';
import type { Desired } from '../sync/desired.ts';
import type { LiveObject, LiveObjects } from '../sync/live.ts';
import { sighted } from '../sync/sighting.ts';
import type { Actor } from '../sync/actor.ts';
import type { ObjectWriter, Written } from '../sync/writer.ts';
import { braked, isRested, type BrakeState } from './brake.ts';
import { explain, explainValues, type DriftedField } from './explain.ts';
import { formatPath } from './fields.ts';
import type { Difference } from './compare.ts';
import { judge, type Judgement } from './judge.ts';
import { settle } from './settle.ts';
import type { WatchedKind, WatchEventType, WatchListener } from './watches.ts';

/** One difference between Git and the cluster that somebody else made, or its end. Values are raw: mask before showing. */
export interface Drift {
  source: string;
  desired: Desired;
  fields: DriftedField[];
  /**
   * Found: is about to be healed. Reported: stays, as the source wants it. Healed, Recreated: was put back. NotHolding: is
   * put back more and more slowly. Rewritten: admission changes what we apply; in sync all the same.
   */
  state: 'Found' | 'Reported' | 'Healed' | 'Recreated' | 'NotHolding' | 'Rewritten';
  /** From the arrival of the event to the answer of the corrective apply; for Healed and Recreated. */
  healMs?: number;
}

/** What the healer asks about a source, and tells it. */
export interface SourceDesk {
  /** undefined: this source is gone or being deleted. A suspended one only reports. */
  order(source: string): { actor: Actor; mode: 'Heal' | 'Report' } | undefined;
  /** Is this a source whose declarations are still to be read, so that its objects will have to be compared? */
  awaits(source: string): boolean;
  /** Every object of the kind is known now. */
  listed(kind: WatchedKind): void;
  drifted(drift: Drift): void;
  /** The object is as declared again, whoever did it. */
  inSync(source: string, key: string): void;
  /** A corrective write failed; the source tries the object again with its own backoff. */
  failed(source: string, desired: Desired, error: unknown): void;
  /** The set of managed objects or their health changed. */
  changed(source: string): void;
  problem(kind: WatchedKind, error: KubeError): void;
}

export interface HealerDeps {
  live: LiveObjects;
  claims: Claims;
  writer: ObjectWriter;
  desk: SourceDesk;
  clock: Clock;
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
  readonly #brakes = new Map<string, BrakeState>();

  constructor(deps: HealerDeps) {
    this.#deps = deps;
  }

  observe(type: WatchEventType, object: KubeObject): void {
    const { live, claims, writer } = this.#deps;
    const key = identityKey(identityOf(object));
    const desired = claims.desired(key);
    // A second watch in another version of the kind, while a commit changes the version: the declared one judges.
    if (desired && desired.apiVersion !== object.apiVersion) return;
    if (writer.turns.busy(key)) this.#waiting.set(key, { object, deleted: type === 'DELETED' });
    else if (type === 'DELETED') this.#gone(key, object, desired);
    else this.#seen(object, live.get(key), desired);
  }

  /** The write that was under way has been answered: what arrived meanwhile is judged against the new baseline. */
  settled(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    const { live, claims } = this.#deps;
    if (waiting.deleted) this.#gone(key, waiting.object, claims.desired(key));
    else this.#seen(waiting.object, live.get(key), claims.desired(key));
  }

  listed({ apiVersion, kind }: WatchedKind, seen: ReadonlySet<string>, resourceVersion: string): void {
    const { live, claims, writer, desk } = this.#deps;
    for (const object of live.values()) {
      if (object.apiVersion !== apiVersion || object.identity.kind !== kind || seen.has(object.key)) continue;
      // Written by us after the moment that the list shows, or right now: the list knows nothing of it.
      if (writer.turns.busy(object.key) || isLater(object.resourceVersion, resourceVersion)) continue;
      this.#lost(object, claims.desired(object.key));
    }
    desk.listed({ apiVersion, kind });
  }

  problem(kind: WatchedKind, error: KubeError): void {
    this.#deps.desk.problem(kind, error);
  }

  #seen(object: KubeObject, before: LiveObject | undefined, desired: Desired | undefined): void {
    // An event from before our last write: the answer of that write already said more.
    if (before && before.uid === object.metadata.uid && !isNewer(object, before)) return;
    const { live, claims, desk } = this.#deps;
    const now = sighted(object, before, desired);
    const source = claims.holder(now.key);
    live.set(now);
    const visible =
      before?.health.status !== now.health.status || before.deleting !== now.deleting || before.source !== now.source;
    if (visible) for (const owner of new Set([source, now.source])) if (owner) desk.changed(owner);
    if (!desired || source === undefined || !now.baseline || now.declaredDigest !== desired.digest) {
      // Not comparable yet: the source is not rendered, or has a newer declaration that its own run applies.
      const awaited = desired !== undefined || (now.source !== undefined && desk.awaits(now.source));
      now.unjudged = awaited ? object : undefined;
      return;
    }
    if (desired.policy.reconcile && !now.reconcileDisabled) this.#judge(source, desired, now, object);
  }

  /** DELETED comes for a deletion and for a stripped label alike; one GET (by the writer's first touch) tells. */
  #gone(key: string, object: KubeObject, desired: Desired | undefined): void {
    const known = this.#deps.live.get(key);
    if (known && known.uid === object.metadata.uid) this.#lost(known, desired);
  }

  #lost(known: LiveObject, desired: Desired | undefined): void {
    const { live, claims, desk, clock } = this.#deps;
    live.delete(known.key);
    const source = claims.holder(known.key);
    for (const owner of new Set([source, known.source])) if (owner) desk.changed(owner);
    if (!desired || source === undefined || !desired.policy.reconcile || known.reconcileDisabled) return;
    if (desired.policy.ssa === 'Ignore') return;
    const field = { path: '', declared: 'present', live: undefined, operation: 'Removed' as const };
    this.#correct(source, desired, [field], clock.elapsed());
  }

  #judge(source: string, desired: Desired, now: LiveObject, object: KubeObject): void {
    const declared = JSON.parse(desired.body) as KubeObject;
    const judgement = judge({ declared, live: object, manager: FIELD_MANAGER, baseline: now.baseline });
    // What an autoscaler took is left out of whatever is sent from here on; what it gave back is sent again.
    if ('surrendered' in judgement) now.surrendered = judgement.surrendered.map(formatPath);
    switch (judgement.kind) {
      case 'inSync':
        return this.#inSync(source, desired, { ...now, baseline: judgement.baseline });
      case 'surrendered': {
        const surrendered = judgement.paths.map(formatPath);
        return this.#inSync(source, desired, { ...now, baseline: judgement.baseline, surrendered });
      }
      case 'valuesDiffer':
        return void this.#rehearse(source, desired, object, judgement.differences, this.#deps.clock.elapsed());
      case 'terminating':
        return;
      case 'lost':
      case 'surplus':
      case 'versionChanged':
      case 'unowned':
      case 'gone':
        return this.#correct(source, desired, fieldsOf(judgement, declared, object), this.#deps.clock.elapsed());
    }
  }

  /**
   * Judges an object that was never compared in this process as if its event had just arrived. False: nothing is known of it.
   * Used where a source wants to hear of drift but leaves it: from here on every event of the object is compared in full.
   */
  judgeUnjudged(source: string, desired: Desired): boolean {
    const { live } = this.#deps;
    const now = live.get(desired.key);
    if (!now?.unjudged) return false;
    const baseline = { digest: '', resourceVersion: '', neverOwned: [], settled: '' };
    const next = { ...now, baseline, declaredDigest: desired.digest, unjudged: undefined };
    live.set(next);
    this.#judge(source, desired, next, now.unjudged);
    return true;
  }

  #inSync(source: string, desired: Desired, now: LiveObject): void {
    this.#deps.live.set(now);
    this.#deps.desk.inSync(source, desired.key);
  }

  /** Owned as declared, but other values: only the server knows whether an apply would change anything. */
  async #rehearse(
    source: string,
    desired: Desired,
    object: KubeObject,
    found: readonly Difference[],
    arrivedAt: number,
  ): Promise<void> {
    const { desk, writer, live, signal } = this.#deps;
    const order = desk.order(source);
    if (!order) return;
    try {
      const answer = await writer.rehearse(order.actor, desired, signal);
      const now = live.get(desired.key);
      // Something newer arrived while we asked; it is judged on its own.
      if (!now || now.resourceVersion !== object.metadata.resourceVersion) return;
      const settled = settle(writer.steadyBody(desired), object, answer);
      if (!settled) return this.#correct(source, desired, explainValues(found), arrivedAt);
      this.#inSync(source, desired, { ...now, baseline: settled.baseline });
      this.noteRewritten(source, desired, settled.rewritten);
    } catch (error) {
      if (!signal.aborted) desk.failed(source, desired, error);
    }
  }

  /** Tells once about fields that admission rewrites each time we apply them. */
  noteRewritten(source: string, desired: Desired, found: readonly Difference[]): void {
    const { live, desk } = this.#deps;
    const now = live.get(desired.key);
    const paths = found.map(({ path }) => formatPath(path));
    if (!now || paths.every((path) => now.rewritten.includes(path))) return;
    now.rewritten = paths;
    desk.drifted({ source, desired, fields: explainValues(found), state: 'Rewritten' });
  }

  #correct(source: string, desired: Desired, fields: DriftedField[], arrivedAt: number): void {
    const { desk, clock } = this.#deps;
    const order = desk.order(source);
    if (!order) return;
    if (order.mode === 'Report') return desk.drifted({ source, desired, fields, state: 'Reported' });
    const brake = braked(this.#brakes.get(desired.key), arrivedAt);
    this.#remember(desired.key, brake, arrivedAt);
    desk.drifted({ source, desired, fields, state: brake.delayMs > 0 ? 'NotHolding' : 'Found' });
    if (brake.delayMs > 0) clock.after(brake.delayMs, () => void this.#heal(source, desired.key, fields, arrivedAt));
    else void this.#heal(source, desired.key, fields, arrivedAt);
  }

  async #heal(source: string, key: string, fields: DriftedField[], arrivedAt: number): Promise<void> {
    const { claims, desk, writer, clock, signal } = this.#deps;
    const desired = claims.desired(key);
    const order = desk.order(source);
    if (signal.aborted || !order || !desired || claims.holder(key) !== source) return;
    try {
      const written = await writer.apply(order.actor, desired, { signal });
      const state = written.action === 'created' ? 'Recreated' : 'Healed';
      desk.drifted({
        source,
        desired,
        fields: fieldsShown(fields, written),
        state,
        healMs: clock.elapsed() - arrivedAt,
      });
    } catch (error) {
      if (!signal.aborted) desk.failed(source, desired, error);
    }
  }

  #remember(key: string, brake: BrakeState, now: number): void {
    this.#brakes.set(key, brake);
    if (this.#brakes.size <= 1024) return;
    for (const [other, state] of this.#brakes) if (isRested(state, now)) this.#brakes.delete(other);
  }
}

function fieldsOf(
  judgement: Exclude<Judgement, { kind: 'inSync' }>,
  declared: KubeObject,
  live: KubeObject,
): DriftedField[] {
  switch (judgement.kind) {
    case 'lost':
    case 'surplus':
      return explain(judgement.paths, declared, live, FIELD_MANAGER);
    case 'unowned':
      return explainValues(judgement.differences);
    case 'versionChanged':
      return [{ path: '/apiVersion', declared: declared.apiVersion, live: judgement.from }];
    case 'surrendered':
    case 'valuesDiffer':
    case 'terminating':
    case 'gone':
      return [];
  }
}

/** An object that only left our selection was not deleted: its labels were. */
function fieldsShown(fields: DriftedField[], { action }: Written): DriftedField[] {
  if (fields[0]?.path !== '' || action === 'created') return fields;
  return [{ path: '/metadata/labels', declared: 'the labels of the source', live: undefined, operation: 'Removed' }];
}

/** Does the event say more than we know? */
function isNewer(object: KubeObject, before: LiveObject): boolean {
  const now = object.metadata.resourceVersion ?? '';
  if (now === before.resourceVersion) return before.unjudged !== undefined;
  return isLater(now, before.resourceVersion);
}

/** Resource versions are compared as numbers (KEP-5504); where a server writes other text, everything counts as later. */
function isLater(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return true;
  return a.length === b.length ? a > b : a.length > b.length;
}
