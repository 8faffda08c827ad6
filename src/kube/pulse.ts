import { KubeError } from './errors.ts';

/**
 * A signal that aborts when the outer one does, when a connection outlives its time, or when it gives no sign of life for
 * longer than it is known to. TCP alone leaves a dead peer unnoticed for many minutes.
 */
export class Pulse implements Disposable {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort: () => void;
  readonly #lifetime: NodeJS.Timeout;
  #silence: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal, lifetimeMs: number) {
    outer.throwIfAborted();
    this.signal = this.#controller.signal;
    this.#outer = outer;
    this.#onAbort = () => this.#controller.abort(outer.reason);
    outer.addEventListener('abort', this.#onAbort, { once: true });
    this.#lifetime = setTimeout(() => this.#stop(), lifetimeMs);
  }

  /** From the first call on, a silence of `ms` is the end. */
  expectWithin(ms: number): void {
    this.#silence ??= setTimeout(() => this.#stop(), ms);
  }

  beat(): void {
    this.#silence?.refresh();
  }

  #stop(): void {
    this.#controller.abort(
      new KubeError('ApiTimeout', 'the connection of a watch gives no sign of life: opening another'),
    );
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#lifetime);
    clearTimeout(this.#silence);
    this.#outer.removeEventListener('abort', this.#onAbort);
  }
}
