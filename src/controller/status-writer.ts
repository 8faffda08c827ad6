import { isDeepStrictEqual } from 'node:util';
import { STATUS_FIELD_MANAGER } from '../api/names.ts';
import { patiently, type Patience } from '../concurrency/patiently.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { isLater, type KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';

/** A resource whose status we write. */
export interface StatusSubject<T> {
  /** '' for one of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly resource: Pick<KubeObject, 'metadata'> & { status?: T };
  /** What was worked out last. */
  status: T;
}

/** As far as the writer looks into a status. */
interface AnyStatus {
  conditions?: { type: string; status: string }[] | undefined;
}

/** While it is busy with what comes first, a change that may well pass is told later. */
export interface StatusWriterOptions<T, S> extends Patience {
  api: KubeApi;
  resource: () => ApiResource;
  statusOf: (subject: S) => T;
  /** At most one write in this time for one subject, unless Ready or Stalled flips. */
  quietMs: number;
  /** False when another replica may act by now. */
  mayWrite: () => boolean;
  signal: AbortSignal;
  /** The server holds the status of the subject now; `before` is what it held until then, which may be the same. */
  onStored?: (subject: S, before: T | undefined) => void;
  onError: (subject: S, error: unknown) => void;
}

type Sighting = Pick<KubeObject, 'metadata'> & { status?: unknown };

interface Pending<T, S> {
  readonly subject: S;
  cancel: (() => void) | undefined;
  /** When the write that `cancel` would cancel is due at the latest. */
  dueAt: number;
  writtenAt: number;
  writing: Promise<boolean> | undefined;
  /** What the server holds, as of this resourceVersion of the subject. */
  stored: T | undefined;
  version: string;
  /** What was seen while a write was under way. */
  sight: Sighting | undefined;
  /** A write failed: what the server holds has to be read. */
  doubtful: boolean;
}

/** Of one write, when others write the subject at the same time. */
const ATTEMPTS = 5;

/**
 * The one writer of status. It computes the status when it writes, so what it writes is never older than the write. Each write
 * is guarded by the resourceVersion: one that a replica sent before it lost its lease may arrive long after it.
 */
export class StatusWriter<T extends AnyStatus, S extends StatusSubject<T>> {
  readonly #options: StatusWriterOptions<T, S>;
  readonly #pending = new Map<S, Pending<T, S>>();
  /** Runs and timers of a subject can outlive it, and another one of the same name may be there by now. */
  readonly #forgotten = new WeakSet<S>();

  constructor(options: StatusWriterOptions<T, S>) {
    this.#options = options;
  }

  /** Something that the status tells has changed. */
  changed(subject: S): void {
    const pending = this.#of(subject);
    if (!pending) return;
    const now = this.#options.clock.elapsed();
    const allowedAt = pending.writtenAt + this.#options.quietMs;
    if (pending.cancel && pending.dueAt <= Math.max(now, allowedAt)) return;
    this.#schedule(pending, this.#flips(pending) ? 0 : Math.max(0, allowedAt - now));
  }

  /**
   * The subject as a watch or the answer to a write brought it. A status that is not ours was written by a replica that led
   * before us, or by hand: ours is written again.
   */
  seen(subject: S, sight: Sighting): void {
    const pending = this.#pending.get(subject);
    if (!pending) return;
    pending.sight = sight;
    if (pending.writing === undefined) this.#compare(pending);
  }

