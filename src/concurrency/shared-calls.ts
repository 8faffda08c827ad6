import { Flight } from './flight.ts';

/**
 * One call for all who want the same at the same time, by key. A waiter that leaves disturbs nobody; the call itself ends when
 * the last one has left.
 */
export class SharedCalls<T> {
  readonly #running = new Map<string, Flight<T>>();

  async run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const call = this.#running.get(key) ?? this.#begin(key, start);
    return call.join(signal);
  }

  /** Who comes later starts a call of their own: this one may have seen an older state. */
  close(key: string): void {
    this.#running.delete(key);
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const call: Flight<T> = new Flight(start, () => {
      if (this.#running.get(key) === call) this.#running.delete(key);
    });
    this.#running.set(key, call);
    return call;
  }
}
