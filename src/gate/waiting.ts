import type { Clock } from '../clock.ts';
import type { Stopped } from './company.ts';

interface Waiting extends Stopped {
  /** The EdgePolicy of the gateway that it would hurt. */
  readonly policy: string | undefined;
  /** Of the world that it was judged in last. */
  version: number;
  readonly at: number;
}

/** Between two verdicts over what was stopped: where much changes, those that wait must not keep everybody waiting. */
const AGAIN_MS = 2_000;

/** The revisions that were stopped, by source, until they pass or nobody wants them any more. */
export class EdgeWaiting {
  readonly #clock: Clock;
  readonly #wake: (source: string, afterMs: number) => void;
  readonly #stopped = new Map<string, Waiting>();

  constructor(clock: Clock, wake: (source: string, afterMs: number) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  add(stopped: Stopped, policy: string | undefined, version: number): void {
    this.#stopped.set(stopped.candidate.source, { ...stopped, policy, version, at: this.#clock.elapsed() });
  }

  /** False: it did not wait. */
  delete(source: string): boolean {
    return this.#stopped.delete(source);
  }

  /** All but this source's. */
  others(source: string): readonly Stopped[] {
    return [...this.#stopped.values()].filter(({ candidate }) => candidate.source !== source);
  }

  /** The EdgePolicy for each that waits. */
  policies(): (string | undefined)[] {
    return [...this.#stopped.values()].map(({ policy }) => policy);
  }

  /** Wakes those that were stopped in another world than this. */
  tryAgain(version: number): void {
    for (const [source, waiting] of this.#stopped) {
      if (waiting.version === version) continue;
      waiting.version = version;
      this.#wake(source, Math.max(0, waiting.at + AGAIN_MS - this.#clock.elapsed()));
    }
  }
}
