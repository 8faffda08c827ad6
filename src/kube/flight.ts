/**
 * One piece of work shared by everybody who asks for it while it runs. A caller that gives up leaves alone; when the last one
 * has left, the work itself is aborted.
 */
export class Flight<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #running: { result: Promise<T>; abort: AbortController; waiting: number } | undefined;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
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
      if (this.#running === running) this.#running = undefined;
    };
    void running.result.then(landed, landed);
    // A late caller must not join work that was aborted because everybody left.
    abort.signal.addEventListener('abort', landed, { once: true });
    return running;
  }
}

/** The promise's outcome, or the signal's reason if that comes first. The work behind the promise is not stopped. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
