import { performance } from 'node:perf_hooks';

export interface LimiterOptions {
  /** Fewest, first and most requests in flight. Only a 429 brings the limit below `start`. */
  min?: number;
  start?: number;
  max?: number;
  /** Monotonic milliseconds. */
  clock?: () => number;
}

/** Must be given back exactly once: by `done`. */
export interface Slot {
  done(outcome: 'answered' | 'throttled' | 'failed'): void;
}

const SMOOTHING = 0.1;
/** Above this multiple of the best latency, more requests in flight only queue inside the server. */
const CROWDED = 2.5;

/**
 * How many writes are in flight: first come, first served, the limit found by additive increase and multiplicative decrease.
 * 8 to 16 in flight give nearly the whole throughput of an API server at a third of the latency of 32, hence the defaults;
 * a 429 halves the limit, once for all requests that were in flight together.
 */
export class AdaptiveLimiter {
  readonly #min: number;
  readonly #start: number;
  readonly #max: number;
  readonly #clock: () => number;
  readonly #waiting = new Set<() => void>();
  #limit: number;
  #inFlight = 0;
  #answered = 0;
  #lastCut = Number.NEGATIVE_INFINITY;
  #latencyMs = 0;
  #bestMs = Number.POSITIVE_INFINITY;

  constructor({ min = 2, start = 8, max = 12, clock = () => performance.now() }: LimiterOptions = {}) {
    [this.#min, this.#start, this.#max, this.#clock] = [min, start, max, clock];
    this.#limit = start;
  }

  get limit(): number {
    return this.#limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Waits for its turn; rejects with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    if (this.#inFlight < this.#limit && this.#waiting.size === 0) {
      this.#inFlight += 1;
    } else {
      await this.#turn(signal);
    }
    const startedAt = this.#clock();
    return {
      done: (outcome) => {
        this.#inFlight -= 1;
        this.#learn(outcome, startedAt);
        this.#admit();
      },
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      this.#waiting.delete(enter);
      reject(signal.reason);
    };
    const enter = () => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    this.#waiting.add(enter);
    signal.addEventListener('abort', abort, { once: true });
    return promise;
  }

  #admit(): void {
    for (const enter of this.#waiting) {
      if (this.#inFlight >= this.#limit) return;
      this.#waiting.delete(enter);
      this.#inFlight += 1;
      enter();
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
