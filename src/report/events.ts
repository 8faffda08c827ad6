import { API_VERSION, COMMIT_ANNOTATION, REVISION_ANNOTATION } from '../api/names.ts';
import type { KubeObject } from '../kube/object.ts';
import {
  type AdoptedObject,
  type DriftedObject,
  type EdgeSetback,
  MAX_MESSAGE,
  sayAdopted,
  sayDrift,
  saySetbacks,
  shorten,
} from './sentences.ts';

/** The source that an event is about. */
export interface EventSubject {
  namespace: string;
  name: string;
  uid: string;
}

/** Something to tell about a source. `reason` is the reason of the condition that changed. */
export interface Notice {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** `branch@sha1:…`. */
  revision?: string | undefined;
  /** The id of the commit. */
  commit?: string | undefined;
}

/** An identical event is held back for this long. */
export const REPEAT_AFTER_MS = 5 * 60_000;
/** What one source may say: this many events at once, then one each time this much time has passed. */
const BURST = 25;
const REFILL_MS = 15_000;

/**
 * What was said of one source, and thus what is worth saying: good news about a revision once, and again only after a
 * warning; everything else unless the same was said in the last five minutes; and no more than the rate allows. No I/O: time
 * comes from the caller, in milliseconds of a clock that never goes back.
 */
export class SaidSoFar {
  readonly #saidAt = new Map<string, number>();
  /** By reason: the revision of which it was said, and nothing worse since then. */
  readonly #goodNews = new Map<string, string>();
  #allowance = BURST;
  #refilledAt: number;

  constructor(nowMs: number) {
    this.#refilledAt = nowMs;
  }

  /** Whether the notice is news; if so it counts as said. */
  isNews(notice: Notice, nowMs: number): boolean {
    const { type, reason, message, revision } = notice;
    if (type === 'Normal' && revision !== undefined) {
      if (this.#goodNews.get(reason) === revision || !this.isAllowed(nowMs)) return false;
      this.#goodNews.set(reason, revision);
      return true;
    }
    for (const [said, at] of this.#saidAt) if (nowMs - at >= REPEAT_AFTER_MS) this.#saidAt.delete(said);
    const fingerprint = JSON.stringify([type, reason, revision, message]);
    if (this.#saidAt.has(fingerprint) || !this.isAllowed(nowMs)) return false;
    this.#saidAt.set(fingerprint, nowMs);
    if (type === 'Warning') this.#goodNews.clear();
    return true;
  }

  /** Takes one from the rate; false when it is used up. */
  isAllowed(nowMs: number): boolean {
    const refills = Math.floor((nowMs - this.#refilledAt) / REFILL_MS);
    this.#allowance = Math.min(BURST, this.#allowance + refills);
    this.#refilledAt += refills * REFILL_MS;
    if (this.#allowance === 0) return false;
    this.#allowance -= 1;
    return true;
  }
}

/** From the worst: an event about several objects has the reason of the worst of them. */
const DRIFT_REASONS = [
  { action: 'NotHolding', type: 'Warning', reason: 'DriftNotHolding' },
  { action: 'Rewritten', type: 'Warning', reason: 'DriftRewritten' },
  { action: 'WaitingForWindow', type: 'Warning', reason: 'DriftDetected' },
  { action: 'Blocked', type: 'Warning', reason: 'DriftDetected' },
  { action: 'Reported', type: 'Warning', reason: 'DriftDetected' },
  { action: 'Foreign', type: 'Normal', reason: 'ForeignFields' },
] as const;

/** One notice for everything that drifted in a while. `objects` are the first of `total`, with their values masked. */
export function driftNotice(objects: readonly DriftedObject[], total: number): Notice {
  const worst = DRIFT_REASONS.find(({ action }) => objects.some((object) => (object.action ?? 'Reported') === action));
  const { type, reason } = worst ?? { type: 'Normal', reason: 'DriftCorrected' };
  return { type, reason, message: sayDrift(objects, total) };
}

/** One notice for what does not go as declared on the edge. `objects` are the first of `total`. */
export function setbackNotice(objects: readonly EdgeSetback[], total: number): Notice {
  const isShared = objects.every(({ state }) => state === 'Split');
  const how = isShared
    ? ({ type: 'Normal', reason: 'EdgeShared' } as const)
    : ({ type: 'Warning', reason: 'EdgeSetback' } as const);
  return { ...how, message: saySetbacks(objects, total) };
}

/** One notice for objects that others made before us. */
export function adoptionNotice(objects: readonly AdoptedObject[], total: number): Notice {
  return { type: 'Normal', reason: 'Adopted', message: sayAdopted(objects, total) };
}

/** The core/v1 Event. `suffix` makes its name unique; `instance` is the pod that says it. */
export function eventObject(
  subject: EventSubject,
  { type, reason, message, revision, commit }: Notice,
  { time, suffix, instance }: { time: Date; suffix: string; instance: string },
): KubeObject {
  const timestamp = time.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${subject.name}.${suffix}`,
      namespace: subject.namespace,
      annotations: {
        ...(revision !== undefined && { [REVISION_ANNOTATION]: revision }),
        ...(commit !== undefined && { [COMMIT_ANNOTATION]: commit }),
      },
    },
    involvedObject: { apiVersion: API_VERSION, kind: 'GitOpsSource', ...subject },
    type,
    reason,
    message: shorten(message, MAX_MESSAGE),
    count: 1,
    firstTimestamp: timestamp,
    lastTimestamp: timestamp,
    source: { component: 'plumbline' },
    reportingComponent: 'plumbline',
    reportingInstance: instance,
  };
}
