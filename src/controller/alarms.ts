import type { Clock } from '../clock.ts';

/** The wall clock can be set while a timer runs by the other one; it is looked at this often, as long as an alarm is due. */
const LOOK_MS = 60_000;

/** Calls at a time of day, by key: at once when the clock jumps past it, later when it is set back. However far away. */
export class Alarms {
  readonly #clock: Clock;
  readonly #ring: (key: string) => void;
  readonly #due = new Map<string, { at: number; cancel: () => void }>();

  constructor(clock: Clock, ring: (key: string) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** `at` in milliseconds since the epoch. A key has one alarm, and the earlier one wins. */
  set(key: string, at: number): void {
    const due = this.#due.get(key);
    if (at === Infinity || (due && due.at <= at)) return;
    due?.cancel();
    this.#sleep(key, at);
  }

  clear(key: string): void {
    this.#due.get(key)?.cancel();
    this.#due.delete(key);
  }

  #sleep(key: string, at: number): void {
    const waitMs = Math.max(0, at - this.#clock.now());
    const cancel = this.#clock.after(Math.min(Math.ceil(waitMs), LOOK_MS), () => {
      if (this.#clock.now() < at) return this.#sleep(key, at);
      this.#due.delete(key);
      this.#ring(key);
    });
    this.#due.set(key, { at, cancel });
  }
}
