import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { answerOf, failure, readCapped } from './answer.ts';
import type { Answer } from './answer.ts';
import type { ClusterConfig, Credentials } from './auth.ts';
import { destroy, openConnections, REQUEST_CONNECTIONS, retire } from './connections.ts';
import type { Connections } from './connections.ts';
import { Deadline } from './deadline.ts';
import { isUnauthorized, KubeError, leaseLost } from './errors.ts';
import { abortable } from '../concurrency/abortable.ts';
import { beforeSending } from './before-sending.ts';
import { impersonationHeaders } from './impersonation.ts';
import type { Impersonation } from './impersonation.ts';
import { AdaptiveLimiter } from './limiter.ts';
import { asKubeError, isUntrusted } from './network.ts';
import { retryDelayMs } from './retry.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Record<string, string | number | boolean | undefined>;

/** Told once for every request that goes to the server, retries included. `status` is 0 when no answer came. */
export type RequestObserver = (request: { verb: string; resource?: string; status: number; ms: number }) => void;

interface CallOptions {
  signal: AbortSignal;
  query?: Query;
  accept?: string;
  impersonate?: Impersonation | undefined;
  /** Names for the observer: `apply`, `deployments`. */
  verb?: string;
  resource?: string;
}

export interface RequestOptions extends CallOptions {
  /** JSON, sent as it is. */
  body?: string | Uint8Array | undefined;
  contentType?: string;
  /** For the whole call: waiting for a turn, retries, reading the body. */
  timeoutMs?: number;
  /**
   * True: executing it twice does no harm, send it again after a broken connection, 502, 503 and 504 too. Unset: so for GET;
   * others only when nothing can have happened (429, connection refused). False: never, the caller has its own loop.
   */
  retry?: boolean;
  /** Does not wait for a turn among the others, and is sent whatever `mayWrite` says: for the lease. */
  urgent?: boolean;
}

export interface StreamOptions extends CallOptions {
  /** The server answered 200. */
  onOpen?: () => void;
  /** Called in the tick in which the bytes arrive. A KubeError that it throws ends the stream and rejects it. */
  onChunk: (chunk: Uint8Array) => void;
}

export interface TransportOptions {
  observer?: RequestObserver;
  limiter?: AdaptiveLimiter;
  /**
   * Asked right before the first byte of anything but a read or an urgent request is sent; false: it is not, and rejects with LeaseLost.
   * Whatever waits may have waited for longer than anybody thinks: the process may have been stopped meanwhile.
   */
  mayWrite?: () => boolean;
  random?: () => number;
  /** Cap on one answer in memory. */
  maxResponseBytes?: number;
  userAgent?: string;
}

const TIMEOUT_MS = 30_000;
const WRITE_GRACE_MS = 500;
/** In flight at once; more would only open further connections. */
const READS = { min: 16, start: 16, max: 16 };
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/**
 * HTTP to one API server: shared connections, credentials, deadlines, retries, and as many writes in flight as the server
 * takes well. Knows nothing of objects. Everything that is not a 2xx answer is thrown as a KubeError; a caller that gives up
 * gets its signal's reason.
 */
export class Transport implements AsyncDisposable {
  /** Of writes. */
  readonly limiter: AdaptiveLimiter;
  readonly #reads = new AdaptiveLimiter(READS);
  readonly #config: ClusterConfig;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #observer: RequestObserver;
  readonly #ifMayWrite: Dispatcher.DispatcherComposeInterceptor;
  readonly #random: () => number;
  readonly #maxResponseBytes: number;
  readonly #userAgent: string;
  /** Requests under way, not those that wait for a turn. */
  #inFlight = 0;
  #open: { connections: Connections; credentials: Credentials; tls: string } | undefined;

