import { inParallel } from '../src/concurrency/parallel.ts';
import { until } from '../test/until.ts';
import type { Bed } from './bed.ts';
import type { BenchObject } from './mixed-objects.ts';
import { CONNECTIONS } from './raw-apply.ts';
import type { Work } from './turn.ts';

/** Of one request that deletes thousands of objects. */
const PATIENCE_MS = 600_000;

/** What controllers make of a bench's Deployments and Services, and take away some time after them. */
const madeOfThem = (namespace: string): string[] => [
  `/apis/apps/v1/namespaces/${namespace}/replicasets?limit=1`,
  `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?limit=1`,
];

/**
 * A namespace for one turn. Its objects go away with it, or the store would grow from round to round, and each operator would
 * read the managed objects of those before it.
 */
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
    // Their work on it is none of the next turn's.
    await until(() => this.#isEmpty(), {
      what: 'nothing is left of the turn',
      timeoutMs: PATIENCE_MS,
      intervalMs: 500,
    });
  }

  async #isEmpty(): Promise<boolean> {
    const { request } = this.#bed.cluster;
    const lists = madeOfThem(this.namespace).map((path) => request<{ items: unknown[] }>('GET', path));
    return (await Promise.all(lists)).every(({ body }) => body.items.length === 0);
  }
}
