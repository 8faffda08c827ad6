import type { Clock } from '../src/clock.ts';

/** Time that stands still until a test moves it; timers fire in the order of their due times. */
export class ManualClock implements Clock {
  readonly #timers = new Set<{ dueAt: number; callback: () => void }>();
  #elapsed = 0;
  readonly #start: number;

  constructor(start = '2026-01-02T03:04:05.000Z') {
    this.#start = Date.parse(start);
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueAt: this.#elapsed + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer fires; Infinity without one. */
  get nextIn(): number {
    return Math.min(...[...this.#timers].map(({ dueAt }) => dueAt - this.#elapsed));
  }

  advance(ms: number): void {
    const until = this.#elapsed + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueAt - b.dueAt);
      if (!next || next.dueAt > until) break;
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.dueAt);
      next.callback();
    }
    this.#elapsed = until;
  }
}
