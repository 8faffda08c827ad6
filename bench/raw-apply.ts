import { Pool } from 'undici';
import type { Cluster } from '../test/cluster.ts';
import type { BenchObject } from './mixed-objects.ts';

/** The limit of an apply: the least that any tool must send, over as many connections. */
export const CONNECTIONS = 8;

/** A bare client that applies objects and does nothing else: no plan, no reading, no report. */
export class RawApply implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #headers: Record<string, string>;

  constructor(cluster: Pick<Cluster, 'url' | 'ca'>, token: string, connections = CONNECTIONS) {
    this.#pool = new Pool(cluster.url, { connections, connect: { ca: cluster.ca } });
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/apply-patch+yaml' };
  }

  /** Resolves when the last one is answered. */
  async all(namespace: string, objects: readonly BenchObject[], width = CONNECTIONS): Promise<void> {
    const queue = objects[Symbol.iterator]();
    const worker = async () => {
      for (let next = queue.next(); !next.done; next = queue.next()) await this.one(namespace, next.value);
    };
    await Promise.all(Array.from({ length: width }, worker));
  }

  async one(namespace: string, { name, body, collection }: BenchObject): Promise<void> {
    const path = `${collection(namespace)}/${name}?fieldManager=raw&force=true&fieldValidation=Strict`;
    await this.#send('PATCH', path, body);
  }

  async delete(namespace: string, { name, collection }: BenchObject): Promise<void> {
    await this.#send('DELETE', `${collection(namespace)}/${name}`);
  }

  async #send(method: 'PATCH' | 'DELETE', path: string, body: string | null = null): Promise<void> {
    const answer = await this.#pool.request({ method, path, headers: this.#headers, body });
    const text = await answer.body.text();
    if (answer.statusCode > 201) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }
}
