import { performance } from 'node:perf_hooks';
import { readCatalogue } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import { Flight } from '../concurrency/flight.ts';
import type { ApiResource } from './resource.ts';
import type { Transport } from './transport.ts';

export interface DiscoveryOptions {
  /** A question about an unknown kind asks the server again no more often than this. */
  minRefreshMs?: number;
  /** Monotonic milliseconds. */
  clock?: () => number;
}

const MIN_REFRESH_MS = 3_000;

/**
 * Which kinds the API server serves, and under which names. One aggregated document in two requests; read when first asked,
 * when a kind is unknown, and by refresh().
 */
export class Discovery {
  readonly #flight: Flight<Catalogue>;
  readonly #minRefreshMs: number;
  readonly #clock: () => number;
  readonly #listeners = new Set<() => void>();
  #catalogue: Catalogue | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    transport: Transport,
    { minRefreshMs = MIN_REFRESH_MS, clock = () => performance.now() }: DiscoveryOptions = {},
  ) {
    this.#minRefreshMs = minRefreshMs;
    this.#clock = clock;
    this.#flight = new Flight(async (signal) => {
      this.#askedAt = this.#clock();
      const catalogue = await readCatalogue(transport, signal);
      const changed = this.#catalogue?.fingerprint !== catalogue.fingerprint;
      this.#catalogue = catalogue;
      if (changed) for (const listener of this.#listeners) listener();
      return catalogue;
    });
  }

  /** Undefined: the server does not serve this kind in this version, as of the last few seconds. */
  async resource(apiVersion: string, kind: string, signal: AbortSignal): Promise<ApiResource | undefined> {
    return this.cached(apiVersion, kind) ?? (await this.#ask(signal)).resources.get(key(apiVersion, kind));
  }

  /** The kind in the version that the server prefers. */
  async preferred(group: string, kind: string, signal: AbortSignal): Promise<ApiResource | undefined> {
    return this.cachedPreferred(group, kind) ?? find(await this.#ask(signal), group, kind);
  }

  /** What is known now, without asking. */
  cached(apiVersion: string, kind: string): ApiResource | undefined {
    return this.#catalogue?.resources.get(key(apiVersion, kind));
  }

  cachedPreferred(group: string, kind: string): ApiResource | undefined {
    return this.#catalogue && find(this.#catalogue, group, kind);
  }

  /** Each kind once, in the version that the server prefers; as of the last refresh. */
  preferredKinds(): ApiResource[] {
    const kinds = new Map<string, ApiResource>();
    for (const { group, kind } of this.#catalogue?.resources.values() ?? []) {
      const resource = this.cachedPreferred(group, kind);
      if (resource) kinds.set(`${group}/${kind}`, resource);
    }
    return [...kinds.values()];
  }

  /** The apiVersions of a group; as of the last refresh. */
  servedVersions(group: string): readonly string[] {
    return this.#catalogue?.versions.get(group) ?? [];
  }

  /** The version of a group that the server prefers, also while the API behind it is silent. */
  preferredVersion(group: string): string | undefined {
    return this.#catalogue?.versions.get(group)?.[0];
  }

  /**
   * As of the last refresh. `unknown`: the API behind the group did not answer (an aggregated API is down), so that its
   * silence proves nothing; or nothing has been read yet.
   */
  presence(group: string, kind: string): 'present' | 'absent' | 'unknown' {
    if (this.cachedPreferred(group, kind)) return 'present';
    return !this.#catalogue || this.#catalogue.silentGroups.has(group) ? 'unknown' : 'absent';
  }

  /** Asks the server anew. Throws, and keeps what was known, when it does not answer. */
  async refresh(signal: AbortSignal): Promise<void> {
    // A read that is under way may have begun before whatever made the caller ask.
    await this.#flight.joinNext(signal);
  }

  /** What is remembered may be old: asks the server anew, unless that was done a moment ago. Throws as `refresh` does. */
  async doubt(signal: AbortSignal): Promise<void> {
    await this.#ask(signal);
  }

  /** Called after a refresh that found other kinds than before; must not throw. Returns the way to stop it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #ask(signal: AbortSignal): Promise<Catalogue> {
    if (this.#catalogue && this.#clock() - this.#askedAt < this.#minRefreshMs) return this.#catalogue;
    return this.#flight.join(signal);
  }
}

function find({ resources, versions }: Catalogue, group: string, kind: string): ApiResource | undefined {
  for (const apiVersion of versions.get(group) ?? []) {
    const resource = resources.get(key(apiVersion, kind));
    if (resource) return resource;
  }
  return undefined;
}

function key(apiVersion: string, kind: string): string {
  return `${apiVersion}/${kind}`;
}
