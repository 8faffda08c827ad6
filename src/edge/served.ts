import { NONE } from '../none.ts';
import { attach } from './attachment.ts';
import { Bindings, type BoundHosts } from './bound-hosts.ts';
import { chainsOf, Terminators, type ChainParts } from './chains.ts';
import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import { append } from './lists.ts';
import { addTcpListeners, bindToOfGroup, type Binding, type BindTo } from './listeners.ts';
import type { Chain, Edge, HttpFilter, Listener, RouteGroup, TcpGroup } from './model.ts';
import { inMatchingOrder } from './route-order.ts';
import { unknownRedirectCode } from './routes.ts';
import { selectsStrictly } from './selector.ts';

/** The last stage: Envoy's listeners in order, and the TCP groups again, marked where no Listener could take them. */
export function serve(
  compilation: Compilation,
  edge: Pick<Edge, 'hosts' | 'contexts' | 'groups' | 'tcpGroups'>,
  bindings: Map<BindTo, Binding>,
  httpFilters: () => readonly HttpFilter[],
): Pick<Edge, 'listeners' | 'tcpGroups'> {
  const { settings } = compilation;
  const { groups, hosts, contexts } = edge;
  const tcpGroups = edge.tcpGroups.toReversed();
  addTcpListeners(bindings, tcpGroups, settings.namespace);
  for (const group of groups.filter(({ redirect }) => redirect)) warnOfRedirect(group, compilation);
  const sorted = hosts.toSorted((a, b) => (a.hostname < b.hostname ? -1 : a.hostname > b.hostname ? 1 : 0));
  const strict = selectsStrictly(settings);
  const { served, unserved } = attach(sorted, inMatchingOrder(groups, settings), strict);
  const terminators = new Terminators(sorted, contexts);
  const parts: ChainParts = { compilation, hosts: sorted, terminators, served, refused: new Set() };
  const bound = new Bindings(sorted, strict);
  const groupsOf = new Map<BindTo, TcpGroup[]>();
  for (const group of tcpGroups) append(groupsOf, bindToOfGroup(group), group);
  const listeners: Listener[] = [];
  for (const [bindTo, binding] of bindings) {
    const listener = listenerOf(parts, binding, bound.of(binding), groupsOf.get(bindTo) ?? NONE, httpFilters);
    if (listener) listeners.push(listener);
  }
  dropUnserved(unserved, compilation);
  dropUnbound(parts, bound, [...bindings.values()]);
  return {
    listeners,
    tcpGroups: edge.tcpGroups.map((group) => (parts.refused.has(group) ? { ...group, errored: true } : group)),
  };
}

function listenerOf(
  parts: ChainParts,
  binding: Binding,
  bound: BoundHosts,
  groups: readonly TcpGroup[],
  httpFilters: () => readonly HttpFilter[],
): Listener | undefined {
  const { compilation } = parts;
  const { key, listener } = binding;
  // Upstream makes them first, also where no Host will pass them.
  const filters = listener.protocolStack.includes('HTTP') ? httpFilters() : [];
  const chains = chainsOf(parts, binding, bound, groups);
  raiseForAction(bound, listener, chains);
  if (chains.length > 0) {
    const httpFilters = chains.some(({ tcp }) => !tcp) ? filters : [];
    return { ...listener, httpFilters, hosts: bound.hosts, chains };
  }
  compilation.error(key, 'No matching Hosts/TCPMappings found, disabling!');
  if (listener.policy) compilation.drop(listener.policy, 'unattached', 'no Host and no TCPMapping goes with it');
  return undefined;
}

/** Upstream looks the action up by its name when it makes the routes for requests without TLS. */
function raiseForAction(
  { unknownActions }: BoundHosts,
  { securityModel }: Binding['listener'],
  chains: readonly Chain[],
): void {
  if (unknownActions.size === 0 || securityModel === 'SECURE') return;
  const hosts = chains
    .flatMap(({ vhosts }) => vhosts.filter(({ groups }) => groups.length > 0))
    .map(({ host }) => host);
  const policy = hosts.find((host) => unknownActions.has(host))?.policy;
  if (!policy) return;
  const message = `Host ${policy.namespace}/${policy.name}: the compiler does not know its requestPolicy.insecure.action`;
  throw new Frozen({ stage: 'envoy', message, policy });
}

function warnOfRedirect(group: RouteGroup, compilation: Compilation): void {
  const code = unknownRedirectCode(group);
  if (code !== undefined) compilation.error(GLOBAL_KEY, `Unknown redirect_response_code=${code}: 301 is used instead`);
}

function dropUnserved(groups: readonly RouteGroup[], compilation: Compilation): void {
  for (const { members, redirect } of groups) {
    const why = 'no Host serves it';
    if (redirect) compilation.drop(redirect, 'unattached', why);
    for (const { policy } of members) compilation.drop(policy, 'unattached', why);
  }
}

function dropUnbound({ compilation, hosts }: ChainParts, bound: Bindings, bindings: readonly Binding[]): void {
  const http = bindings.filter(({ listener }) => listener.protocolStack.includes('HTTP'));
  const taking = new Set(http.map((binding) => bound.of(binding)));
  const taken = new Set([...taking].flatMap(({ hosts: some }) => some));
  for (const { policy } of hosts.filter((host) => !taken.has(host)))
    if (policy) compilation.drop(policy, 'unattached', 'no HTTP Listener takes it');
}
