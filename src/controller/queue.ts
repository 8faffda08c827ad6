import { type Clock, systemClock } from '../clock.ts';

/** Somebody waits for `high` (a change, a push, a request); nobody waits for `low` (polls, retries, resyncs). */
export type Priority = 'high' | 'low';

/** Does the work of one key. `signal` aborts when the queue is stopped or the key is interrupted. */
export type Handler = (key: string, signal: AbortSignal) => Promise<void>;

export interface WorkQueueOptions {
  clock?: Clock;
  /** 0 ≤ x < 1. */
  random?: () => number;
  /** First delay of `addRateLimited`; doubles with each call until `forget`. Default 5 ms. */
  baseDelayMs?: number;
  /** The longest delay of `addRateLimited`. Default 2 minutes. */
  maxDelayMs?: number;
  /**
   * Whose key it is. An owner may hold at most as many workers as it leaves free: one takes half of them, two a third each,
   * and whatever their handlers wait for, some are left for the others. Default: all keys have one owner without a limit.
   */
  ownerOf?: (key: string) => string;
  /** Hears of a handler that threw, whose key is then retried. Must not throw. */
  onError?: (key: string, error: unknown) => void;
}

/** setTimeout takes no more; a longer delay wakes up early, finds nothing due and goes back to sleep. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Each fourth key is a low one when there is one: a stream of changes never starves the polls. */
const LOW_EVERY = 4;

/**
 * What has to be done, by key, with the guarantees of client-go's workqueue: one key never runs twice at the same time,
 * a burst of `add`s of one key collapses into one run, and an `add` while the key runs is never lost: it runs again
 * afterwards. The key says *what* to look at, never what has changed: the handler reads the present state.
 */
