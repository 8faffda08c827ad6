import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlreadyExists, isConflict, isNotFound, KubeError, leaseLost } from './errors.ts';
import type { KubeObject } from './object.ts';
import type { KubeApi } from './objects.ts';
import type { ApiResource } from './resource.ts';

const LEASES: ApiResource = {
  apiVersion: 'coordination.k8s.io/v1',
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  verbs: ['get', 'create', 'patch'],
  hasStatus: false,
};

const RELEASE_ATTEMPTS = 3;

export interface LeaseOptions {
  namespace: string;
  name: string;
  /** Who we are. The pod's uid: a restarted container is the same holder and goes on at once. */
  identity: string;
  /** Others take over when the lease was not renewed for this long. */
  durationMs?: number;
  /** We stop leading when we could not renew for this long; shorter than the duration, so that two never lead. */
  renewDeadlineMs?: number;
  /** Between two attempts, jittered. */
  retryMs?: number;
  /** Told when the holder changes, and why an attempt failed. */
  onHolder?: (identity: string) => void;
  onError?: (error: unknown) => void;
  /** Monotonic milliseconds: the only clock that decides. The wall clock is only written down. */
  clock?: () => number;
  now?: () => Date;
  random?: () => number;
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  renewTime?: string;
  leaseTransitions?: number;
}

/** What we saw of the lease, and when by our own clock: other machines' clocks are not compared with ours. */
interface Sighting {
  resourceVersion: string;
  spec: LeaseSpec;
  seenAt: number;
}

/**
 * One leader among the replicas, by a Lease object (the protocol of client-go's leaderelection). Every write is guarded by
 * the resourceVersion that was read, so the API server decides who was first.
 */
export class LeaderElection {
  readonly #api: KubeApi;
  readonly #options: Required<LeaseOptions>;
  #seen: Sighting | undefined;
  #problem: unknown = new KubeError('ApiUnreachable', 'the lease has not been read yet');
  /** When the request was sent that renewed last. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(api: KubeApi, options: LeaseOptions) {
    this.#api = api;
    this.#options = {
      durationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryMs: 2_000,
      onHolder: () => {},
      onError: () => {},
      clock: () => performance.now(),
      now: () => new Date(),
      random: Math.random,
      ...options,
    };
  }

  /**
   * The lease is surely ours at this moment. Ask right before a write: the timer that ends the lead is late when the process
   * was stopped or the event loop stalled.
   */
  get leading(): boolean {
    return this.#remainingMs > 0;
  }

  /** Why the last attempt told nothing of the lease; undefined when it did: who does not lead can take over. */
  get problem(): unknown {
    return this.#problem;
  }

  /**
   * Waits until we lead, then calls `lead` with a signal that aborts when the lease is lost or `signal` aborts; not when
   * `signal` has aborted by then. The lease is kept until `lead` has settled, then given back, so that a successor starts at
   * once. Resolves with `lost` when the lease was lost (start again, or exit) and with `done` otherwise; rejects with what
   * `lead` threw while it led.
   */
  async run(signal: AbortSignal, lead: (leading: AbortSignal) => Promise<void>): Promise<'done' | 'lost'> {
    while (!(await this.#attempt(signal))) {
      await this.#pause(signal);
      if (signal.aborted) return 'done';
    }
    // The answer that made us the holder came when we had been told to stop: nobody who is called now would hear of it.
    if (signal.aborted) {
      await this.#release();
      return 'done';
    }
    const leading = new AbortController();
    const finished = new AbortController();
    let lost = false;
    const end = () => leading.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    const kept = this.#keep(finished.signal, () => {
      lost = true;
      finished.abort();
      leading.abort(leaseLost());
    });
    try {
      await lead(leading.signal);
    } catch (error) {
      if (!leading.signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      finished.abort();
      await kept;
      if (!lost) await this.#release();
    }
    return lost ? 'lost' : 'done';
  }

