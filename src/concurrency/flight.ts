import { abortable } from './abortable.ts';

/**
 * One piece of work shared by everybody who asks for it while it runs. A caller that gives up leaves alone; when the last one
 * has left, the work itself is aborted.
 */
export class Flight<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  readonly #onLanded: () => void;
  #running: { result: Promise<T>; abort: AbortController; waiting: number } | undefined;

  /** `onLanded` is called each time the work has ended, or was aborted; it must not throw. */
  constructor(work: (signal: AbortSignal) => Promise<T>, onLanded: () => void = () => undefined) {
    this.#work = work;
    this.#onLanded = onLanded;
  }

  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const running = (this.#running ??= this.#start());
    running.waiting += 1;
    try {
      return await abortable(running.result, signal);
    } finally {
      running.waiting -= 1;
      if (running.waiting === 0) running.abort.abort();
    }
  }

  /** Like join, but never joins work that began before this call. */
  async joinNext(signal: AbortSignal): Promise<T> {
    const running = this.#running;
    if (running)
      await abortable(
        running.result.catch(() => {}),
        signal,
      );
    return this.join(signal);
  }

  #start() {
    const abort = new AbortController();
    const running = { result: this.#work(abort.signal), abort, waiting: 0 };
    const landed = () => {
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#onLanded();
    };
    void running.result.then(landed, landed);
    // A late caller must not join work that was aborted because everybody left.
    abort.signal.addEventListener('abort', landed, { once: true });
    return running;
  }
}
