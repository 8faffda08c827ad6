import { abortable } from '../concurrency/abortable.ts';
import { limitExceeded } from './limits.ts';

/** Something on its way into the scratch folder: a pack or a note. */
export interface Arrival {
  /** The caller's, and aborted when this takes the room that all share; the reason says so. */
  readonly signal: AbortSignal;
  /** So many bytes more are about to be written. Rejects with the reason of the signal. */
  add(bytes: number): Promise<void>;
  /** No more comes of it; `isKept`: what came stays in the folder. */
  end(isKept: boolean): void;
}

interface Arriving {
  bytes: number;
  readonly abort: AbortController;
}

/**
 * The room in the scratch folder, which all repositories share: what is stored there and what is arriving. When it gets short, what
 * nobody uses goes first; then the largest of what is arriving is ended, for one repository must not take the room from the others.
 */
export class DiskRoom {
  readonly #bytes: number;
  readonly #tidy: (bytes: number) => Promise<number>;
  readonly #arriving = new Set<Arriving>();
  /** When somebody looked last, and what has come since. Nobody has: whoever comes first looks. */
  #stored = Infinity;
  /** What has come to stay since the look that is under way began: it may have seen it or not. */
  #landed = 0;
  /** For so many arriving bytes the last look made room. */
  #madeFor = 0;
  #looking: Promise<void> | undefined;

  /** `tidy` brings what is stored below so many bytes, as far as it is not in use, and tells how many there are. It never rejects. */
  constructor(bytes: number, tidy: (bytes: number) => Promise<number>) {
    this.#bytes = bytes;
    this.#tidy = tidy;
  }

  arrival(caller: AbortSignal): Arrival {
    const one: Arriving = { bytes: 0, abort: new AbortController() };
    const signal = AbortSignal.any([caller, one.abort.signal]);
    this.#arriving.add(one);
    return {
      signal,
      add: async (bytes) => {
        one.bytes += bytes;
        if (this.#excess > 0) await this.#makeRoom(signal);
        while (this.#excess > 0 && this.#arriving.size > 0) this.#endLargest();
        signal.throwIfAborted();
      },
      end: (isKept) => {
        if (!this.#arriving.delete(one) || !isKept) return;
        this.#stored += one.bytes;
        this.#landed += one.bytes;
      },
    };
  }

  /** Makes room, as far as that can be done without ending anything. Never rejects. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  /** Resolves when a look that was under way has ended. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    const coming = this.#coming;
    this.#landed = 0;
    const stored = await this.#tidy(this.#bytes - coming);
    this.#stored = stored + this.#landed;
    this.#madeFor = coming;
  }

  /** Until there is room, or a look that knew of all that is arriving has found no more. */
  async #makeRoom(signal: AbortSignal): Promise<void> {
    do {
      // A look that is under way does not know of the latest.
      await abortable(this.settled(), signal);
      await abortable(this.look(), signal);
    } while (this.#excess > 0 && this.#coming > this.#madeFor);
  }

  get #coming(): number {
    let sum = 0;
    for (const { bytes } of this.#arriving) sum += bytes;
    return sum;
  }

  get #excess(): number {
    return this.#stored + this.#coming - this.#bytes;
  }

  #endLargest(): void {
    const [largest] = [...this.#arriving].sort((a, b) => b.bytes - a.bytes) as [Arriving];
    this.#arriving.delete(largest);
    largest.abort.abort(noRoom(this.#bytes));
  }
}

/** What the repository is told that makes room for the others. */
export function noRoom(bytes: number): Error {
  return limitExceeded('diskBytes', `with this, all repositories together would take more than ${bytes} bytes of disk`);
}
