import { inParallel } from '../src/concurrency/parallel.ts';
import type { Bed } from './bed.ts';
import type { BenchObject } from './mixed-objects.ts';
import { CONNECTIONS } from './raw-apply.ts';
import type { Work } from './turn.ts';

/** Of one request that deletes thousands of objects. */
const PATIENCE_MS = 600_000;

/** A namespace for one turn. Its objects go away with it, or the store would grow from round to round. */
export class Room implements AsyncDisposable {
  readonly namespace: string;
  readonly #bed: Bed;
  readonly #objects: readonly BenchObject[];
  readonly #collections: readonly string[];

  private constructor(bed: Bed, namespace: string, objects: readonly BenchObject[]) {
    [this.#bed, this.namespace, this.#objects] = [bed, namespace, objects];
    this.#collections = [...new Set(objects.map(({ collection }) => collection(namespace)))];
  }

  static async create(bed: Bed, objects: readonly BenchObject[]): Promise<Room> {
    return new Room(bed, await bed.namespace(), objects);
  }

  /** Done when all objects are there. */
  work(run: Work['run']): Work {
    return { collections: this.#collections, count: this.#objects.length, run };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { cluster } = this.#bed;
    await inParallel(this.#collections, CONNECTIONS, async (collection) => {
      const answer = await cluster.request('DELETE', collection, { signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.status !== 200) throw new Error(`DELETE ${collection}: ${answer.status}`);
    });
  }
}
