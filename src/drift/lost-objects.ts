import type { Clock } from '../clock.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Claims } from '../sync/claims.ts';
import type { Desired } from '../sync/desired.ts';
import type { LiveObject, LiveObjects } from '../sync/live.ts';
import { provenSource, sighted } from '../sync/sighting.ts';
import { terminating, type ObjectWriter } from '../sync/writer.ts';
import { OBJECT_GONE, type DriftedField } from './explain.ts';
import { NEVER_COMPARED } from './judge.ts';
import type { SourceDesk } from './source-desk.ts';

export interface LostObjectsDeps {
  live: LiveObjects;
  claims: Claims;
  writer: ObjectWriter;
  desk: SourceDesk;
  clock: Clock;
  signal: AbortSignal;
}

/** What is done about an object once it is known what became of it. */
export interface LostObjectsListener {
  /** It is there, and may differ. */
  judge(source: string, desired: Desired, now: LiveObject, object: KubeObject): void;
  /** It is not; `arrivedAt` is when that was heard, in the clock's monotonic milliseconds. */
  correct(source: string, desired: Desired, fields: DriftedField[], arrivedAt: number): void;
}

/** Until an object that left Git, and that could not be read, is looked for again: the first time, doubling, up to the last. */
const FIRST_AGAIN_MS = 1_000;
const LAST_AGAIN_MS = 300_000;

/** Objects that our watches lost. One GET tells what became of each: deleted, on its way out, or only without our labels. */
export class LostObjects {
  readonly #deps: LostObjectsDeps;
  readonly #listener: LostObjectsListener;

  constructor(deps: LostObjectsDeps, listener: LostObjectsListener) {
    this.#deps = deps;
    this.#listener = listener;
  }

  /** `known`: as it was seen last. Never rejects. */
  async look(source: string, desired: Desired, known: LiveObject | undefined, attempt = 0): Promise<void> {
    const { claims, desk, writer, clock, signal } = this.#deps;
    const arrivedAt = clock.elapsed();
    const order = desk.order(source);
    if (!order) return;
    try {
      const object = await writer.read(order.actor, desired, signal);
      this.#found(source, desired, known, object, arrivedAt);
    } catch (error) {
      if (signal.aborted) return;
      if (claims.holder(desired.key) === source) return desk.failed(source, desired, error);
      const waitMs = Math.min(FIRST_AGAIN_MS * 2 ** attempt, LAST_AGAIN_MS);
      clock.after(waitMs, () => void this.look(source, desired, known, attempt + 1));
    }
  }

  #found(
    source: string,
    desired: Desired,
    known: LiveObject | undefined,
    object: KubeObject | undefined,
    arrivedAt: number,
  ): void {
    const { live, claims, desk, writer } = this.#deps;
    // Written by us or seen by the watch while we asked: that is newer.
    if (live.get(desired.key) || writer.turns.busy(desired.key)) return;
    if (claims.holder(desired.key) !== source) return this.#letGo(source, object);
    if (object?.metadata.deletionTimestamp) return desk.failed(source, desired, terminating(desired));
    const isTheSame = object && (known ? object.metadata.uid === known.uid : provenSource(object) === source);
    if (!isTheSame) return this.#listener.correct(source, desired, [OBJECT_GONE], arrivedAt);
    const baseline = known?.baseline ?? NEVER_COMPARED;
    const now = { ...sighted(object, known, desired), baseline, declaredDigest: desired.digest };
    live.set(now);
    this.#listener.judge(source, desired, now, object);
  }

  /** It left Git while we asked. If it lost our labels only, the run that pruned did not see it. */
  #letGo(source: string, object: KubeObject | undefined): void {
    if (!object || provenSource(object) !== source) return;
    this.#deps.live.set(sighted(object, undefined, undefined));
    this.#deps.desk.released(source);
  }
}
