/** Waits for the promise, but not longer than the signal lasts; rejects with the signal's reason. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Running<T> {
  promise: Promise<T>;
  controller: AbortController;
  waiters: number;
}

/**
 * One call for all who want the same at the same time. A waiter that leaves disturbs nobody; the call itself ends when the
 * last one has left.
 */
export class SharedCalls<T> {
  readonly #running = new Map<string, Running<T>>();

  async run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const call = this.#running.get(key) ?? this.#start(key, start);
    call.waiters += 1;
    try {
      return await untilAborted(call.promise, signal);
    } finally {
      call.waiters -= 1;
      if (call.waiters === 0) {
        call.controller.abort();
        this.#remove(key, call);
      }
    }
  }

  /** Who comes later starts a call of their own: this one may have seen an older state. */
  close(key: string): void {
    this.#running.delete(key);
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const promise = start(controller.signal);
    const call: Running<T> = { promise, controller, waiters: 0 };
    this.#running.set(key, call);
    // The waiters see the rejection; without any, nobody is interested.
    promise.then(
      () => this.#remove(key, call),
      () => this.#remove(key, call),
    );
    return call;
  }

  #remove(key: string, call: Running<T>): void {
    if (this.#running.get(key) === call) this.#running.delete(key);
  }
}

/** One at a time, in the order of arrival. */
export class Turnstile {
  #last: Promise<void> = Promise.resolve();

  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    this.#last = before.then(() => left);
    try {
      await untilAborted(before, signal);
      return await work();
    } finally {
      leave();
    }
  }
}
