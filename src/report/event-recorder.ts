import { STATUS_LIMITS } from '../api/status-limits.ts';
import { type Clock, systemClock } from '../clock.ts';
import { type Identity, type KubeObject, identityKey } from '../kube/object.ts';
import {
  type EventSubject,
  type Notice,
  SaidSoFar,
  adoptionNotice,
  driftNotice,
  eventObject,
  setbackNotice,
} from './events.ts';
import { Gathering } from './gathering.ts';
import type { AdoptedObject, DriftedObject, EdgeSetback } from './sentences.ts';

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

/** What is said about one source. */
interface Voice {
  subject: EventSubject;
  said: SaidSoFar;
  /** The latest revision that the gathered objects belong to. */
  revision: string | undefined;
  drift: Gathering<DriftedObject>;
  adopted: Gathering<AdoptedObject>;
  setbacks: Gathering<EdgeSetback>;
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
   * An object that drifts again and again counts once, with all its fields.
   */
  drift(subject: EventSubject, objects: readonly DriftedObject[], revision?: string): void {
    if (this.#abort.signal.aborted) return;
    const voice = this.#voice(subject);
    voice.revision = revision;
    for (const object of objects) {
      const { group = '', kind, namespace = '', name, action } = object;
      const key = identityKey({ group, kind, namespace, name });
      // What others added is told beside what they changed, not in its place.
      voice.drift.add(action === 'Foreign' ? `${key} ${action}` : key, object);
    }
  }

  /** Nobody changes an object again and again any more. What is gathered is told before: that it began may be among it. */
  fightOver(subject: EventSubject, message: string): void {
    this.#voices.get(subject.uid)?.drift.flush();
    this.record(subject, { type: 'Normal', reason: 'DriftHolds', message });
  }

  /** An object that others made before us is ours now; told together with others, as drift is. */
  adopted(subject: EventSubject, object: Identity, managers: readonly string[], revision?: string): void {
    if (this.#abort.signal.aborted) return;
    const voice = this.#voice(subject);
    voice.revision = revision;
    voice.adopted.add(identityKey(object), { identity: object, managers });
  }

  /** Objects that do not get what they ask for on the edge, and did until now; told together, as drift is. */
  setbacks(subject: EventSubject, objects: readonly EdgeSetback[], revision?: string): void {
    if (this.#abort.signal.aborted || objects.length === 0) return;
    const voice = this.#voice(subject);
    voice.revision = revision;
    for (const object of objects) {
      const { kind, namespace = '', name } = object;
      voice.setbacks.add(identityKey({ group: '', kind, namespace, name }), object);
    }
  }

  /** The source is gone: nothing more is said about it. */
  forget({ uid }: Pick<EventSubject, 'uid'>): void {
    const voice = this.#voices.get(uid);
    voice?.drift.drop();
    voice?.adopted.drop();
    voice?.setbacks.drop();
    this.#voices.delete(uid);
  }

  /** Says what is still gathered and waits until all is posted, or until `signal` aborts. */
  async close(signal: AbortSignal): Promise<void> {
    for (const { drift, adopted, setbacks } of this.#voices.values()) {
      drift.flush();
      adopted.flush();
      setbacks.flush();
    }
    const stop = (): void => this.#abort.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.all(this.#posting);
    signal.removeEventListener('abort', stop);
    this.#abort.abort();
    this.#voices.clear();
  }

  #voice({ namespace, name, uid }: EventSubject): Voice {
    const known = this.#voices.get(uid);
    if (known) return known;
    const { clock } = this.#options;
    const tell = (notice: Notice): void => {
      if (voice.said.isAllowed(clock.elapsed())) this.#post(voice.subject, { ...notice, revision: voice.revision });
    };
    const voice: Voice = {
      subject: { namespace, name, uid },
      said: new SaidSoFar(clock.elapsed()),
      revision: undefined,
      drift: new Gathering(clock, (first, total) => tell(driftNotice(first, total)), withFieldsBefore),
      adopted: new Gathering(clock, (first, total) => tell(adoptionNotice(first, total))),
      setbacks: new Gathering(clock, (first, total) => tell(setbackNotice(first, total))),
    };
    this.#voices.set(uid, voice);
    return voice;
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

/**
 * What was put back a moment ago is told beside what is put back now; of one field, what was last. That an object is fought
 * over is told once, so what is put back elsewhere in it meanwhile stands behind that.
 */
function withFieldsBefore(before: DriftedObject, now: DriftedObject): DriftedObject {
  if (before.action === 'NotHolding' && (now.action === 'Healed' || now.action === 'Recreated'))
    return withFieldsOf(before, now);
  return before.action === now.action ? withFieldsOf(now, before) : now;
}

function withFieldsOf(first: DriftedObject, second: DriftedObject): DriftedObject {
  const paths = new Set(first.fields.map(({ path }) => path));
  const fields = [...first.fields, ...second.fields.filter(({ path }) => !paths.has(path))];
  return { ...first, fields: fields.slice(0, STATUS_LIMITS.driftFields) };
}

function hex(random: () => number): string {
  return Math.floor(random() * 2 ** 24)
    .toString(16)
    .padStart(6, '0');
}
