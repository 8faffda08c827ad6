import { setImmediate } from 'node:timers/promises';

/** How long the event loop is held before other work gets its turn, in milliseconds. */
const SLICE_MS = 10;

/** Lets long work be done in slices: gives the event loop its turn whenever a slice of time is used up. */
export class Slice {
  readonly #signal: AbortSignal;
  #start = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Rejects with the reason of the signal. */
  async rest(): Promise<void> {
    this.#signal.throwIfAborted();
    if (performance.now() - this.#start < SLICE_MS) return;
    await setImmediate();
    this.#start = performance.now();
  }
}
