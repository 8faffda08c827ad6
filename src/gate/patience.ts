import type { Clock } from '../clock.ts';

/** Whoever kept everybody waiting for nothing waits so many times as long before he is looked at again. */
const FACTOR = 5;

/**
 * Verdicts are given one at a time, so a revision that cannot be judged keeps all others waiting. Each time it does, its
 * source waits longer than it kept the others: what it takes of the whole is bounded, whatever it declares.
 */
export class EdgePatience {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, { until: number; error: unknown }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws what the last attempt of the source ended with, as long as it has to wait. */
  check(source: string): void {
    const waiting = this.#waiting.get(source);
    if (waiting && this.#clock.elapsed() < waiting.until) throw waiting.error;
  }

  /** The result of `work`; when it fails, the source waits. */
  async spend<T>(source: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const startedAt = this.#clock.elapsed();
    try {
      const result = await work();
      this.#waiting.delete(source);
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const now = this.#clock.elapsed();
      this.#waiting.set(source, { until: now + FACTOR * (now - startedAt), error });
      throw error;
    }
  }

  forget(source: string): void {
    this.#waiting.delete(source);
  }
}
