import { isDeepStrictEqual } from 'node:util';
import { STATUS_FIELD_MANAGER } from '../api/names.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import type { Clock } from '../clock.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { isLater, type KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import type { Source } from './source.ts';

export interface StatusWriterOptions {
  api: KubeApi;
  resource: () => ApiResource;
  statusOf: (source: Source) => GitOpsSourceStatus;
  /** False when another replica may act by now. */
  mayWrite: () => boolean;
  clock: Clock;
  signal: AbortSignal;
  /** The server holds the status of the source now; `before` is what it held until then, which may be the same. */
  onStored: (source: Source, before: GitOpsSourceStatus | undefined) => void;
  onError: (source: Source, error: unknown) => void;
}

type Sighting = Pick<KubeObject, 'metadata'> & { status?: unknown };

interface Pending {
  readonly source: Source;
  cancel: (() => void) | undefined;
  /** When the write that `cancel` would cancel is due. */
  dueAt: number;
  writtenAt: number;
  writing: Promise<boolean> | undefined;
  /** What the server holds, as of this resourceVersion of the source. */
  stored: GitOpsSourceStatus | undefined;
  version: string;
  /** What was seen while a write was under way. */
  sight: Sighting | undefined;
  /** A write failed: what the server holds has to be read. */
  doubtful: boolean;
}

/** At most one write in this time for a source, unless Ready or Stalled flips. */
const QUIET_MS = 1_000;
/** Health comes and goes while controllers catch up with any edit; what has passed within this time is not worth a write. */
const HEALTH_SETTLES_MS = 2_000;
/** A run that ends sooner tells only how it ended: a write of a custom resource costs the API server twice a usual apply. */
const RUN_IS_LONG_MS = 3_000;

/** Of one write, when others write the source at the same time. */
const ATTEMPTS = 5;

/**
 * The one writer of status. It computes the status when it writes, so what it writes is never older than the write. Each write
 * is guarded by the resourceVersion: one that a replica sent before it lost its lease may arrive long after it.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #pending = new Map<Source, Pending>();
  /** Runs and timers of a source can outlive it, and another one of the same name may be there by now. */
  readonly #forgotten = new WeakSet<Source>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** Something that the status tells has changed. */
  changed(source: Source): void {
    const pending = this.#of(source);
    if (!pending) return;
    const now = this.#options.clock.elapsed();
    const allowedAt = pending.writtenAt + QUIET_MS;
    if (pending.cancel && pending.dueAt <= Math.max(now, allowedAt)) return;
    this.#schedule(pending, this.#flips(pending) ? 0 : Math.max(0, allowedAt - now));
  }

  /**
   * The source as a watch or the answer to a write brought it. A status that is not ours was written by a replica that led
   * before us, or by hand: ours is written again.
   */
  seen(source: Source, sight: Sighting): void {
    const pending = this.#pending.get(source);
    if (!pending) return;
    pending.sight = sight;
    if (pending.writing === undefined) this.#compare(pending);
  }

  #compare(pending: Pending): void {
    const { sight, source, stored, version } = pending;
    pending.sight = undefined;
    if (!sight || !isLater(sight.metadata.resourceVersion ?? '', version)) return;
    note(pending, sight);
    if (!isDeepStrictEqual(plain(sight.status), plain(stored))) this.changed(source);
  }

  /** A run begins; if it takes long, the status says so meanwhile. */
  runs(source: Source): void {
    const pending = this.#of(source);
    if (pending && !pending.cancel) this.#schedule(pending, RUN_IS_LONG_MS);
  }

  /** The health of managed objects has changed. */
  healthChanged(source: Source): void {
    const pending = this.#of(source);
    if (!pending) return;
    // Where Ready waits for health, it is what people wait for.
    if (source.spec?.wait) this.changed(source);
    else if (!pending.cancel) this.#schedule(pending, HEALTH_SETTLES_MS);
  }

  /**
   * Would the next start look for these kinds (`group/kind`)? It looks for those that the stored inventory names, and for all
   * there are when none is stored. What a write failed to bring does not count.
   */
  announces(source: Source, kinds: Iterable<string>): boolean {
    const pending = this.#of(source);
    if (!pending || pending.doubtful) return false;
    const inventory = pending.stored?.inventory;
    if (!inventory) return true;
    const stored = new Set(inventory.kinds.map(({ group, kind }) => `${group}/${kind}`));
    return [...kinds].every((kind) => stored.has(kind));
  }

  #schedule(pending: Pending, waitMs: number): void {
    const { clock } = this.#options;
    pending.cancel?.();
    pending.dueAt = clock.elapsed() + waitMs;
    pending.cancel = clock.after(waitMs, () => void this.flush(pending.source));
  }

  /** Writes now, if there is something to write; resolves with whether the server has it. */
  async flush(source: Source): Promise<boolean> {
    const pending = this.#of(source);
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

  /** The source is gone: nothing of it is written any more. */
  forget(source: Source): void {
    this.#pending.get(source)?.cancel?.();
    this.#pending.delete(source);
    this.#forgotten.add(source);
  }

  /** Writes what is still waiting, before the process ends; gives up after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    const waiting = [...this.#pending.values()].filter((pending) => pending.cancel ?? pending.writing !== undefined);
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(timeoutMs, resolve);
    await Promise.race([Promise.all(waiting.map(({ source }) => this.flush(source))), timeout]);
    cancel();
  }

  #of(source: Source): Pending | undefined {
    let pending = this.#pending.get(source);
    if (!pending && !this.#forgotten.has(source)) {
      const { metadata, status: stored } = source.resource;
      const never = -Infinity;
      pending = {
        source,
        cancel: undefined,
        dueAt: never,
        writtenAt: never,
        writing: undefined,
        stored,
        version: metadata.resourceVersion ?? '',
        sight: undefined,
        doubtful: false,
      };
      this.#pending.set(source, pending);
    }
    return pending;
  }

  #flips({ source, stored }: Pending): boolean {
    const now = this.#options.statusOf(source);
    return ['Ready', 'Stalled'].some((type) => statusIn(now, type) !== statusIn(stored, type));
  }

  async #write(pending: Pending): Promise<boolean> {
    const { signal, mayWrite, onStored, onError } = this.#options;
    const { source } = pending;
    for (let attempt = 1; ; attempt += 1) {
      if (signal.aborted || !mayWrite()) return false;
      try {
        if (pending.doubtful) await this.#read(pending);
        const before = pending.stored;
        await this.#send(pending);
        onStored(source, before);
        return true;
      } catch (error) {
        if (isNotFound(error) || signal.aborted || this.#forgotten.has(source)) return false;
        pending.doubtful = true;
        // Somebody wrote the source in the same moment, or a status that we know nothing of came first.
        if (isConflict(error) && attempt < ATTEMPTS) continue;
        onError(source, error);
        if (!pending.cancel) this.#schedule(pending, QUIET_MS * 5);
        return false;
      }
    }
  }

  async #send(pending: Pending): Promise<void> {
    const { api, resource, statusOf, clock, signal } = this.#options;
    const { source } = pending;
    const status = statusOf(source);
    source.status = status;
    const patch = mergePatch(pending.stored, status);
    if (!patch) return;
    const { uid } = source.resource.metadata;
    pending.writtenAt = clock.elapsed();
    const { object } = await api.patchStatus(
      resource(),
      source.namespace,
      source.name,
      { metadata: { uid, resourceVersion: pending.version }, status: patch },
      { fieldManager: STATUS_FIELD_MANAGER, signal },
    );
    note(pending, { metadata: object.metadata, status });
  }

  /** The failed write may have arrived all the same. */
  async #read(pending: Pending): Promise<void> {
    const { api, resource, signal } = this.#options;
    const { namespace, name } = pending.source;
    note(pending, await api.get(resource(), namespace, name, { signal }));
    pending.doubtful = false;
  }
}

/** The server holds this status, as of this version of the source. */
function note(pending: Pending, { metadata, status }: Sighting): void {
  pending.version = metadata.resourceVersion ?? '';
  pending.stored = status as GitOpsSourceStatus | undefined;
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

function statusIn(status: GitOpsSourceStatus | undefined, type: string): string | undefined {
  return status?.conditions?.find((condition) => condition.type === type)?.status;
}
