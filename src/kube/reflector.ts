import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Selection } from './calls.ts';
import { isTransient, isVersionTooLarge, KubeError } from './errors.ts';
import type { KubeObject } from './object.ts';
import type { KubeApi } from './objects.ts';
import { Pulse } from './pulse.ts';
import type { ApiResource } from './resource.ts';
import { Backoff } from './retry.ts';
import type { WatchEvent } from './watch-event.ts';

/**
 * Hears everything about one selection of objects. The reflector keeps none of them: what is dear must be kept here. All calls
 * are synchronous and in order; what they throw is reported to `problem` and ends nothing.
 */
export interface ReflectorHandler {
  /** A list begins: at the start, and whenever the thread of events was lost. One that never reaches listDone is void. */
  listStarted(): void;
  item(object: KubeObject): void;
  /** The list is whole: what was known and did not come as an item is gone. */
  listDone(resourceVersion: string): void;
  /** DELETED carries the last state, also of an object that merely left the selection. */
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void;
  /** Listing or watching failed (ApiForbidden, ApiNotFound when the kind vanished, …) or this handler threw. It goes on. */
  problem?(error: KubeError): void;
}

export interface ReflectorOptions extends Selection {
  resource: ApiResource;
  /** What is listed is asked for at once and handed on only when this has settled. Must settle. */
  after?: Promise<unknown>;
}

/** Times in milliseconds; the defaults are client-go's where it has them. */
export interface ReflectorTiming {
  /** The server ends a watch after a random time between these two. */
  watchMinMs: number;
  watchMaxMs: number;
  /** Our own timer ends it this much later, when the server did not. */
  graceMs: number;
  /** A server that has sent bookmarks (one a minute) and then nothing for so long is not there any more. */
  silenceMs: number;
  backoffFirstMs: number;
  backoffCapMs: number;
  /** A watch that ended sooner is a failure: without that a server which closes at once would be stormed. */
  shortLivedMs: number;
}

/**
 * So many watches in a row that were accepted and ended without a word: the server has something against our version, and
 * what stands between us swallows that it says so.
 */
const MUTE_WATCHES = 5;

const TIMING: ReflectorTiming = {
  watchMinMs: 5 * 60_000,
  watchMaxMs: 10 * 60_000,
  graceMs: 10_000,
  silenceMs: 150_000,
  backoffFirstMs: 800,
  backoffCapMs: 30_000,
  shortLivedMs: 1_000,
};

/**
 * Lists, then watches, and never gives up. After a broken connection it watches on from the last version; when that is no
 * longer known (410) or the server refuses for a reason of its own (403, 404, …) it lists again. The rules are those of
 * client-go's tools/cache reflector.
 */
export class Reflector {
  /** Settles after the first whole list; rejects when run() ends before that. */
  readonly synced: Promise<void>;
  /** Why it is not watching right now; undefined while it is. */
  lastError: KubeError | undefined;
  readonly #api: KubeApi;
  readonly #options: ReflectorOptions;
  readonly #handler: ReflectorHandler;
  readonly #timing: ReflectorTiming;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #sync = Promise.withResolvers<void>();
  #hasSynced = false;
  /** This server sends bookmarks, so its silence means something. */
  #bookmarks = false;
  /** Where the next watch begins; undefined: list first. */
  #version: string | undefined;
  #muteWatches = 0;

