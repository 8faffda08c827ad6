import type { Chain, Edge, Listener, Route, ValueMatch, VirtualHost } from './model.ts';
import { matchesWhole } from './regex.ts';
import { routesOf } from './routes.ts';

/** One request as a client sends it. */
export interface EdgeRequest {
  /** The host name, and what the client says in SNI. */
  readonly host: string;
  /** With the query, if any. */
  readonly path: string;
  /** Upper case. */
  readonly method: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Over TLS: up to Emissary where it terminates it, else up to a proxy before it that says so in X-Forwarded-Proto. */
  readonly secure: boolean;
}

/** What becomes of a request that arrives at one Listener. */
export interface Answer {
  readonly listener: Listener;
  /** Undefined: no connection is accepted for that name. */
  readonly chain: Chain | undefined;
  /** Undefined: Envoy knows no such host there, and answers 404. */
  readonly vhost: VirtualHost | undefined;
  /** Who serves it, in Envoy's order, with the percentage that each gets. */
  readonly served: readonly Served[];
  /** Percentage that nobody serves: 404. */
  readonly unserved: number;
}

export interface Served {
  readonly route: Route;
  readonly share: number;
}

/** Who serves this request? Each HTTP Listener is asked, by Envoy's rules. */
export function whoServes(edge: Edge, request: EdgeRequest): Answer[] {
  const http = edge.listeners.filter(({ chains }) => chains.some(({ tcp }) => !tcp));
  return http.map((listener) => answerOf(listener, request));
}

function answerOf(listener: Listener, request: EdgeRequest): Answer {
  const chain = chainFor(listener.chains, request);
  const vhost = chain && vhostFor(chain.vhosts, request.host);
  const served: Served[] = [];
  let covered = 0;
  for (const route of chain && vhost ? routesOf(listener, vhost) : []) {
    if (covered >= 100) break;
    if (!matches(route, request)) continue;
    // Envoy draws one number for a request and compares it with the fraction of every route in turn.
    if (route.fraction <= covered) continue;
    served.push({ route, share: route.fraction - covered });
    covered = route.fraction;
  }
  return { listener, chain, vhost, served, unserved: Math.max(0, 100 - covered) };
}

/** A Listener without TLS takes secure requests from a proxy before it. */
function chainFor(chains: readonly Chain[], { host, secure }: EdgeRequest): Chain | undefined {
  const cleartext = chains.find(({ tls }) => !tls);
  if (!secure) return cleartext;
  const encrypted = chains.filter(({ tls }) => tls);
  if (encrypted.length === 0) return cleartext;
  return mostSpecific(encrypted, ({ serverNames }) => (serverNames.length === 0 ? ['*'] : serverNames), host);
}

function vhostFor(vhosts: readonly VirtualHost[], host: string): VirtualHost | undefined {
  return mostSpecific(vhosts, ({ domains }) => domains, host);
}

/** Envoy's choice among names: exact, then the longest `*suffix`, then the longest `prefix*`, then `*`. Letter case is one. */
function mostSpecific<T>(things: readonly T[], namesOf: (thing: T) => readonly string[], host: string): T | undefined {
  let best: T | undefined;
  let bestRank = 0;
  for (const thing of things) {
    for (const name of namesOf(thing)) {
      const rank = rankOf(name.toLowerCase(), host.toLowerCase());
      if (rank > bestRank) [best, bestRank] = [thing, rank];
    }
  }
  return best;
}

/** 0: does not match. No name is longer than 1000 characters. */
function rankOf(name: string, host: string): number {
  if (name === host) return 3_000;
  if (name === '*') return 1;
  if (host.length < name.length) return 0;
  if (name.startsWith('*') && host.endsWith(name.slice(1))) return 2_000 + Math.min(name.length, 999);
  if (name.endsWith('*') && host.startsWith(name.slice(0, -1))) return 1_000 + Math.min(name.length, 999);
  return 0;
}

/** Does a route take the request, its fraction aside? */
export function matches(route: Route, request: EdgeRequest): boolean {
  if (route.security !== 'any' && (route.security === 'secure') !== request.secure) return false;
  const [path, query] = splitPath(request.path);
  return (
    pathMatches(route, path) &&
    route.headers.every((match) => valueMatches(match, headerOf(request, match.name))) &&
    route.query.every((match) => valueMatches(match, query.get(match.name) ?? undefined))
  );
}

function splitPath(path: string): [string, URLSearchParams] {
  const mark = path.indexOf('?');
  if (mark < 0) return [path, new URLSearchParams()];
  return [path.slice(0, mark), new URLSearchParams(path.slice(mark + 1))];
}

function pathMatches({ path: { match, value }, caseSensitive }: Route, path: string): boolean {
  if (match === 'regex') return matchesWhole(value, path);
  const [wanted, given] = caseSensitive ? [value, path] : [value.toLowerCase(), path.toLowerCase()];
  return match === 'prefix' ? given.startsWith(wanted) : given === wanted;
}

function headerOf({ host, path, method, headers, secure }: EdgeRequest, name: string): string | undefined {
  switch (name.toLowerCase()) {
    case ':authority':
    case 'host':
      return host;
    case ':method':
      return method;
    case ':path':
      return path;
    case 'x-forwarded-proto':
      return headers.get('x-forwarded-proto') ?? (secure ? 'https' : 'http');
    default:
      return headers.get(name.toLowerCase());
  }
}

/** Does a value of a request, undefined where it has none, fit what a route asks for? */
export function valueMatches({ match, value = '' }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return false;
  switch (match) {
    case 'present':
      return true;
    case 'exact':
      return given === value;
    case 'prefix':
      return given.startsWith(value);
    case 'suffix':
      return given.endsWith(value);
    case 'regex':
      return matchesWhole(value, given);
  }
}
