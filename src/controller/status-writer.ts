import { isDeepStrictEqual } from 'node:util';
import { STATUS_FIELD_MANAGER } from '../api/names.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import type { Clock } from '../clock.ts';
import { isNotFound } from '../kube/errors.ts';
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

interface Pending {
  readonly source: Source;
  cancel: (() => void) | undefined;
  /** When the write that `cancel` would cancel is due. */
  dueAt: number;
  writtenAt: number;
  writing: Promise<boolean> | undefined;
  /** What the server holds. */
  stored: GitOpsSourceStatus | undefined;
  /** A write failed: what the server holds has to be read. */
  doubtful: boolean;
}

/** At most one write in this time for a source, unless Ready or Stalled flips. */
const QUIET_MS = 1_000;
/** Health comes and goes while controllers catch up with any edit; what has passed within this time is not worth a write. */
const HEALTH_SETTLES_MS = 2_000;
/** A run that ends sooner tells only how it ended: a write of a custom resource costs the API server twice a usual apply. */
const RUN_IS_LONG_MS = 3_000;

/** The one writer of status. It computes the status when it writes, so what it writes is never older than the write. */
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
    pending.writing = this.#write(pending).finally(() => void (pending.writing = undefined));
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
      const { status: stored } = source.resource;
      const never = -Infinity;
      pending = {
        source,
        cancel: undefined,
        dueAt: never,
        writtenAt: never,
        writing: undefined,
        stored,
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
    const { api, resource, statusOf, clock, signal, mayWrite, onStored, onError } = this.#options;
    const { source } = pending;
    if (signal.aborted || !mayWrite()) return false;
    try {
      if (pending.doubtful) await this.#read(pending);
      const { stored } = pending;
      const status = statusOf(source);
      source.status = status;
      const patch = mergePatch(stored, status);
      if (!patch) {
        onStored(source, stored);
        return true;
      }
      pending.writtenAt = clock.elapsed();
      await api.patchStatus(
        resource(),
        source.namespace,
        source.name,
        { metadata: { uid: source.resource.metadata.uid }, status: patch },
        { fieldManager: STATUS_FIELD_MANAGER, signal },
      );
      pending.stored = status;
      onStored(source, stored);
      return true;
    } catch (error) {
      if (isNotFound(error) || signal.aborted || this.#forgotten.has(source)) return false;
      onError(source, error);
      pending.doubtful = true;
      if (!pending.cancel) this.#schedule(pending, QUIET_MS * 5);
      return false;
    }
  }

  /** The failed write may have arrived all the same. */
  async #read(pending: Pending): Promise<void> {
    const { api, resource, signal } = this.#options;
    const { namespace, name } = pending.source;
    const object = await api.get(resource(), namespace, name, { signal });
    pending.stored = object['status'] as GitOpsSourceStatus | undefined;
    pending.doubtful = false;
  }
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
