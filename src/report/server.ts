import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TerminalError } from '../errors.ts';

// An `import` reads every export, and behind one of them is Node's own copy of undici: 14 MB, and 40 ms of the start.
const { createServer } = process.getBuiltinModule('node:http');

export interface Reply {
  status: number;
  body: string;
  contentType?: string;
}

/** What answers one path. It must hold no secret: anybody who reaches the port may read it. */
export type Route = () => Reply | Promise<Reply>;

/** True, or why not, in words for people. */
export type Check = () => true | string;

export interface ServerOptions {
  /** `:8080`, `127.0.0.1:8080`, `[::1]:8080`; port 0 takes a free one. See parseAddress. */
  address: string;
  /** By path, without query. */
  routes: Readonly<Record<string, Route>>;
  /** Hears of a route that threw; the client gets a bare 500. */
  onError?: (error: unknown) => void;
  /** For a client to send its request, and between two requests. Default 5 s: a scrape or a probe is one small request. */
  timeoutMs?: number;
}

export interface Listening {
  port: number;
  /** Resolves when the server has closed, after `signal` aborted. */
  closed: Promise<void>;
}

const TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 64;
/** An answer that is under way when the process stops may take this long. */
const CLOSE_TIMEOUT_MS = 1_000;

/** `/metrics`; the text is made when it is asked for. */
export function metricsRoutes(metrics: { contentType: string; text: () => Promise<string> }): Record<string, Route> {
  return {
    '/metrics': async () => ({ status: 200, body: await metrics.text(), contentType: metrics.contentType }),
  };
}

/**
 * `/healthz` for the liveness probe (that it answers shows that the event loop turns; `live` can say more), `/readyz` for the
 * readiness probe: 200 `ok`, or 503 and the reason.
 */
export function healthRoutes(checks: { live?: Check; ready: Check }): Record<string, Route> {
  const route = (check: Check) => (): Reply => {
    const held = check();
    return held === true ? { status: 200, body: 'ok\n' } : { status: 503, body: `${held}\n` };
  };
  return { '/healthz': route(checks.live ?? (() => true)), '/readyz': route(checks.ready) };
}

/** Host and port of a listen address; undefined for `0`, which means off. Throws a TerminalError InvalidAddress. */
export function parseAddress(address: string): { host?: string; port: number } | undefined {
  if (address === '0') return undefined;
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]*)):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new TerminalError('InvalidAddress', `${JSON.stringify(address)} is no listen address: write it as :8080`);
  }
  const host = bracketed ?? plain;
  return host ? { host, port } : { port };
}

/**
 * Serves the routes until `signal` aborts: GET and HEAD only. Resolves when it listens; undefined when the address switches
 * it off. Throws a TerminalError InvalidAddress or ListenFailed.
 */
export async function serve(options: ServerOptions, signal: AbortSignal): Promise<Listening | undefined> {
  const address = parseAddress(options.address);
  if (!address) return undefined;
  signal.throwIfAborted();
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const server = createServer(
    {
      headersTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      keepAliveTimeout: timeoutMs,
      connectionsCheckingInterval: timeoutMs,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => void answer(request, response, options),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(2 * timeoutMs);
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  try {
    server.listen(address);
    await once(server, 'listening');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new TerminalError('ListenFailed', `cannot listen on ${options.address} (${why})`, { cause });
  }
  // Such as no file descriptor left to accept with: it passes, and must not end the process.
  server.on('error', (error) => options.onError?.(error));
  const stop = (): void => close(server);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return { port: (server.address() as AddressInfo).port, closed };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: ServerOptions): Promise<void> {
  const reply = await replyTo(request, options);
  response.writeHead(reply.status, {
    'content-type': reply.contentType ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(reply.status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

async function replyTo({ method, url = '/' }: IncomingMessage, { routes, onError }: ServerOptions): Promise<Reply> {
  const path = url.split('?', 1)[0] ?? '';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!route) return { status: 404, body: 'not found\n' };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'only GET and HEAD\n' };
  try {
    return await route();
  } catch (error) {
    onError?.(error);
    return { status: 500, body: 'internal error\n' };
  }
}

/** Lets answers that are under way finish, closes idle connections at once and all others soon. */
function close(server: Server): void {
  server.close();
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS).unref();
}