  #compare(pending: Pending<T, S>): void {
    const { sight, subject, stored, version } = pending;
    pending.sight = undefined;
    if (!sight || !isLater(sight.metadata.resourceVersion ?? '', version)) return;
    note(pending, sight);
    if (!isDeepStrictEqual(plain(sight.status), plain(stored))) this.changed(subject);
  }

  /**
   * Something has changed that may well pass: told with the next write, in `waitMs` at the latest; while there is something
   * more urgent to do, up to `patienceMs` later.
   */
  changedLately(subject: S, waitMs: number, patienceMs = 0): void {
    const pending = this.#of(subject);
    if (!pending) return;
    const dueAt = this.#options.clock.elapsed() + waitMs + patienceMs;
    if (!pending.cancel || pending.dueAt > dueAt) this.#schedule(pending, waitMs, patienceMs);
  }

  /** What the server holds for certain; undefined: nothing, or a write failed on the way. */
  stored(subject: S): { readonly status: T | undefined } | undefined {
    const pending = this.#of(subject);
    return pending && !pending.doubtful ? { status: pending.stored } : undefined;
  }

  #schedule(pending: Pending<T, S>, waitMs: number, patienceMs = 0): void {
    pending.cancel?.();
    pending.dueAt = this.#options.clock.elapsed() + waitMs + patienceMs;
    pending.cancel = patiently(this.#options, { waitMs, patienceMs }, () => void this.flush(pending.subject));
  }

  /** Writes now, if there is something to write; resolves with whether the server has it. */
  async flush(subject: S): Promise<boolean> {
    const pending = this.#of(subject);
    if (!pending) return false;
    pending.cancel?.();
    pending.cancel = undefined;
    while (pending.writing !== undefined) await pending.writing;
    pending.writing = this.#write(pending).finally(() => {
      pending.writing = undefined;
      this.#compare(pending);
    });
    return pending.writing;
  }

  /** The subject is gone: nothing of it is written any more. */
  forget(subject: S): void {
    this.#pending.get(subject)?.cancel?.();
    this.#pending.delete(subject);
    this.#forgotten.add(subject);
  }

  /** Writes what is still waiting, before the process ends; gives up after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    const waiting = [...this.#pending.values()].filter((pending) => pending.cancel ?? pending.writing !== undefined);
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(timeoutMs, resolve);
    await Promise.race([Promise.all(waiting.map(({ subject }) => this.flush(subject))), timeout]);
    cancel();
  }

  #of(subject: S): Pending<T, S> | undefined {
    let pending = this.#pending.get(subject);
    if (!pending && !this.#forgotten.has(subject)) {
      const { metadata, status: stored } = subject.resource;
      const never = -Infinity;
      pending = {
        subject,
        cancel: undefined,
        dueAt: never,
        writtenAt: never,
        writing: undefined,
        stored,
        version: metadata.resourceVersion ?? '',
        sight: undefined,
        doubtful: false,
      };
      this.#pending.set(subject, pending);
    }
    return pending;
  }

  #flips({ subject, stored }: Pending<T, S>): boolean {
    const now = this.#options.statusOf(subject);
    return ['Ready', 'Stalled'].some((type) => statusIn(now, type) !== statusIn(stored, type));
  }

  async #write(pending: Pending<T, S>): Promise<boolean> {
    const { signal, mayWrite, onStored, onError } = this.#options;
    const { subject } = pending;
    for (let attempt = 1; ; attempt += 1) {
      if (signal.aborted || !mayWrite()) return false;
      try {
        if (pending.doubtful) await this.#read(pending);
        const before = pending.stored;
        await this.#send(pending);
        onStored?.(subject, before);
        return true;
      } catch (error) {
        if (isNotFound(error) || signal.aborted || this.#forgotten.has(subject)) return false;
        pending.doubtful = true;
        // Somebody wrote the subject in the same moment, or a status that we know nothing of came first.
        if (isConflict(error) && attempt < ATTEMPTS) continue;
        onError(subject, error);
        if (!pending.cancel) this.#schedule(pending, this.#options.quietMs * 5);
        return false;
      }
    }
  }

  async #send(pending: Pending<T, S>): Promise<void> {
    const { api, resource, statusOf, clock, signal } = this.#options;
    const { subject } = pending;
    const status = statusOf(subject);
    subject.status = status;
    const patch = mergePatch(pending.stored, status);
    if (!patch) return;
    const { uid } = subject.resource.metadata;
    pending.writtenAt = clock.elapsed();
    const { object } = await api.patchStatus(
      resource(),
      subject.namespace,
      subject.name,
      { metadata: { uid, resourceVersion: pending.version }, status: patch },
      // A CRD of an older version than ours lacks fields: what it knows is told all the same.
      { fieldManager: STATUS_FIELD_MANAGER, fieldValidation: 'Ignore', signal },
    );
    note(pending, { metadata: object.metadata, status });
  }

  /** The failed write may have arrived all the same. */
  async #read(pending: Pending<T, S>): Promise<void> {
    const { api, resource, signal } = this.#options;
    const { namespace, name } = pending.subject;
    note(pending, await api.get(resource(), namespace, name, { signal }));
    pending.doubtful = false;
  }
}

/** The server holds this status, as of this version of the subject. */
function note<T, S>(pending: Pending<T, S>, { metadata, status }: Sighting): void {
  pending.version = metadata.resourceVersion ?? '';
  pending.stored = status as T | undefined;
}

/** RFC 7386 at the top level: fields that changed, null for those that are gone; undefined when nothing changed. */
export function mergePatch(before: object | undefined, after: object): Record<string, unknown> | undefined {
  const old = (before ?? {}) as Record<string, unknown>;
  const now = after as Record<string, unknown>;
  const patch: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
    if (isDeepStrictEqual(plain(old[name]), plain(now[name]))) continue;
    patch[name] = nulled(old[name], now[name]);
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/** Objects are merged by the server, so members that are gone must be named; lists are replaced. */
function nulled(before: unknown, after: unknown): unknown {
  if (after === undefined) return null;
  if (!isMap(before) || !isMap(after)) return after;
  return mergePatch(before, after) ?? after;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Members that are undefined do not exist in JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function statusIn(status: AnyStatus | undefined, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.status;
}
