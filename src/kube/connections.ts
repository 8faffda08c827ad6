import { createSecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { Agent, ProxyAgent } from '../undici.ts';
import type { TlsMaterial } from './auth.ts';

/** Enough for what an API server takes well at once. */
export const REQUEST_CONNECTIONS = 16;
/** For the lease, and for whatever may hang besides (see limiter.ts). */
const FURTHER_CONNECTIONS = 112;
const CONNECT_TIMEOUT_MS = 10_000;
/** Below the 90 s after which an API server closes an idle connection: a heal should find one open. */
const KEEP_ALIVE_MS = 60_000;

/**
 * The pools of sockets of a cluster: short requests share at most 16, with `further` ones while all of these are in use; each watch has
 * one of its own. HTTP/1.1 on purpose: HTTP/2 measured no faster, and one dead session would take every watch with it.
 */
export interface Connections {
  requests: Dispatcher;
  further: Dispatcher;
  watches: Dispatcher;
}

export function openConnections(tls: TlsMaterial, proxy: string | undefined, maxResponseBytes: number): Connections {
  const shared = {
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Deadlines are kept by the caller, over the whole call.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  // Shared: one that each connection made for itself would read the CA again and keep 150 KB.
  const secureContext = createSecureContext(tls);
  const connect = {
    ...tls,
    secureContext,
    timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  const open = (options: Agent.Options) =>
    proxy ? new ProxyAgent({ ...options, uri: proxy, requestTls: connect }) : new Agent({ ...options, connect });
  return {
    requests: open({ ...shared, connections: REQUEST_CONNECTIONS, maxResponseSize: maxResponseBytes }),
    further: open({ ...shared, connections: FURTHER_CONNECTIONS, maxResponseSize: maxResponseBytes }),
    watches: open(shared),
  };
}

/** Running requests end in their own time, so that a renewed certificate interrupts nothing. */
export function retire({ requests, further, watches }: Connections): void {
  requests.close(() => {});
  further.close(() => {});
  watches.close(() => {});
}

export async function destroy({ requests, further, watches }: Connections): Promise<void> {
  await Promise.all([requests.destroy(), further.destroy(), watches.destroy()]);
}
