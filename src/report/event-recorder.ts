import { type Clock, systemClock } from '../clock.ts';
import { type KubeObject, identityKey } from '../kube/object.ts';
import { type EventSubject, type Notice, SaidSoFar, driftNotice, eventObject } from './events.ts';
import type { DriftedObject } from './sentences.ts';

/** What is changed together is healed within a second, and told together. */
const DRIFT_GATHER_MS = 1_000;
/** At most one event about drift of a source in this time. */
const DRIFT_EVERY_MS = 60_000;
/** Objects of one drift event that are kept to be named; more would not fit into its message. */
const DRIFT_OBJECTS = 20;
/** Events on their way to the API server; what comes beyond is dropped, a server that hangs must not fill our memory. */
const MAX_POSTING = 100;

export interface EventRecorderOptions {
  /** Creates the Event in the cluster. */
  post: (event: KubeObject, signal: AbortSignal) => Promise<void>;
  /** Hears why an event could not be posted. Must not throw. */
  onError?: (error: unknown) => void;
  /** The pod's name. */
  instance?: string;
  clock?: Clock;
  /** 0 ≤ x < 1. */
  random?: () => number;
}

interface Voice {
  subject: EventSubject;
  said: SaidSoFar;
  drift: Map<string, DriftedObject>;
  /** Keys of all objects that drifted since the last event, those beyond DRIFT_OBJECTS too. */
  drifted: Set<string>;
  driftRevision: string | undefined;
  driftToldAt: number;
  cancelTimer: (() => void) | undefined;
}

/**
 * Tells people about sources through Kubernetes events. Nothing here throws, rejects or waits: an event that cannot be
 * posted is lost, the status says the same. What is worth an event is decided in events.ts.
 */
export class EventRecorder {
  readonly #voices = new Map<string, Voice>();
  readonly #posting = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #options: Required<EventRecorderOptions>;

  constructor(options: EventRecorderOptions) {
    this.#options = {
      onError: () => undefined,
      instance: 'plumbline',
      clock: systemClock,
      random: Math.random,
      ...options,
    };
  }

  /** Says it, unless it was said already. */
  record(subject: EventSubject, notice: Notice): void {
    const voice = this.#voice(subject);
    if (voice.said.isNews(notice, this.#options.clock.elapsed())) this.#post(voice.subject, notice);
  }

  /**
   * Objects that drifted, whatever was done about it; told together with others of the same source, at most once a minute.
   * An object that drifts again and again counts once.
   */
  drift(subject: EventSubject, objects: readonly DriftedObject[], revision?: string): void {
    if (objects.length === 0 || this.#abort.signal.aborted) return;
    const voice = this.#voice(subject);
    voice.driftRevision = revision;
    for (const object of objects) {
      const { group = '', kind, namespace = '', name } = object;
      const key = identityKey({ group, kind, namespace, name });
      voice.drifted.add(key);
      if (voice.drift.size < DRIFT_OBJECTS || voice.drift.has(key)) voice.drift.set(key, object);
    }
    if (voice.cancelTimer) return;
    const { clock } = this.#options;
    const wait = Math.max(DRIFT_GATHER_MS, voice.driftToldAt + DRIFT_EVERY_MS - clock.elapsed());
    voice.cancelTimer = clock.after(wait, () => this.#tellDrift(voice));
  }

  /** The source is gone: nothing more is said about it. */
  forget({ uid }: Pick<EventSubject, 'uid'>): void {
    this.#voices.get(uid)?.cancelTimer?.();
    this.#voices.delete(uid);
  }

  /** Says what is still gathered and waits until all is posted, or until `signal` aborts. */
  async close(signal: AbortSignal): Promise<void> {
    for (const voice of this.#voices.values()) if (voice.cancelTimer) this.#tellDrift(voice);
    const stop = (): void => this.#abort.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.all(this.#posting);
    signal.removeEventListener('abort', stop);
    this.#abort.abort();
    this.#voices.clear();
  }

  #voice(subject: EventSubject): Voice {
    const known = this.#voices.get(subject.uid);
    if (known) return known;
    const now = this.#options.clock.elapsed();
    const voice: Voice = {
      subject: { namespace: subject.namespace, name: subject.name, uid: subject.uid },
      said: new SaidSoFar(now),
      drift: new Map(),
      drifted: new Set(),
      driftRevision: undefined,
      driftToldAt: -Infinity,
      cancelTimer: undefined,
    };
    this.#voices.set(subject.uid, voice);
    return voice;
  }

  #tellDrift(voice: Voice): void {
    const now = this.#options.clock.elapsed();
    const notice = { ...driftNotice([...voice.drift.values()], voice.drifted.size), revision: voice.driftRevision };
    voice.cancelTimer?.();
    voice.cancelTimer = undefined;
    voice.drift.clear();
    voice.drifted.clear();
    voice.driftToldAt = now;
    if (voice.said.isAllowed(now)) this.#post(voice.subject, notice);
  }

  #post(subject: EventSubject, notice: Notice): void {
    const { clock, random, instance, post, onError } = this.#options;
    if (this.#abort.signal.aborted || this.#posting.size >= MAX_POSTING) return;
    const time = new Date(clock.now());
    // Two replicas or two events of one millisecond must not ask for the same name.
    const suffix = `${time.getTime().toString(16)}${hex(random)}${hex(random)}`;
    const event = eventObject(subject, notice, { time, suffix, instance });
    const posting = (async () => post(event, this.#abort.signal))().catch(onError);
    this.#posting.add(posting);
    void posting.finally(() => this.#posting.delete(posting));
  }
}

function hex(random: () => number): string {
  return Math.floor(random() * 2 ** 24)
    .toString(16)
    .padStart(6, '0');
}
