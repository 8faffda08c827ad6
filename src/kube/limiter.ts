import { performance } from 'node:perf_hooks';

export interface LimiterOptions {
  /** Fewest, first and most requests in flight. Only a 429 brings the limit below `start`. */
  min?: number;
  start?: number;
  max?: number;
  /** After so long without an answer a request no longer takes a place from the others. */
  patienceMs?: number;
  /** Monotonic milliseconds. */
  clock?: () => number;
}

/** Must be given back exactly once: by `done`. */
export interface Slot {
  done(outcome: 'answered' | 'throttled' | 'failed'): void;
}

/** One that has its place, or has given it back because it hangs. */
interface Entered {
  readonly owner: string;
  isAside: boolean;
}

interface Waiting {
  readonly owner: string;
  readonly enter: () => void;
}

/** Hardly any request takes so long, unless it waits for a webhook or an aggregated API. */
const PATIENCE_MS = 1_000;
/** So many times the limit may hang beside those that have a place: an overloaded server must not be sent more and more. */
const ASIDE = 3;
const SMOOTHING = 0.1;
/** Above this multiple of the best latency, more requests in flight only queue inside the server. */
const CROWDED = 2.5;

/**
 * How many requests are in flight: first come, first served, the limit found by additive increase and multiplicative decrease.
 * 8 to 16 writes in flight give nearly the whole throughput of an API server at a third of the latency of 32, hence the defaults;
 * a 429 halves the limit, once for all requests that were in flight together.
 *
 * A webhook that hangs keeps each request that it is asked about for up to 30 s. So who hangs gives its place to the next one, and its owner
 * gets no more at a time than there are places: those who have nothing to do with that webhook go on.
 */
export class AdaptiveLimiter {
  readonly #min: number;
  readonly #start: number;
  readonly #max: number;
  readonly #patienceMs: number;
  readonly #clock: () => number;
  readonly #waiting = new Set<Waiting>();
  readonly #entered = new Set<Entered>();
  #limit: number;
  #aside = 0;
  #answered = 0;
  #lastCut = Number.NEGATIVE_INFINITY;
  #latencyMs = 0;
  #bestMs = Number.POSITIVE_INFINITY;

  constructor(options: LimiterOptions = {}) {
    const { min = 2, start = 8, max = 12, patienceMs = PATIENCE_MS, clock = () => performance.now() } = options;
    [this.#min, this.#start, this.#max, this.#patienceMs, this.#clock] = [min, start, max, patienceMs, clock];
    this.#limit = start;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Those that hang are not among them. */
  get inFlight(): number {
    return this.#entered.size - this.#aside;
  }

  /**
   * Waits for its turn; rejects with the signal's reason. What requests of one `owner` wait for is likely to be the same; '' is
   * nobody in particular.
   */
  async acquire(signal: AbortSignal, owner = ''): Promise<Slot> {
    signal.throwIfAborted();
    const one: Entered = { owner, isAside: false };
    if (this.#mayEnter(owner)) this.#entered.add(one);
    else await this.#turn(signal, one);
    const startedAt = this.#clock();
    const timer = setTimeout(() => this.#setAside(one) || timer.refresh(), this.#patienceMs).unref();
    return {
      done: (outcome) => {
        clearTimeout(timer);
        this.#entered.delete(one);
        if (one.isAside) this.#aside -= 1;
        this.#learn(one.isAside && outcome === 'answered' ? 'failed' : outcome, startedAt);
        this.#admit();
      },
    };
  }

  /** While there are places, only such wait as may not enter: nobody is overtaken. */
  #mayEnter(owner: string): boolean {
    return this.inFlight < this.#limit && !this.#hasItsShare(owner);
  }

  #hasItsShare(owner: string): boolean {
    if (this.#aside === 0 || owner === '') return false;
    const own = [...this.#entered].filter((one) => one.owner === owner);
    return own.length >= this.#max && own.some(({ isAside }) => isAside);
  }

  /** False: too many hang already; later, maybe. */
  #setAside(one: Entered): boolean {
    if (this.#aside >= ASIDE * this.#limit) return false;
    one.isAside = true;
    this.#aside += 1;
    this.#admit();
    return true;
  }

  #turn(signal: AbortSignal, one: Entered): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      this.#waiting.delete(waiting);
      reject(signal.reason);
    };
    const enter = () => {
      signal.removeEventListener('abort', abort);
      this.#entered.add(one);
      resolve();
    };
    const waiting: Waiting = { owner: one.owner, enter };
    this.#waiting.add(waiting);
    signal.addEventListener('abort', abort, { once: true });
    return promise;
  }

  #admit(): void {
    const held = new Set<string>();
    for (const waiting of this.#waiting) {
      if (this.inFlight >= this.#limit) return;
      if (held.has(waiting.owner)) continue;
      if (this.#hasItsShare(waiting.owner)) {
        held.add(waiting.owner);
        continue;
      }
      this.#waiting.delete(waiting);
      waiting.enter();
    }
  }

  #learn(outcome: 'answered' | 'throttled' | 'failed', startedAt: number): void {
    const now = this.#clock();
    if (outcome === 'throttled' && startedAt > this.#lastCut) {
      this.#limit = Math.max(this.#min, Math.floor(this.#limit / 2));
      this.#lastCut = now;
      this.#answered = 0;
    }
    if (outcome !== 'answered') return;
    const ms = now - startedAt;
    this.#latencyMs = this.#latencyMs === 0 ? ms : this.#latencyMs + SMOOTHING * (ms - this.#latencyMs);
    // The best drifts upwards slowly, so that a server that got slower for good is not throttled for ever.
    this.#bestMs = Math.min(this.#latencyMs, this.#bestMs * 1.002);
    this.#answered += 1;
    if (this.#answered < this.#limit) return;
    this.#answered = 0;
    if (this.#latencyMs <= this.#bestMs * CROWDED) this.#limit = Math.min(this.#max, this.#limit + 1);
    else if (this.#limit > this.#start) this.#limit -= 1;
    else if (this.#limit < this.#start) this.#limit += 1;
  }
}
