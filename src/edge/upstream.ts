import { isIP } from 'node:net';
import type { Cluster, Edge, Policy } from './model.ts';
import { standing } from './dropped.ts';
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
  for (const policy of standing(edge, 'Module')) if (policy.storedName === 'ambassador') return policy;
  return undefined;
}

/** In which namespace Emissary looks for a service without a dot. */
export function serviceNamespace(edge: Edge, policy: Policy): string {
  const everywhere = isTrueAt(moduleIn(edge)?.spec, 'config', 'use_ambassador_namespace_for_service_resolution');
  return everywhere ? edge.settings.namespace : policy.namespace;
}

const BUILT_IN_RESOLVERS: Readonly<Record<string, string>> = {
  'kubernetes-service': 'KubernetesServiceResolver',
  'kubernetes-endpoint': 'KubernetesEndpointResolver',
  endpoint: 'KubernetesEndpointResolver',
  consul: 'ConsulResolver',
  'consul-endpoint': 'ConsulResolver',
};
/** Either name of a pair stands for the other (ir/irserviceresolver.py, check_aliases). */
const RESOLVER_PAIRS = [
  ['endpoint', 'kubernetes-endpoint'],
  ['consul', 'consul-endpoint'],
] as const;

/** Name → kind of every resolver, the built-in ones included (ir/irserviceresolver.py). */
export function resolversOf(edge: Edge): ReadonlyMap<string, string> {
  const declared = edge.policies.filter(({ kind }) => kind.endsWith('Resolver'));
  const kinds = new Map([...Object.entries(BUILT_IN_RESOLVERS), ...declared.map(byName)]);
  const named = new Map(declared.map(byName));
  for (const [one, other] of RESOLVER_PAIRS) {
    const kind = named.get(one) ?? named.get(other);
    if (kind === undefined) continue;
    kinds.set(one, named.get(one) ?? kind);
    kinds.set(other, named.get(other) ?? kind);
  }
  return kinds;
}

function byName({ storedName, kind }: Policy): [string, string] {
  return [storedName, kind];
}

/** The resolver that a Mapping names, or the one that holds for all. */
export function resolverName(edge: Edge, { spec }: Policy): string {
  return textAt(spec, 'resolver') || textAt(moduleIn(edge)?.spec, 'config', 'resolver') || 'kubernetes-service';
}

/** A policy that sends requests, with the cluster that they go to. */
export function* sendersOf(edge: Edge): Iterable<readonly [Policy, Cluster]> {
  for (const { members, shadows } of edge.groups) {
    for (const { policy, cluster } of members) if (cluster) yield [policy, cluster];
    for (const { policy, cluster } of shadows) if (cluster) yield [policy, cluster];
  }
  for (const { members } of edge.tcpGroups) {
    for (const { policy, cluster } of members) if (cluster) yield [policy, cluster];
  }
}
