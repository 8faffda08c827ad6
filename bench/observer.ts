import { Agent, request } from 'undici';
import { LineSplitter } from '../src/kube/lines.ts';
import type { KubeObject } from '../src/kube/object.ts';
import type { Cluster } from '../test/cluster.ts';
import { COLLECTIONS, KINDS } from './mixed-objects.ts';

const LINE_BYTES = 16 * 1024 * 1024;

export type Observed = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void;

/** A neutral watch of one collection with the admin's rights: what it sees is what happened, whoever did it. */
export class Observer implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #agent: Agent;

  private constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** Resolves when the server has accepted the watch; events from then on. `path` is a collection. */
  static async open(cluster: Cluster, path: string, observed: Observed): Promise<Observer> {
    const list = await cluster.request<{ metadata: { resourceVersion: string } }>('GET', `${path}?limit=1`);
    const observer = new Observer(new Agent({ connect: { ca: cluster.ca }, bodyTimeout: 0 }));
    const query = `?watch=true&resourceVersion=${list.body.metadata.resourceVersion}&timeoutSeconds=3600`;
    const { body } = await request(cluster.url + path + query, {
      dispatcher: observer.#agent,
      headers: { authorization: `Bearer ${cluster.tokens.admin}` },
      signal: observer.#stop.signal,
    });
    const lines = new LineSplitter((line) => {
      const event = JSON.parse(line) as { type: string; object: KubeObject };
      if (event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED')
        observed(event.type, event.object);
    }, LINE_BYTES);
    body.on('data', (chunk: Uint8Array) => lines.push(chunk)).on('error', () => {});
    return observer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#agent.destroy();
  }
}

/** Watches all mixed kinds of a namespace; `done` resolves with the moment (performance.now) at which the last of `count` was there. */
export async function arrival(
  cluster: Cluster,
  namespace: string,
  count: number,
): Promise<{ done: Promise<number> } & AsyncDisposable> {
  const seen = new Set<string>();
  const { promise, resolve } = Promise.withResolvers<number>();
  const observers = await Promise.all(
    KINDS.map((kind) =>
      Observer.open(cluster, COLLECTIONS[kind](namespace), (type, { metadata }) => {
        if (type !== 'ADDED' || !metadata.name.startsWith('bench-')) return;
        seen.add(`${kind}/${metadata.name}`);
        if (seen.size === count) resolve(performance.now());
      }),
    ),
  );
  return {
    done: promise,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(observers.map((observer) => observer[Symbol.asyncDispose]()));
    },
  };
}