  constructor(
    api: KubeApi,
    options: ReflectorOptions,
    handler: ReflectorHandler,
    { timing = {}, random = Math.random }: { timing?: Partial<ReflectorTiming>; random?: () => number } = {},
  ) {
    this.#api = api;
    this.#options = options;
    this.#handler = handler;
    this.#timing = { ...TIMING, ...timing };
    this.#random = random;
    const { backoffFirstMs: firstMs, backoffCapMs: capMs } = this.#timing;
    this.#backoff = new Backoff({ firstMs, capMs, random });
    this.synced = this.#sync.promise;
    // Nobody has to wait for it.
    this.synced.catch(() => {});
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Works until the signal aborts, in whatever state that finds it; never rejects. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) this.#version = await this.#list(signal);
        await this.#watch(this.#version, signal);
      } catch (cause) {
        if (signal.aborted) break;
        const error = this.#failed(cause);
        const waitMs = Math.max(this.#backoff.nextMs(), error.retryAfterMs ?? 0);
        await delay(waitMs, undefined, { signal }).catch(() => {});
      }
    }
    this.#sync.reject(signal.reason);
  }

  async #list(signal: AbortSignal): Promise<string> {
    this.#tell((handler) => handler.listStarted());
    let version = '';
    // Not retried below us: a problem is told when it happens, and our own backoff paces the next attempt.
    const options = { ...this.#options, signal, retry: false };
    for await (const page of this.#api.list(this.#options.resource, options)) {
      await this.#options.after;
      signal.throwIfAborted();
      version = page.resourceVersion;
      for (const object of page.items) this.#tell((handler) => handler.item(object));
    }
    this.#tell((handler) => handler.listDone(version));
    this.#hasSynced = true;
    this.#sync.resolve();
    return version;
  }

  /** Returns when the watch ended as it should; throws when it failed. */
  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { watchMinMs, watchMaxMs, graceMs, silenceMs, shortLivedMs } = this.#timing;
    const lifetimeMs = watchMinMs + this.#random() * (watchMaxMs - watchMinMs);
    using pulse = new Pulse(signal, lifetimeMs + graceMs);
    if (this.#bookmarks) pulse.expectWithin(silenceMs);
    const startedAt = performance.now();
    const lived = () => performance.now() - startedAt >= shortLivedMs;
    let isOpen = false;
    let isMute = true;
    try {
      await this.#api.watch(this.#options.resource, {
        ...this.#options,
        resourceVersion,
        timeoutSeconds: Math.ceil(lifetimeMs / 1000),
        signal: pulse.signal,
        onOpen: () => {
          isOpen = true;
          this.lastError = undefined;
        },
        onBytes: () => {
          isMute = false;
          pulse.beat();
        },
        onEvent: (event) => {
          this.#bookmarks ||= event.type === 'BOOKMARK';
          if (this.#bookmarks) pulse.expectWithin(silenceMs);
          this.#deliver(event);
        },
      });
    } finally {
      if (lived()) this.#backoff.reset();
      this.#count({ isFruitless: isOpen && isMute && !lived() });
    }
    if (!lived()) throw new KubeError('ApiUnreachable', `the API server ended ${this.#what} at once`);
  }

  #count({ isFruitless }: { isFruitless: boolean }): void {
    this.#muteWatches = isFruitless ? this.#muteWatches + 1 : 0;
    if (this.#muteWatches < MUTE_WATCHES) return;
    this.#muteWatches = 0;
    this.#version = undefined;
  }

  #deliver({ type, object }: WatchEvent): void {
    // Bookmarks exist for this line alone.
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    if (type !== 'BOOKMARK') this.#tell((handler) => handler.event(type, object));
  }

  #failed(cause: unknown): KubeError {
    const error =
      cause instanceof KubeError
        ? cause
        : new KubeError('WatchHandlerFailed', `${this.#what} stumbled over a defect`, { cause });
    // Only a failure of the connection or of the server's health leaves our version good.
    if (!isTransient(error) || isVersionTooLarge(error)) this.#version = undefined;
    this.lastError = error;
    this.#report(error);
    return error;
  }

  get #what(): string {
    const { resource, namespace } = this.#options;
    return `the watch of ${resource.plural}${namespace ? ` in ${namespace}` : ''}`;
  }

  #tell(call: (handler: ReflectorHandler) => void): void {
    try {
      call(this.#handler);
    } catch (cause) {
      this.#report(new KubeError('WatchHandlerFailed', `an event of ${this.#what} could not be handled`, { cause }));
    }
  }

  #report(error: KubeError): void {
    try {
      this.#handler.problem?.(error);
    } catch {
      // It has been told.
    }
  }
}
