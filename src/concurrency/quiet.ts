import type { Clock } from '../clock.ts';

/** Calls back when nothing has stirred for a while, once for each time that something did. */
export class Quiet {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #callback: () => void;
  readonly #signal: AbortSignal;
  #cancel: (() => void) | undefined;

  /** `ms`: how long it has to be quiet. Never calls back once the signal is aborted. */
  constructor(options: { clock: Clock; ms: number; callback: () => void; signal: AbortSignal }) {
    const { clock, ms, callback, signal } = options;
    [this.#clock, this.#ms, this.#callback, this.#signal] = [clock, ms, callback, signal];
    signal.addEventListener('abort', () => this.#cancel?.(), { once: true });
  }

  stirred(): void {
    this.#cancel?.();
    if (!this.#signal.aborted) this.#cancel = this.#clock.after(this.#ms, this.#callback);
  }
}
