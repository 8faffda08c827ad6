import { isIP } from 'node:net';
import { NONE } from '../none.ts';
import type { Cluster, Edge, Member, Policy, RouteGroup } from './model.ts';
import { standing } from './dropped.ts';
import { Relisted } from './relisted.ts';
import { type ResolverKind, RESOLVER_KINDS, resolverKinds } from './resolvers.ts';
import { readUrl, type ServiceUrl } from './service.ts';
import { isTrueAt, textAt } from './spec.ts';

/** The field in which each kind names the service that it sends to. */
export const SERVICE_FIELDS: Readonly<Record<string, string>> = {
  Mapping: 'service',
  TCPMapping: 'service',
  AuthService: 'auth_service',
  RateLimitService: 'service',
  LogService: 'service',
  TracingService: 'service',
};

/** A service as it is written, taken apart; no host when Emissary cannot read it either. */
export function writtenService(text: string): ServiceUrl {
  const url = readUrl(/^\/\/|^[a-z0-9+.-]+:\/\//i.test(text) ? text : `//${text}`);
  return 'refused' in url ? { scheme: '', host: '', port: undefined, hasRest: false } : url;
}

/** Does Emissary leave the name alone? It has a dot, or is an address, or `localhost`. */
export function isQualified(host: string): boolean {
  return host.includes('.') || isIP(host) !== 0 || host === 'localhost';
}

/** The Module whose settings hold: the first of the name `ambassador`. */
export function moduleIn(edge: Edge): Policy | undefined {
  return standing(edge, 'Module').find(({ storedName }) => storedName === 'ambassador');
}

/** Are services without a dot looked up in Emissary's own namespace, wherever they are named? */
export function looksUpCentrally(edge: Edge): boolean {
  return isTrueAt(moduleIn(edge)?.spec, 'config', 'use_ambassador_namespace_for_service_resolution');
}

/** Name → kind of every resolver, the built-in ones included. */
export function resolversOf(edge: Edge): ReadonlyMap<string, ResolverKind> {
  return resolverKinds(RESOLVER_KINDS.flatMap((kind) => standing(edge, kind)));
}

/** The resolver of Mappings that name none. */
export function defaultResolver(edge: Edge): string {
  return textAt(moduleIn(edge)?.spec, 'config', 'resolver') || 'kubernetes-service';
}

/** A policy that sends requests, with the cluster that they go to. */
export interface Sender {
  readonly policy: Policy;
  readonly cluster: Cluster;
}

const senders = new WeakMap<Edge, readonly Sender[]>();

/** Every Mapping and TCPMapping that sends requests, and those that send copies. */
export function sendersOf(edge: Edge): readonly Sender[] {
  const known = senders.get(edge);
  if (known) return known;
  const ofRoutes = relisted(edge.settings).flatMap(edge.groups, sendersIn);
  const others = edge.tcpGroups.flatMap(({ members }): Sender[] => members.filter(isSender));
  const found = others.length === 0 ? ofRoutes : [...ofRoutes, ...others];
  senders.set(edge, found);
  return found;
}

const relisted = Relisted.bySettings<RouteGroup, Sender>();

function sendersIn({ members, shadows, internal }: RouteGroup): readonly Sender[] {
  return internal ? NONE : [...members, ...shadows].filter(isSender);
}

function isSender<Of extends Pick<Member, 'policy' | 'cluster'>>(member: Of): member is Of & Sender {
  return member.cluster !== undefined;
}