  constructor(config: ClusterConfig, options: TransportOptions = {}) {
    const url = parseServer(config.server);
    this.#config = config;
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#observer = options.observer ?? (() => {});
    const mayWrite = options.mayWrite ?? (() => true);
    this.#ifMayWrite = beforeSending(() => {
      if (!mayWrite()) throw leaseLost();
    });
    this.#random = options.random ?? Math.random;
    this.#maxResponseBytes = options.maxResponseBytes ?? MAX_RESPONSE_BYTES;
    this.#userAgent = options.userAgent ?? 'plumbline';
    this.limiter = options.limiter ?? new AdaptiveLimiter();
  }

  /** `path` is already encoded (see resource.ts). */
  async request(method: Method, path: string, options: RequestOptions): Promise<Answer> {
    using deadline = new Deadline(options.timeoutMs ?? TIMEOUT_MS, options.signal);
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#withCredentials(deadline, (credentials) =>
          this.#exchange(method, path, options, credentials, deadline),
        );
      } catch (cause) {
        options.signal.throwIfAborted();
        const error = asKubeError(cause, `${method} ${path}`, deadline.expired);
        const waitMs = retryDelayMs(error, {
          attempt,
          retry: options.retry ?? (method === 'GET' || undefined),
          remainingMs: deadline.remainingMs,
          random: this.#random(),
        });
        if (waitMs === undefined) throw error;
        await delay(waitMs, undefined, { signal: deadline.signal }).catch(() => options.signal.throwIfAborted());
      }
    }
  }

  /**
   * Opens an endless answer (a watch) on a connection of its own and hands on its bytes. Resolves when the server ends it,
   * rejects with a KubeError or the signal's reason. Only the time until the headers is bounded here; no retries.
   */
  async stream(path: string, options: StreamOptions): Promise<void> {
    using deadline = new Deadline(TIMEOUT_MS, options.signal);
    const what = `GET ${path}`;
    try {
      const body = await this.#withCredentials(deadline, async (credentials) => {
        const startedAt = performance.now();
        let status = 0;
        try {
          const response = await this.#send('watches', 'GET', path, options, credentials, deadline);
          status = response.statusCode;
          if (status !== 200) throw failure(response, await readCapped(response.body), what);
          return response.body;
        } finally {
          this.#observer(observation(options, 'watch', status, startedAt));
        }
      });
      deadline.lift();
      options.onOpen?.();
      await drain(body, options.onChunk);
    } catch (cause) {
      options.signal.throwIfAborted();
      throw asKubeError(cause, what, deadline.expired);
    }
  }

  /** Breaks the open connections: what still runs is rejected. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open) await destroy(open.connections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Tokens and CAs are rotated: what the server refuses, or we cannot trust, is read again once. */
  async #withCredentials<T>({ signal }: Deadline, send: (credentials: Credentials) => Promise<T>): Promise<T> {
    const credentials = await this.#config.credentials(signal);
    try {
      return await send(credentials);
    } catch (error) {
      if (!isUnauthorized(error) && !isUntrusted(error)) throw error;
      const renewed = await this.#config.credentials(signal, credentials);
      if (renewed === credentials) throw error;
      return send(renewed);
    }
  }

  /** One request and its whole answer. */
  async #exchange(
    method: Method,
    path: string,
    options: RequestOptions,
    credentials: Credentials,
    deadline: Deadline,
  ): Promise<Answer> {
    const limiter = method === 'GET' ? this.#reads : this.limiter;
    const owner = options.impersonate?.username;
    const slot = options.urgent ? undefined : await limiter.acquire(deadline.signal, owner);
    const startedAt = performance.now();
    let status = 0;
    // One that hangs keeps its connection; nobody else waits for it.
    const pool = this.#inFlight < REQUEST_CONNECTIONS ? 'requests' : 'further';
    this.#inFlight += 1;
    try {
      options.signal.throwIfAborted();
      // The server carries out what it has received: who gives up after this should still hear what became of it.
      if (method !== 'GET') deadline.outlive(WRITE_GRACE_MS);
      const response = await this.#send(pool, method, path, options, credentials, deadline);
      const text = await response.body.text();
      status = response.statusCode;
      return answerOf(response, text, `${method} ${path}`);
    } catch (cause) {
      throw asKubeError(cause, `${method} ${path}`, deadline.expired);
    } finally {
      this.#inFlight -= 1;
      slot?.done(status === 429 ? 'throttled' : status === 0 ? 'failed' : 'answered');
      this.#observer(observation(options, method.toLowerCase(), status, startedAt));
    }
  }

  async #send(
    pool: keyof Connections,
    method: Method,
    path: string,
    options: CallOptions & Pick<RequestOptions, 'body' | 'contentType' | 'urgent'>,
    credentials: Credentials,
    deadline: Deadline,
  ): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string | string[]> = {
      ...credentials.headers,
      'user-agent': this.#userAgent,
      accept: options.accept ?? 'application/json',
      ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
      ...(options.impersonate === undefined ? {} : impersonationHeaders(options.impersonate)),
    };
    try {
      const connections = this.#connections(credentials)[pool];
      const isFree = method === 'GET' || options.urgent;
      const response = (isFree ? connections : connections.compose(this.#ifMayWrite)).request({
        origin: this.#origin,
        path: this.#prefix + path + queryString(options.query),
        method,
        headers,
        body: options.body ?? null,
        // Or undici opens a connection for each DELETE that has a body: other servers may not expect one.
        reset: false,
        signal: deadline.signal,
      });
      // undici looks at its signal only once the request has a connection, which a black hole delays by 10 s.
      return await abortable(response, deadline.signal);
    } catch (cause) {
      throw asKubeError(cause, `${method} ${path}`, deadline.expired);
    }
  }

  /** New TLS material means new connections; the old ones finish what they carry. */
  #connections(credentials: Credentials): Connections {
    if (this.#open?.credentials === credentials) return this.#open.connections;
    const tls = JSON.stringify(credentials.tls);
    if (this.#open?.tls !== tls) {
      if (this.#open) retire(this.#open.connections);
      const connections = openConnections(credentials.tls, this.#config.proxy, this.#maxResponseBytes);
      this.#open = { connections, credentials, tls };
    }
    this.#open.credentials = credentials;
    return this.#open.connections;
  }
}

function observation(options: CallOptions, verb: string, status: number, startedAt: number) {
  const ms = performance.now() - startedAt;
  return { verb: options.verb ?? verb, ...(options.resource ? { resource: options.resource } : {}), status, ms };
}

function queryString(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text && `?${text}`;
}

function parseServer(server: string): URL {
  const url = URL.parse(server);
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new KubeError('ClusterConfigMissing', `the address of the API server "${server}" is not an http(s) URL`);
}

/** Flowing mode: an event is handled in the tick that brings it. */
function drain(body: Dispatcher.ResponseData['body'], onChunk: (chunk: Uint8Array) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  body.on('error', reject);
  body.on('end', resolve);
  body.on('data', (chunk: Uint8Array) => {
    try {
      onChunk(chunk);
    } catch (error) {
      body.destroy(error as Error);
    }
  });
  return promise;
}
