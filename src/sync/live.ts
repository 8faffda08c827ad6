import type { Identity, KubeObject } from '../kube/object.ts';
import type { Baseline } from '../drift/judge.ts';
import type { Health } from './health.ts';

/**
 * What we keep of one managed object: digests, never the object itself (10,000 of them must fit in a few megabytes).
 * `unjudged` is the exception: the live object waits there until its source is rendered and it can be compared once.
 */
export interface LiveObject {
  key: string;
  identity: Identity;
  apiVersion: string;
  uid: string;
  /** '' while what is known is doubted: see LiveObjects.doubt. */
  resourceVersion: string;
  /** `namespace/name` of the source whose ownership proof the object carries; undefined when it proves nothing. */
  source?: string | undefined;
  deleting: boolean;
  /** Opt-outs found on the live object; they count beside those in Git. */
  pruneDisabled: boolean;
  reconcileDisabled: boolean;
  health: Health;
  /** What the server held after our last apply or our last full comparison. */
  baseline?: Baseline | undefined;
  /** Digest of the declaration that `baseline` belongs to. */
  declaredDigest?: string | undefined;
  unjudged?: KubeObject | undefined;
  /** Declared fields that an autoscaler took and that we leave out of every apply. */
  surrendered: readonly string[];
  /** The field values that something between us and the store rewrites; reported once. */
  rewritten: readonly string[];
}

/**
 * The managed objects as the watches tell them. There is no other inventory: an object is here because it carries our
 * labels in the cluster.
 */
export class LiveObjects {
  readonly #byKey = new Map<string, LiveObject>();
  readonly #bySource = new Map<string | undefined, Set<string>>();
  readonly #onLeft: (source: string) => void;

  /** `onLeft` hears of a source whose object proves to be another's now. */
  constructor(onLeft: (source: string) => void = () => undefined) {
    this.#onLeft = onLeft;
  }

  get(key: string): LiveObject | undefined {
    return this.#byKey.get(key);
  }

  get size(): number {
    return this.#byKey.size;
  }

  values(): IterableIterator<LiveObject> {
    return this.#byKey.values();
  }

  /** The objects that prove to belong to the source (`namespace/name`); of undefined: those that prove nothing. */
  *of(source: string | undefined): Generator<LiveObject> {
    for (const key of this.#bySource.get(source) ?? []) {
      const object = this.#byKey.get(key);
      if (object) yield object;
    }
  }

  set(object: LiveObject): void {
    const before = this.#byKey.get(object.key);
    if (before?.source !== object.source) this.#unindex(before);
    this.#byKey.set(object.key, object);
    this.#keysOf(object.source).add(object.key);
    if (before?.source !== undefined && before.source !== object.source) this.#onLeft(before.source);
  }

  #keysOf(source: string | undefined): Set<string> {
    let keys = this.#bySource.get(source);
    if (!keys) this.#bySource.set(source, (keys = new Set()));
    return keys;
  }

  /** Whatever the next list shows of the source's objects is compared in full, as after a restart. */
  doubt(source: string): void {
    for (const object of this.of(source)) object.resourceVersion = '';
  }

  delete(key: string): void {
    this.#unindex(this.#byKey.get(key));
    this.#byKey.delete(key);
  }

  #unindex(object: LiveObject | undefined): void {
    if (!object) return;
    const keys = this.#bySource.get(object.source);
    keys?.delete(object.key);
    if (keys?.size === 0) this.#bySource.delete(object.source);
  }
}
