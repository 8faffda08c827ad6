import type { Compilation } from './compilation.ts';
import { globsOverlap } from './hostglob.ts';
import type { Binding } from './listeners.ts';
import type { Chain, Host, Policy, RouteGroup, TcpGroup, TlsContext, VirtualHost } from './model.ts';

/** What the filter chains of all Listeners are made of. */
export interface ChainParts {
  readonly compilation: Compilation;
  /** Are all labels of a selector asked for? */
  readonly strict: boolean;
  /** By hostname; of equal ones in the compiler's order. */
  readonly hosts: readonly Host[];
  readonly contexts: ReadonlyMap<string, TlsContext>;
  /** What each Host serves, in matching order. */
  readonly served: ReadonlyMap<Host, readonly RouteGroup[]>;
  /** Collects the TCP groups that an error is posted for. */
  readonly refused: Set<TcpGroup>;
}

/** TLS chains are told apart by server name; what comes in clear text is one chain. */
type ChainName = `tls ${string}` | 'cleartext';

/** A chain of HTTP while Hosts are added to it. A second Host of one hostname takes the place of the first. */
interface HttpChain {
  readonly context: TlsContext | undefined;
  readonly serverName: string;
  readonly hosts: Map<string, Host>;
}

/** The filter chains of one Listener (v3/v3listener.py): those of TCP first, so TCPMappings win against Hosts. `groups`: its own. */
export function chainsOf(
  parts: ChainParts,
  binding: Binding,
  bound: readonly Host[],
  groups: readonly TcpGroup[],
): Chain[] {
  const tcp = tcpChains(parts, groups);
  const http = binding.listener.protocolStack.includes('HTTP') ? httpChains(parts, binding, bound, tcp) : [];
  return [...tcp.values(), ...http];
}

function tcpChains(parts: ChainParts, groups: readonly TcpGroup[]): Map<ChainName, Chain & { tcp: TcpGroup }> {
  const chains = new Map<ChainName, Chain & { tcp: TcpGroup }>();
  for (const tcp of groups) {
    const context = tcp.host === null ? undefined : contextFor(tcp.host, parts);
    if (tcp.host !== null && !context) {
      refuse(parts, tcp, 'No matching TLSContext found, disabling!');
      continue;
    }
    const name: ChainName = context ? `tls ${tcp.host}` : 'cleartext';
    const first = chains.get(name);
    if (first) {
      refuse(parts, tcp, `discarding because it conflicts with TCPMapping ${nameOf(first.tcp)}`);
      continue;
    }
    chains.set(name, { ...tlsPart(context, tcp.host ?? '*', 'tls'), vhosts: [], tcp });
  }
  return chains;
}

function httpChains(
  parts: ChainParts,
  { listener: { socketProtocol, protocolStack, securityModel } }: Binding,
  bound: readonly Host[],
  tcp: ReadonlyMap<ChainName, { tcp: TcpGroup }>,
): Chain[] {
  const chains = new Map<ChainName, HttpChain>();
  for (const host of bound) {
    if (host.context && protocolStack.includes('TLS')) addTls(parts, chains, tcp, host, host.context);
    // QUIC has no clear text.
    const rejects = securityModel === 'INSECURE' && host.insecureAction === 'Reject';
    if (socketProtocol !== 'UDP' && !rejects) addTo(chains, 'cleartext', undefined, '*', host);
  }
  const transport = socketProtocol === 'UDP' ? 'quic' : 'tls';
  return [...chains.values()].map(({ context, serverName, hosts }) => ({
    ...tlsPart(context, serverName, transport),
    vhosts: [...hosts.values()].map((host) => virtualHost(host, parts)),
    tcp: undefined,
  }));
}

function addTls(
  { compilation }: ChainParts,
  chains: Map<ChainName, HttpChain>,
  tcp: ReadonlyMap<ChainName, { tcp: TcpGroup }>,
  host: Host,
  context: TlsContext,
): void {
  const serverName = serverNameOf(host.hostname);
  const name: ChainName = `tls ${serverName}`;
  const discard = (why: string): void =>
    compilation.error(host.policy?.key ?? '-internal', `TLS Host ${host.name}: discarding because ${why}`);
  const taken = tcp.get(name);
  if (taken) return discard(`it conflicts with TCPMapping ${nameOf(taken.tcp)}`);
  const first = chains.get(name)?.context;
  if (first && !isSame(first, context)) {
    return discard(`mismatching TLSContext between Hosts matching on dns hostname=${serverName}`);
  }
  addTo(chains, name, context, serverName, host);
}

function addTo(
  chains: Map<ChainName, HttpChain>,
  name: ChainName,
  context: TlsContext | undefined,
  serverName: string,
  host: Host,
): void {
  const chain = chains.get(name) ?? { context, serverName, hosts: new Map<string, Host>() };
  chains.set(name, chain);
  chain.hosts.set(host.hostname, host);
}

function tlsPart(
  context: TlsContext | undefined,
  serverName: string,
  transport: 'tls' | 'quic',
): Pick<Chain, 'tls' | 'context' | 'serverNames' | 'transportProtocol'> {
  const serverNames = context && serverName !== '*' ? [serverName] : [];
  return { tls: context !== undefined, context, serverNames, transportProtocol: context && transport };
}

function virtualHost(host: Host, { served }: ChainParts): VirtualHost {
  return { domains: [host.hostname], host, groups: served.get(host) ?? [] };
}

/** What terminates TLS for a TCPMapping: a Host that its host fits to, else a TLSContext that lists just this host. */
function contextFor(name: string, { hosts, contexts }: ChainParts): TlsContext | undefined {
  const host = hosts.find(({ context, hostname }) => context && globsOverlap(hostname, name));
  if (host) return host.context;
  const listed = [...contexts.values()].find((context) => context.hosts.includes(name));
  return listed?.usable ? listed : undefined;
}

/** SNI has no port. */
function serverNameOf(hostname: string): string {
  const colon = hostname.lastIndexOf(':');
  return colon < 0 ? hostname : hostname.slice(0, colon);
}

function isSame(a: TlsContext, b: TlsContext): boolean {
  return a.name === b.name && a.policy?.namespace === b.policy?.namespace;
}

function refuse({ compilation, refused }: ChainParts, group: TcpGroup, why: string): void {
  refused.add(group);
  compilation.error(creatorOf(group)?.key ?? '-internal-', why);
  for (const { policy } of group.members) compilation.drop(policy, 'unattached', why);
}

function nameOf(group: TcpGroup): string {
  return `GROUP: ${creatorOf(group)?.storedName ?? ''}`;
}

/** A group goes by its first Mapping in the compiler's order; members are sorted by weight. */
function creatorOf({ members }: TcpGroup): Policy | undefined {
  const [first] = members.map(({ policy }) => policy).sort((a, b) => (a.key < b.key ? -1 : 1));
  return first;
}
