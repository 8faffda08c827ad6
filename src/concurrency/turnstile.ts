import { abortable } from './abortable.ts';

/** One at a time, in the order of arrival. Who gives up waiting holds nobody up. */
export class Turnstile {
  #last: Promise<void> = Promise.resolve();

  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    this.#last = before.then(() => left);
    try {
      await abortable(before, signal);
      return await work();
    } finally {
      leave();
    }
  }
}
