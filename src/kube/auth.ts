import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { KubeError } from './errors.ts';
import { Flight } from '../concurrency/flight.ts';

/** What the TLS handshake needs. PEM. Without `ca` the system's roots decide. */
export interface TlsMaterial {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  rejectUnauthorized?: boolean;
}

/** What proves who we are: request headers (Authorization) and the client certificate in `tls`. Never logged. */
export interface Credentials {
  headers: Record<string, string>;
  tls: TlsMaterial;
}

/** Where a cluster is and how to get in. */
export interface ClusterConfig {
  /** URL of the API server; may have a path. */
  server: string;
  /** http(s) proxy in between. */
  proxy?: string;
  /** The namespace that the configuration names: in a cluster, the pod's own. */
  namespace?: string;
  /**
   * Credentials that are at most a minute old. `rejected` are the ones that the server has just refused: they are not given
   * again unless nothing newer exists. Concurrent callers share one login. Throws KubeError CredentialsUnavailable.
   */
  credentials(signal: AbortSignal, rejected?: Credentials): Promise<Credentials>;
}

export interface InClusterOptions {
  /** Where the service account is mounted. */
  directory?: string;
  environment?: Record<string, string | undefined>;
  /** Monotonic milliseconds. */
  clock?: () => number;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet renews a bound token at 80 % of its life, so a minute is early enough (client-go does the same). */
const MAX_AGE_MS = 60_000;
/** A login command may open a browser or cost seconds: a refused token starts it again no more often than this. */
const MIN_LOGIN_INTERVAL_MS = 10_000;

/** A cluster that is fixed: for tests and for `kubectl proxy`. */
export function fixedConfig(server: string, credentials: Partial<Credentials> = {}): ClusterConfig {
  const fixed: Credentials = { headers: credentials.headers ?? {}, tls: credentials.tls ?? {} };
  return { server, credentials: async () => fixed };
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/**
 * The cluster that this pod runs in, from the service account's files and KUBERNETES_SERVICE_HOST and _PORT. Token and CA are
 * read again when older than a minute, and at once after the server refused them.
 */
export async function inClusterConfig(options: InClusterOptions = {}): Promise<ClusterConfig> {
  const { directory = SERVICE_ACCOUNT, environment = process.env, clock } = options;
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) {
    throw new KubeError(
      'ClusterConfigMissing',
      'not running inside a Kubernetes cluster (KUBERNETES_SERVICE_HOST is not set): name a kubeconfig with --kubeconfig',
    );
  }
  const read = async (name: string, signal?: AbortSignal) => {
    try {
      return (await readFile(join(directory, name), { encoding: 'utf8', ...(signal ? { signal } : {}) })).trim();
    } catch (cause) {
      signal?.throwIfAborted();
      throw new KubeError(
        'CredentialsUnavailable',
        `cannot read ${join(directory, name)} of the service account: is automountServiceAccountToken off?`,
        { cause },
      );
    }
  };
  const cache = new CredentialCache(
    async (signal) => {
      const [token, ca] = await Promise.all([read('token', signal), read('ca.crt', signal)]);
      return { headers: bearer(token), tls: { ca } };
    },
    { minIntervalMs: 0, ...(clock ? { clock } : {}) },
  );
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: await read('namespace').catch(() => 'default'),
    credentials: (signal, rejected) => cache.get(signal, rejected),
  };
}

/** Credentials that are loaded at most once at a time and kept for MAX_AGE_MS. */
export class CredentialCache {
  readonly #flight: Flight<Credentials>;
  readonly #minIntervalMs: number;
  readonly #clock: () => number;
  #cached: { credentials: Credentials; at: number } | undefined;
  #refused = false;

  /** `load` is told whether the server refused the last ones: then what it keeps itself is worthless too. */
  constructor(
    load: (signal: AbortSignal, refused: boolean) => Promise<Credentials>,
    { minIntervalMs = MIN_LOGIN_INTERVAL_MS, clock = () => performance.now() } = {},
  ) {
    this.#minIntervalMs = minIntervalMs;
    this.#clock = clock;
    this.#flight = new Flight(async (signal) => {
      const refused = this.#refused;
      this.#refused = false;
      const credentials = await load(signal, refused);
      this.#cached = { credentials, at: this.#clock() };
      return credentials;
    });
  }

  async get(signal: AbortSignal, rejected?: Credentials): Promise<Credentials> {
    const cached = this.#cached;
    if (cached) {
      const ageMs = this.#clock() - cached.at;
      const refused = cached.credentials === rejected && ageMs >= this.#minIntervalMs;
      if (ageMs < MAX_AGE_MS && !refused) return cached.credentials;
      this.#refused ||= refused;
    }
    return this.#flight.join(signal);
  }
}