export class WorkQueue {
  /** Keys that must run, or run again. A Set keeps the order of insertion: it is the ordered list as well. */
  readonly #dirty: Record<Priority, Set<string>> = { high: new Set(), low: new Set() };
  /** Keys that run now. They may be dirty at the same time, and then wait for their own end. */
  readonly #processing = new Map<string, AbortController>();
  /** Keys that become dirty later, and when. Scanned by the one timer: thousands of keys cost it microseconds. */
  readonly #dueAt = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** Workers that found nothing to do. */
  readonly #idle: (() => void)[] = [];
  #timer: { dueAt: number; cancel: () => void } | undefined;
  #taken = 0;
  #workers = 0;
  /** How many workers each owner holds. */
  readonly #held = new Map<string, number>();
  #stopped = false;

  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #ownerOf: ((key: string) => string) | undefined;
  readonly #onError: (key: string, error: unknown) => void;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#baseDelayMs = options.baseDelayMs ?? 5;
    this.#maxDelayMs = options.maxDelayMs ?? 120_000;
    this.#ownerOf = options.ownerOf;
    this.#onError = options.onError ?? (() => undefined);
  }

  /** Keys that wait for a worker; neither those that run nor those that are due later. */
  get depth(): number {
    return this.#dirty.high.size + this.#dirty.low.size;
  }

  /** Keys that run now. */
  get running(): number {
    return this.#processing.size;
  }

  /** The key must run. Added again at a higher priority it moves to the end of the high ones. */
  add(key: string, priority: Priority = 'high'): void {
    const { high, low } = this.#dirty;
    if (this.#stopped || high.has(key)) return;
    if (priority === 'low') low.add(key);
    else {
      low.delete(key);
      high.add(key);
    }
    if (!this.#processing.has(key)) this.#idle.shift()?.();
  }

  /** Adds the key at low priority in `ms`; a key has one due time, and the earlier one wins. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (ms <= 0) return this.add(key, 'low');
    const dueAt = this.#clock.elapsed() + ms;
    if (dueAt >= (this.#dueAt.get(key) ?? Infinity)) return;
    this.#dueAt.set(key, dueAt);
    this.#wakeAt(dueAt);
  }

  /**
   * Adds the key after a delay that doubles with each call until `forget`, from `baseDelayMs` to `maxDelayMs`. Between
   * half and all of it is used, at random: what failed together does not come back together.
   */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = Math.min(this.#baseDelayMs * 2 ** failures, this.#maxDelayMs);
    this.addAfter(key, delayMs * (0.5 + this.#random() / 2));
  }

  /** The key succeeded or is gone: its next failure starts from the shortest delay. What is due stays due. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Adds the key and aborts its run in progress, if any: what that run knows is out of date. */
  interrupt(key: string): void {
    this.add(key);
    this.#processing.get(key)?.abort();
  }

  /**
   * Handles keys, `workers` at a time, until `shutdown` or until `signal` aborts (which aborts the handlers too).
   * Resolves when the last handler has ended. A handler that throws is told to `onError` and retried rate-limited,
   * unless it was aborted; to `forget` after a success is the handler's decision.
   */
  async run(workers: number, handler: Handler, signal: AbortSignal): Promise<void> {
    const stop = (): void => {
      this.shutdown();
      for (const running of this.#processing.values()) running.abort(signal.reason);
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    this.#workers = workers;
    await Promise.all(Array.from({ length: workers }, () => this.#work(handler)));
    signal.removeEventListener('abort', stop);
  }

  /** Nothing starts any more: waiting and due keys are dropped, later adds are ignored, running handlers may finish. */
  shutdown(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueAt.clear();
    this.#dirty.high.clear();
    this.#dirty.low.clear();
    for (const wake of this.#idle.splice(0)) wake();
  }

  async #work(handler: Handler): Promise<void> {
    while (!this.#stopped) {
      const key = this.#take();
      if (key === undefined) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      const abort = new AbortController();
      this.#processing.set(key, abort);
      this.#hold(key, 1);
      // What the last end made room for may be more than one key.
      if (this.depth > 0) this.#idle.shift()?.();
      try {
        await handler(key, abort.signal);
      } catch (error) {
        if (abort.signal.aborted) continue;
        this.#onError(key, error);
        this.addRateLimited(key);
      } finally {
        this.#processing.delete(key);
        this.#hold(key, -1);
      }
    }
  }

  #hold(key: string, change: 1 | -1): void {
    if (!this.#ownerOf) return;
    const owner = this.#ownerOf(key);
    const held = (this.#held.get(owner) ?? 0) + change;
    if (held > 0) this.#held.set(owner, held);
    else this.#held.delete(owner);
  }

  #mayRun(key: string): boolean {
    if (this.#processing.has(key)) return false;
    const held = this.#ownerOf && this.#held.get(this.#ownerOf(key));
    return held === undefined || held < this.#workers - this.#processing.size;
  }

  /** The next key that may run: it is no longer dirty, so an `add` from here on means another run. */
  #take(): string | undefined {
    const lowFirst = this.#taken % LOW_EVERY === LOW_EVERY - 1;
    for (const priority of lowFirst ? (['low', 'high'] as const) : (['high', 'low'] as const)) {
      for (const key of this.#dirty[priority]) {
        if (!this.#mayRun(key)) continue;
        this.#dirty[priority].delete(key);
        this.#taken += 1;
        return key;
      }
    }
    return undefined;
  }

  #wakeAt(dueAt: number): void {
    if (this.#timer && this.#timer.dueAt <= dueAt) return;
    this.#timer?.cancel();
    const ms = Math.min(Math.max(dueAt - this.#clock.elapsed(), 0), LONGEST_TIMER_MS);
    this.#timer = { dueAt, cancel: this.#clock.after(ms, () => this.#addDue()) };
  }

  #addDue(): void {
    this.#timer = undefined;
    const now = this.#clock.elapsed();
    let next = Infinity;
    for (const [key, dueAt] of this.#dueAt) {
      if (dueAt > now) {
        next = Math.min(next, dueAt);
        continue;
      }
      this.#dueAt.delete(key);
      this.add(key, 'low');
    }
    if (next < Infinity) this.#wakeAt(next);
  }
}
