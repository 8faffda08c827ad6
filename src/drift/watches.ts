import { setTimeout as delay } from 'node:timers/promises';
import type { Discovery } from '../kube/discovery.ts';
import { isForbidden, isNotFound, type KubeError } from '../kube/errors.ts';
import { identityKey, identityOf, type KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ApiResource } from '../kube/resource.ts';

/** A kind in the version that Git declares: objects are always read in that version, or conversion would look like drift. */
export interface WatchedKind {
  apiVersion: string;
  kind: string;
  /** Nothing but their metadata matters: half the bytes. */
  metadataOnly?: boolean;
}

/** A kind whose objects are not known completely. */
export interface UnlistedKind extends WatchedKind {
  /** What the API server says to it; absent: it was only not heard yet. */
  why?: Error;
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchListener {
  /** In the tick in which the bytes arrived; a listed object comes as ADDED. */
  observe(type: WatchEventType, object: KubeObject): void;
  /** A whole list of the kind is in; objects of it whose identityKey is not in `seen` were gone at its version. */
  listed(kind: WatchedKind, seen: ReadonlySet<string>, resourceVersion: string): void;
  /** The watch cannot be held right now. `isBlind`: until it is listed again, nobody sees what happens to its objects. */
  problem(kind: WatchedKind, error: KubeError, isBlind: boolean): void;
}

interface Watch {
  kind: WatchedKind;
  wantedBy: Set<string>;
  /** What its objects are judged by is being read: they come after that. */
  after: Promise<unknown> | undefined;
  stop: AbortController;
  /** A whole list has been seen since the watch began. */
  listed: boolean;
  /** The last attempt failed: nobody waits for it, it goes on by itself. */
  failing: boolean;
  /** Of the last attempt that failed, since the last list. */
  why: KubeError | undefined;
  waiting: (() => void)[];
}

/** How often a kind that is not served is looked for; a CRD that appears is told by discovery long before. */
const MISSING_KIND_MS = 5_000;

/**
 * One watch for each wanted kind, for all who want it together. Those of declared kinds are selected by our label: nothing
 * that is not ours travels. Watches start when the first one wants a kind and stop when the last one no longer does.
 */
export class KindWatches {
  readonly #api: KubeApi;
  readonly #discovery: Discovery;
  readonly #listener: WatchListener;
  readonly #labelSelector: string | undefined;
  readonly #watches = new Map<string, Watch>();
  readonly #stopped: AbortSignal;

  constructor(deps: {
    api: KubeApi;
    discovery: Discovery;
    listener: WatchListener;
    labelSelector?: string;
    signal: AbortSignal;
  }) {
    this.#api = deps.api;
    this.#discovery = deps.discovery;
    this.#listener = deps.listener;
    this.#labelSelector = deps.labelSelector;
    this.#stopped = deps.signal;
  }

  get size(): number {
    return this.#watches.size;
  }

  has(kind: WatchedKind): boolean {
    return this.#watches.has(keyOfKind(kind));
  }

  /** Replaces what a source wants watched. Objects of kinds that nobody else watches yet come `after` this has settled. */
  want(source: string, kinds: readonly WatchedKind[], after?: Promise<unknown>): void {
    const wanted = new Map(kinds.map((kind) => [keyOfKind(kind), kind]));
    for (const [key, watch] of this.#watches) {
      if (wanted.has(key)) watch.wantedBy.add(source);
      else if (watch.wantedBy.delete(source) && watch.wantedBy.size === 0) this.#stop(key, watch);
    }
    for (const [key, kind] of wanted) if (!this.#watches.has(key)) this.#start(key, kind, source, after);
  }

  /** Those of the kinds that have not been listed whole yet; waits for them up to `timeoutMs`. */
  async unlisted(kinds: readonly WatchedKind[], timeoutMs: number, signal: AbortSignal): Promise<UnlistedKind[]> {
    const waits = kinds.flatMap((kind) => {
      const watch = this.#watches.get(keyOfKind(kind));
      if (!watch || watch.listed || watch.failing) return [];
      return [new Promise<void>((resolve) => watch.waiting.push(resolve))];
    });
    if (waits.length > 0) {
      const timer = new AbortController();
      const either = AbortSignal.any([signal, timer.signal]);
      await Promise.race([Promise.all(waits), delay(timeoutMs, undefined, { signal: either })]).catch(() => undefined);
      timer.abort();
      signal.throwIfAborted();
    }
    return kinds.flatMap((kind) => {
      const watch = this.#watches.get(keyOfKind(kind));
      if (watch?.listed) return [];
      return [watch?.why === undefined ? kind : { ...kind, why: watch.why }];
    });
  }

  #start(key: string, kind: WatchedKind, source: string, after: Promise<unknown> | undefined): void {
    const watch: Watch = {
      kind,
      wantedBy: new Set([source]),
      after,
      stop: new AbortController(),
      listed: false,
      failing: false,
      why: undefined,
      waiting: [],
    };
    this.#watches.set(key, watch);
    this.#run(watch);
  }

