import { performance } from 'node:perf_hooks';

/**
 * One signal for a whole call, retries and body included: aborts when the caller's does or when the time is over. By hand
 * because AbortSignal.any() would leave a dependant on the long-lived signal of the process for every request.
 */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  /** The time was over before the caller gave up. */
  expired = false;
  readonly #outer: AbortSignal;
  readonly #endsAt: number;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort: () => void;
  #graceMs = 0;
  #grace: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, outer: AbortSignal) {
    outer.throwIfAborted();
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#outer = outer;
    this.#endsAt = performance.now() + timeoutMs;
    this.#onAbort = () => {
      const abort = () => controller.abort(outer.reason);
      if (this.#graceMs > 0) this.#grace = setTimeout(abort, this.#graceMs);
      else abort();
    };
    outer.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = setTimeout(() => {
      this.expired = true;
      controller.abort(new DOMException('the time for this call is over', 'TimeoutError'));
    }, timeoutMs);
  }

  get remainingMs(): number {
    return this.#endsAt - performance.now();
  }

  /** From now on only the caller's signal ends it: the answer has begun and is endless. */
  lift(): void {
    clearTimeout(this.#timer);
  }

  /** From now on the call goes on for so long after its caller has given up. */
  outlive(graceMs: number): void {
    this.#graceMs = graceMs;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#grace);
    this.#outer.removeEventListener('abort', this.#onAbort);
  }
}
