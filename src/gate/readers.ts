import type { Clock } from '../clock.ts';
import { KubeError } from '../kube/errors.ts';
import { inParallel } from '../concurrency/parallel.ts';

const WIDTH = 8;
/** Rights change seldom; who was given one is told of the Secret after this. */
const TRUSTED_MS = 300_000;

/** May the source be told whether there is this Secret, of a namespace that is not its own? */
export type MayReadSecret = (
  source: string,
  secret: { namespace: string; name: string },
  signal: AbortSignal,
) => Promise<boolean>;

/**
 * Which source may know of which Secret of another namespace, by `readerKey`: else findings would tell everybody who can
 * write a policy which Secrets exist anywhere.
 */
export class EdgeReaders {
  readonly #mayRead: MayReadSecret;
  readonly #clock: Clock;
  readonly #known = new Map<string, { may: boolean; reviewedAt: number }>();

  constructor(mayRead: MayReadSecret, clock: Clock) {
    this.#mayRead = mayRead;
    this.#clock = clock;
  }

  has(key: string): boolean {
    const known = this.#known.get(key);
    return known !== undefined && this.#clock.elapsed() - known.reviewedAt < TRUSTED_MS;
  }

  admitted(): ReadonlySet<string> {
    return new Set([...this.#known].filter(([, { may }]) => may).map(([key]) => key));
  }

  /** Asks the API server. Where it does not say, the answer is no for now. */
  async review(keys: readonly string[], signal: AbortSignal): Promise<void> {
    await inParallel(keys, WIDTH, async (key) => {
      const [source, place] = key.split(' ') as [string, string];
      const [namespace, name] = place.split('/') as [string, string];
      let may = false;
      try {
        may = await this.#mayRead(source, { namespace, name }, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof KubeError)) throw error;
      }
      this.#known.set(key, { may, reviewedAt: this.#clock.elapsed() });
    });
  }

  /** Forgets all but these: nobody asks for the others any more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
  }
}