  #stop(key: string, watch: Watch): void {
    this.#watches.delete(key);
    watch.stop.abort();
    for (const wake of watch.waiting.splice(0)) wake();
  }

  #run(watch: Watch): void {
    const signal = AbortSignal.any([watch.stop.signal, this.#stopped]);
    // Nobody waits for it: it ends by its signal and tells its problems to the listener.
    void this.#follow(watch, signal).catch(() => undefined);
  }

  async #follow(watch: Watch, signal: AbortSignal): Promise<void> {
    const { apiVersion, kind } = watch.kind;
    for (;;) {
      const resource = await this.#discovery.resource(apiVersion, kind, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (resource?.verbs.includes('watch')) await this.#whileServed(watch, resource, signal);
      await this.#untilKindsChange(signal);
    }
  }

  /** Watches until the server says that it does not serve the kind any more. */
  async #whileServed(watch: Watch, resource: ApiResource, signal: AbortSignal): Promise<void> {
    const vanished = new AbortController();
    const handler = this.#handler(watch);
    const problem = (error: KubeError) => {
      if (isNotFound(error)) {
        watch.listed = false;
        vanished.abort();
      }
      handler.problem(error);
    };
    const selection = {
      resource,
      ...(this.#labelSelector !== undefined && { labelSelector: this.#labelSelector }),
      ...(watch.kind.metadataOnly && { metadataOnly: true }),
      ...(watch.after && { after: watch.after }),
    };
    const reflector = new Reflector(this.#api, selection, { ...handler, problem });
    await reflector.run(AbortSignal.any([signal, vanished.signal]));
    // What discovery remembers is old, and whoever waits for the kind learns from it when it comes back.
    await this.#discovery.refresh(signal).catch(() => signal.throwIfAborted());
  }

  async #untilKindsChange(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#discovery.onChange(resolve);
    await Promise.race([promise, delay(MISSING_KIND_MS, undefined, { signal })]).finally(stop);
  }

  #handler(watch: Watch) {
    let seen: Set<string> | undefined;
    return {
      listStarted: () => void (seen = new Set()),
      item: (object: KubeObject) => {
        seen?.add(identityKey(identityOf(object)));
        this.#listener.observe('ADDED', object);
      },
      listDone: (resourceVersion: string) => {
        this.#listener.listed(watch.kind, seen ?? new Set(), resourceVersion);
        seen = undefined;
        watch.listed = true;
        watch.failing = false;
        watch.why = undefined;
        for (const wake of watch.waiting.splice(0)) wake();
      },
      event: (type: WatchEventType, object: KubeObject) => this.#listener.observe(type, object),
      problem: (error: KubeError) => {
        // Whoever took the right away may not give it back for days: what is known of the objects is old from here on.
        if (isForbidden(error)) watch.listed = false;
        watch.failing = !watch.listed;
        watch.why = error;
        for (const wake of watch.waiting.splice(0)) wake();
        // Of a kind that is not served any more nothing happens.
        this.#listener.problem(watch.kind, error, watch.failing && !isNotFound(error));
      },
    };
  }
}

export function keyOfKind({ apiVersion, kind }: WatchedKind): string {
  return `${apiVersion}/${kind}`;
}