  /** Renews until `stop`, or until the deadline for renewal has passed or somebody else holds the lease. */
  async #keep(stop: AbortSignal, onLost: () => void): Promise<void> {
    const lose = () => {
      this.#renewedAt = Number.NEGATIVE_INFINITY;
      onLost();
    };
    let deadline = setTimeout(lose, this.#remainingMs);
    while (!stop.aborted) {
      await this.#pause(stop);
      if (stop.aborted) break;
      const renewed = await this.#attempt(stop);
      if (stop.aborted) break;
      if (renewed) {
        clearTimeout(deadline);
        deadline = setTimeout(lose, this.#remainingMs);
      } else if (this.#seen && this.#seen.spec.holderIdentity !== this.#options.identity) {
        lose();
      }
    }
    clearTimeout(deadline);
  }

  /** One try to get or to renew the lease. An error is told and means: not this time. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { clock, identity } = this.#options;
    try {
      // Our own last write is what stands there, as long as the guard does not say otherwise.
      if (this.#seen?.spec.holderIdentity !== identity) await this.#look(signal);
      this.#problem = undefined;
      if (this.#seen && !this.#mayTake(this.#seen)) return false;
      const sentAt = clock();
      await this.#write(signal);
      this.#renewedAt = sentAt;
      return true;
    } catch (error) {
      // Somebody was faster, or the lease is gone: what we saw is old.
      if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) this.#seen = undefined;
      else this.#problem = error;
      if (!signal.aborted) this.#options.onError(error);
      return false;
    }
  }

  #mayTake({ spec, seenAt }: Sighting): boolean {
    const { holderIdentity, leaseDurationSeconds = 0 } = spec;
    if (!holderIdentity || holderIdentity === this.#options.identity) return true;
    return this.#options.clock() - seenAt >= leaseDurationSeconds * 1000;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    try {
      this.#note(await this.#api.get(LEASES, namespace, name, { signal, timeoutMs: this.#requestMs, urgent: true }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#seen = undefined;
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { namespace, name, identity, durationMs, now } = this.#options;
    const before = this.#seen;
    const time = microTime(now());
    const same = before?.spec.holderIdentity === identity;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      renewTime: time,
      ...(same ? {} : { acquireTime: time, leaseTransitions: before ? (before.spec.leaseTransitions ?? 0) + 1 : 0 }),
    };
    const options = { signal, timeoutMs: this.#requestMs, urgent: true, retry: false };
    const written = before
      ? await this.#api.mergePatch(LEASES, namespace, name, { metadata: guard(before), spec }, options)
      : await this.#api.create(
          LEASES,
          namespace,
          { apiVersion: LEASES.apiVersion, kind: LEASES.kind, metadata: { name }, spec },
          options,
        );
    this.#note(written.object);
  }

  /** Without this a successor would have to wait for the lease to run out. */
  async #release(): Promise<void> {
    const { namespace, name, identity, now } = this.#options;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    const { signal } = new AbortController();
    const options = { signal, timeoutMs: this.#requestMs, urgent: true, retry: false };
    for (let attempt = 1; ; attempt += 1) {
      try {
        // A renewal that we stopped waiting for may have been written after all, even now.
        await this.#look(signal);
        if (this.#seen?.spec.holderIdentity !== identity) return;
        const spec = { holderIdentity: null, leaseDurationSeconds: 1, renewTime: microTime(now()) };
        const patch = { metadata: guard(this.#seen), spec };
        this.#note((await this.#api.mergePatch(LEASES, namespace, name, patch, options)).object);
        return;
      } catch (error) {
        if (isConflict(error) && attempt < RELEASE_ATTEMPTS) continue;
        this.#options.onError(error);
        return;
      }
    }
  }

  #note(lease: KubeObject): void {
    const spec = (lease['spec'] ?? {}) as LeaseSpec;
    const resourceVersion = lease.metadata.resourceVersion ?? '';
    const holder = spec.holderIdentity ?? '';
    if (holder !== (this.#seen?.spec.holderIdentity ?? '')) this.#options.onHolder(holder);
    if (this.#seen?.resourceVersion === resourceVersion) return;
    this.#seen = { resourceVersion, spec, seenAt: this.#options.clock() };
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const ms = this.#options.retryMs * (0.8 + 0.4 * this.#options.random());
    await delay(ms, undefined, { signal }).catch(() => {});
  }

  get #remainingMs(): number {
    return this.#options.renewDeadlineMs - (this.#options.clock() - this.#renewedAt);
  }

  /** Two attempts fit into the time for renewal. */
  get #requestMs(): number {
    return this.#options.renewDeadlineMs / 2;
  }
}

function guard({ resourceVersion }: Sighting) {
  return { resourceVersion };
}

/** meta/v1 MicroTime: exactly six digits, or the API server answers 400. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
