import type { Clock } from '../clock.ts';
import type { SecretShape } from '../edge/input.ts';
import { foundIn, shapeOfSecret } from '../edge/secrets.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/objects.ts';
import { inParallel } from '../concurrency/parallel.ts';

const WIDTH = 8;

interface Known {
  /** undefined: there is none. */
  shape: SecretShape | undefined;
  readAt: number;
}

/** The Secrets that policies name, each read by its name and reduced at once to its type and its keys. Nothing is watched. */
export class EdgeSecrets {
  readonly #api: KubeApi;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(api: KubeApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  /** Everything that is known, by `namespace/name`; what does not fit counts as absent. */
  shapes(fits: (secret: { name: string; namespace: string }) => boolean): ReadonlyMap<string, SecretShape | undefined> {
    return new Map([...this.#known].map(([key, { shape }]) => [key, shape && fits(shape) ? shape : undefined]));
  }

  /** Reads these. What cannot be read now counts as absent, and is asked for again before anybody is stopped by it. */
  async read(keys: Iterable<string>, signal: AbortSignal): Promise<void> {
    const resource = await this.#api.discovery.resource('v1', 'Secret', signal);
    await inParallel([...keys], WIDTH, async (key) => {
      const [namespace, name] = key.split('/') as [string, string];
      let shape: SecretShape | undefined;
      try {
        if (resource) shape = shapeOfSecret(await this.#api.get(resource, namespace, name, { signal }));
      } catch (error) {
        signal.throwIfAborted();
        // A policy can name anything, also what cannot be a name.
        if (!(error instanceof KubeError)) throw error;
      }
      this.#known.set(key, { shape, readAt: this.#clock.elapsed() });
    });
  }

  /**
   * Forgets what was read longer ago: `lackingMs` for a Secret that was not there or had no certificate and key, `completeMs`
   * for any other. False when there was nothing of the sort.
   */
  doubt(keys: Iterable<string>, { lackingMs, completeMs }: { lackingMs: number; completeMs: number }): boolean {
    const now = this.#clock.elapsed();
    let forgot = false;
    for (const key of keys) {
      const known = this.#known.get(key);
      if (!known || now - known.readAt < (isComplete(known.shape) ? completeMs : lackingMs)) continue;
      this.#known.delete(key);
      forgot = true;
    }
    return forgot;
  }

  /** Is there one among those that are known which Emissary could not load, so that somebody waits for it? */
  get lacksAny(): boolean {
    return this.#lacking().length > 0;
  }

  /** Reads these again. True: one of them is another now. */
  async seek(signal: AbortSignal): Promise<boolean> {
    const lacking = this.#lacking();
    await this.read(
      lacking.map(([key]) => key),
      signal,
    );
    return lacking.some(([key, { shape }]) => !isSame(shape, this.#known.get(key)?.shape));
  }

  #lacking(): [string, Known][] {
    return [...this.#known].filter(([, { shape }]) => shape === undefined || foundIn(shape) === undefined);
  }

  /** Forgets all but these: nobody names the others any more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
  }
}

function isComplete(shape: SecretShape | undefined): boolean {
  return shape !== undefined && shape.keys.has('tls.crt') && shape.keys.has('tls.key');
}

function isSame(a: SecretShape | undefined, b: SecretShape | undefined): boolean {
  if (!a || !b) return a === b;
  return a.type === b.type && a.keys.symmetricDifference(b.keys).size === 0;
}
