import type { Clock } from '../clock.ts';

/** What happens together is told together, so long after the first of it. */
const GATHER_MS = 1_000;
/** What happens after that is told once in this time. */
const EVERY_MS = 60_000;
/** Items that are kept to be named; more would not fit into a message. The others are counted. */
const MAX_ITEMS = 20;

/** Gathers many small things into few tellings. A thing with the same key counts once: as it was last, or merged. */
export class Gathering<T> {
  readonly #clock: Clock;
  readonly #tell: (first: T[], total: number) => void;
  readonly #merge: (before: T, now: T) => T;
  readonly #first = new Map<string, T>();
  readonly #keys = new Set<string>();
  #toldAt = -Infinity;
  #cancelTimer: (() => void) | undefined;

  /** `tell` gets the first things and how many there are; it must not throw. */
  constructor(
    clock: Clock,
    tell: (first: T[], total: number) => void,
    merge: (before: T, now: T) => T = (_before, now) => now,
  ) {
    this.#clock = clock;
    this.#tell = tell;
    this.#merge = merge;
  }

  add(key: string, item: T): void {
    this.#keys.add(key);
    const before = this.#first.get(key);
    if (before !== undefined) this.#first.set(key, this.#merge(before, item));
    else if (this.#first.size < MAX_ITEMS) this.#first.set(key, item);
    if (this.#cancelTimer) return;
    const wait = Math.max(GATHER_MS, this.#toldAt + EVERY_MS - this.#clock.elapsed());
    this.#cancelTimer = this.#clock.after(wait, () => this.flush());
  }

  /** Tells what is gathered now, if anything. */
  flush(): void {
    if (this.#keys.size === 0) return;
    const first = [...this.#first.values()];
    const total = this.#keys.size;
    this.drop();
    this.#toldAt = this.#clock.elapsed();
    this.#tell(first, total);
  }

  /** Forgets what is gathered. */
  drop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#first.clear();
    this.#keys.clear();
  }
}
