import { isDeepStrictEqual } from 'node:util';
import {
  APPROVE_ANNOTATION,
  APPROVE_PRUNE_ANNOTATION,
  FLUX_REQUESTED_AT_ANNOTATION,
  HEAL_NOW_ANNOTATION,
  REQUESTED_AT_ANNOTATION,
  SYNC_NOW_ANNOTATION,
} from '../api/names.ts';
import type { GitOpsSource } from '../api/source.ts';
import type { WatchedKind } from '../drift/watches.ts';
import type { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { ReflectorHandler } from '../kube/reflector.ts';
import type { Alarms } from './alarms.ts';
import { wakeClaimants } from './claim.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Desk } from './desk.ts';
import { subjectOf } from './drift-record.ts';
import type { WorkQueue } from './queue.ts';
import { Source } from './source.ts';

export interface SourcesInput {
  /** Asked late: the sources are one of them. */
  deps: () => ReconcileDeps;
  queue: WorkQueue;
  alarms: Alarms;
  desk: Desk;
  random: () => number;
  /** How often a source is compared as a whole, about. */
  verifyIntervalMs: number;
  signal: AbortSignal;
}

/** Of a source with so many objects, what is listed waits for what it will be compared with; fewer take little room. */
const MANY_OBJECTS = 2_000;
/** It waits so long at most: others may share the list. */
const READ_AHEAD_MS = 1_000;

/** The sources as their watch tells them: queues those of which something is wished, and cleans up behind those that go. */
export class Sources implements ReflectorHandler {
  readonly #input: SourcesInput;
  readonly #byKey = new Map<string, Source>();
  /** By source: cancels its next look at everything. */
  readonly #verifies = new Map<string, () => void>();
  #seen: Set<string> | undefined;
  readonly #listed = Promise.withResolvers<void>();

  constructor(input: SourcesInput) {
    this.#input = input;
  }

  /** By `namespace/name`. */
  get byKey(): ReadonlyMap<string, Source> {
    return this.#byKey;
  }

  /** Resolves with the first whole list. */
  get listed(): Promise<void> {
    return this.#listed.promise;
  }

  listStarted(): void {
    this.#seen = new Set();
  }

  item(object: KubeObject): void {
    this.#seen?.add(this.#sighted(object as GitOpsSource));
  }

  listDone(): void {
    for (const key of this.#byKey.keys()) if (!this.#seen?.has(key)) this.#gone(key);
    this.#seen = undefined;
    this.#listed.resolve();
  }

  event(type: string, object: KubeObject): void {
    const source = object as GitOpsSource;
    if (type === 'DELETED') this.#gone(keyOf(source));
    else this.#sighted(source);
  }

  problem(error: KubeError): void {
    this.#input.deps().log.warn({ error }, 'sources cannot be watched; trying again');
  }

  /** Changes of status alone are ours, and nothing to act on. Returns its key. */
  #sighted(resource: GitOpsSource): string {
    const { deps, queue } = this.#input;
    const key = keyOf(resource);
    const known = this.#byKey.get(key);
    if (known && known.resource.metadata.uid !== resource.metadata.uid) this.#gone(key);
    const source = this.#byKey.get(key);
    if (!source) {
      this.#fresh(key, new Source(resource));
      return key;
    }
    const before = source.resource;
    const { edge } = source.spec ?? {};
    source.update(resource);
    if (!isDeepStrictEqual(edge, source.spec?.edge)) deps().edge.demandChanged(key);
    deps().status.seen(source, resource);
    if (isSameOrder(before, resource)) return key;
    // What runs now was started for an older wish.
    const urgent = before.metadata.generation !== resource.metadata.generation || source.deleting;
    source.retries = 0;
    if (urgent) queue.interrupt(key);
    else queue.add(key);
    return key;
  }

  #fresh(key: string, source: Source): void {
    this.#byKey.set(key, source);
    this.#warmUp(source);
    this.#verifyLater(source);
    this.#input.queue.add(key);
  }

  /** The net below the watches, spread over time. */
  #verifyLater(source: Source): void {
    const { deps, queue, random, verifyIntervalMs } = this.#input;
    const verify = () => {
      source.verifyDue = true;
      queue.add(source.key);
      this.#verifyLater(source);
    };
    this.#verifies.set(source.key, deps().clock.after(verifyIntervalMs * (0.75 + random() / 2), verify));
  }

  /**
   * After a restart the kinds of the stored inventory are listed while Git is still being read. Of many objects what they hold is
   * looked at when the source knows what it applied last: of what is as declared there, nothing but a digest is kept then.
   */
  #warmUp(source: Source): void {
    const { discovery, watches, clock } = this.#input.deps();
    const { kinds: stored = [], count = 0 } = source.status.inventory ?? {};
    const kinds = stored.flatMap(({ group, kind }): WatchedKind[] => {
      const resource = discovery.cachedPreferred(group, kind);
      return resource ? [{ apiVersion: resource.apiVersion, kind }] : [];
    });
    if (kinds.length === 0) return;
    const patience = () => new Promise<void>((resolve) => void clock.after(READ_AHEAD_MS, resolve));
    const after = count < MANY_OBJECTS ? undefined : Promise.race([source.readAhead, patience()]);
    watches.want(source.key, kinds, after);
  }

  #gone(key: string): void {
    const source = this.#byKey.get(key);
    if (!source) return;
    this.#byKey.delete(key);
    this.#verifies.get(key)?.();
    this.#verifies.delete(key);
    const { alarms, queue, desk } = this.#input;
    alarms.clear(key);
    queue.interrupt(key);
    queue.forget(key);
    const deps = this.#input.deps();
    const { poller, claims, live, watches, edge, status, metrics, events } = deps;
    poller.forget(key);
    edge.forget(key);
    for (const released of claims.release(key)) wakeClaimants(released, source, deps);
    watches.want(key, []);
    for (const object of live.of(key)) {
      wakeClaimants(object.key, source, deps);
      // Nobody would tell us any more when it goes.
      if (!watches.has({ apiVersion: object.apiVersion, kind: object.identity.kind })) live.delete(object.key);
    }
    status.forget(source);
    metrics.forget(key);
    events.forget(subjectOf(source));
    this.#letGo(deps.guard.release(key));
    desk.wakeDependents(source, { alsoTold: true });
  }

  /** At the start: takes up what an earlier process guarded, and lets go what is guarded for sources that do not exist. */
  takeUpGuards(): void {
    this.#letGo(this.#input.deps().guard.start((key) => this.#byKey.has(key)));
  }

  /** What is left of a source that does not exist refuses nothing: it is removed with the next start at the latest. */
  #letGo(removed: Promise<void>): void {
    const { deps, signal } = this.#input;
    removed.catch((error: unknown) => {
      if (!signal.aborted) deps().log.warn({ error }, 'could not remove what prevented drift');
    });
  }
}

function keyOf({ metadata }: GitOpsSource): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Annotations of a source by which somebody wishes something. */
const ORDERS = [
  REQUESTED_AT_ANNOTATION,
  FLUX_REQUESTED_AT_ANNOTATION,
  APPROVE_PRUNE_ANNOTATION,
  APPROVE_ANNOTATION,
  SYNC_NOW_ANNOTATION,
  HEAL_NOW_ANNOTATION,
];

/** Nothing that a person or another controller wishes has changed. */
function isSameOrder(a: GitOpsSource, b: GitOpsSource): boolean {
  const order = ({ metadata }: GitOpsSource) => {
    const orders = ORDERS.map((annotation) => metadata.annotations?.[annotation]);
    return JSON.stringify([metadata.generation, metadata.deletionTimestamp, orders]);
  };
  return order(a) === order(b);
}
