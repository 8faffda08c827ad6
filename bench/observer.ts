import { Agent, request } from 'undici';
import type { GitOpsSource } from '../src/api/source.ts';
import { LineSplitter } from '../src/kube/lines.ts';
import type { KubeObject } from '../src/kube/object.ts';
import type { Cluster } from '../test/cluster.ts';
import { markOf } from './mixed-objects.ts';

const LINE_BYTES = 16 * 1024 * 1024;

export type Observed = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void;

/**
 * A neutral watch of one collection with the admin's rights: what it sees is what happened, whoever did it. A server that
 * ends it, as it does to a watch that reads too slowly, is asked for what came since.
 */
export class Observer implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #agent: Agent;
  readonly #cluster: Cluster;
  readonly #path: string;
  readonly #observed: Observed;
  /** Events after this one are still to come. */
  #version: string;

  private constructor(cluster: Cluster, path: string, version: string, observed: Observed) {
    [this.#cluster, this.#path, this.#version, this.#observed] = [cluster, path, version, observed];
    this.#agent = new Agent({ connect: { ca: cluster.ca }, bodyTimeout: 0 });
  }

  /** Resolves when the server has accepted the watch; events from then on. `path` is a collection. */
  static async open(cluster: Cluster, path: string, observed: Observed): Promise<Observer> {
    const list = await cluster.request<{ metadata: { resourceVersion: string } }>('GET', `${path}?limit=1`);
    const observer = new Observer(cluster, path, list.body.metadata.resourceVersion, observed);
    await observer.#watch();
    return observer;
  }

  async #watch(): Promise<void> {
    const query = `?watch=true&resourceVersion=${this.#version}&timeoutSeconds=3600`;
    const { body, statusCode } = await request(this.#cluster.url + this.#path + query, {
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#cluster.tokens.admin}` },
      signal: this.#stop.signal,
    });
    if (statusCode !== 200) throw new Error(`watch of ${this.#path}: ${statusCode}`);
    const lines = new LineSplitter((line) => this.#take(JSON.parse(line) as WatchLine), LINE_BYTES);
    body.on('data', (chunk: Uint8Array) => lines.push(chunk)).on('error', () => {});
    // What goes wrong here ends the bench: a figure would be waited for in vain.
    body.on('close', () => void this.#again());
  }

  async #again(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    await this.#watch().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  #take({ type, object }: WatchLine): void {
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')
      throw new Error(`watch of ${this.#path}: ${type} ${JSON.stringify(object)}`);
    this.#version = object.metadata.resourceVersion ?? this.#version;
    this.#observed(type, object);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#agent.destroy();
  }
}

interface WatchLine {
  type: string;
  object: KubeObject;
}

/** Whether this event is one of those that are waited for. */
export type Awaited = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => boolean;

/** Objects of a bench that appear. */
export const appearing: Awaited = (type, { metadata }) => type === 'ADDED' && metadata.name.startsWith('bench-');

export const disappearing: Awaited = (type, { metadata }) => type === 'DELETED' && metadata.name.startsWith('bench-');

/** ConfigMaps that get this mark. */
export function marked(mark: string): Awaited {
  return (_type, object) => markOf(object) === mark;
}

/** Sources that are Ready at this commit. */
export function readyAt(commit: string): Awaited {
  return (type, object) =>
    becomingReady(type, object) && (object as GitOpsSource).status?.lastAppliedRevision?.endsWith(commit) === true;
}

/** Sources that get Ready. */
export const becomingReady: Awaited = (_type, object) => {
  const { conditions } = (object as GitOpsSource).status ?? {};
  return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
};

export interface Sightings extends AsyncDisposable {
  /** Resolves with the moment (performance.now) at which the last one was seen. */
  done: Promise<number>;
}

/**
 * Watches collections until `count` different objects have had their awaited event. Resolves when all are watched.
 */
export async function sightings(
  cluster: Cluster,
  collections: readonly string[],
  count: number,
  awaited: Awaited = appearing,
): Promise<Sightings> {
  const seen = new Set<string>();
  const { promise, resolve } = Promise.withResolvers<number>();
  const observers = await Promise.all(
    collections.map((collection) =>
      Observer.open(cluster, collection, (type, object) => {
        if (!awaited(type, object)) return;
        seen.add(`${collection}/${object.metadata.name}`);
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
