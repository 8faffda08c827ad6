import type { BoundHosts } from './bound-hosts.ts';
import type { Compilation } from './compilation.ts';
import { HostNames } from './host-names.ts';
import type { Binding } from './listeners.ts';
import type { Chain, Host, Policy, Posted, RouteGroup, TcpGroup, TlsContext, VirtualHost } from './model.ts';

/** What the filter chains of all Listeners are made of. */
export interface ChainParts {
  readonly compilation: Compilation;
  /** By hostname; of equal ones in the compiler's order. */
  readonly hosts: readonly Host[];
  readonly terminators: Terminators;
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

/** Chains of HTTP, and the errors that every Listener which has them posts. */
export interface HttpChains {
  readonly chains: readonly Chain[];
  readonly errors: readonly Posted[];
}

/** The filter chains of one Listener (v3/v3listener.py): those of TCP first, so TCPMappings win against Hosts. `groups`: its own. */
export function chainsOf(parts: ChainParts, binding: Binding, bound: BoundHosts, groups: readonly TcpGroup[]): Chain[] {
  const tcp = tcpChains(parts, groups);
  if (!binding.listener.protocolStack.includes('HTTP')) return [...tcp.values()];
  const { chains, errors } =
    tcp.size > 0 ? httpChains(parts, binding, bound, tcp) : sharedChains(parts, binding, bound);
  for (const { key, message } of errors) parts.compilation.error(key, message);
  return [...tcp.values(), ...chains];
}

/** Those of a Listener that has nothing but HTTP; Listeners that differ in name and port only have the same ones. */
function sharedChains(parts: ChainParts, binding: Binding, bound: BoundHosts): HttpChains {
  const { socketProtocol, protocolStack, securityModel } = binding.listener;
  const key = [socketProtocol, securityModel, protocolStack.includes('TLS')].join(' ');
  const chains = bound.chains.get(key) ?? httpChains(parts, binding, bound, new Map());
  bound.chains.set(key, chains);
  return chains;
}

function tcpChains(parts: ChainParts, groups: readonly TcpGroup[]): Map<ChainName, Chain & { tcp: TcpGroup }> {
  const chains = new Map<ChainName, Chain & { tcp: TcpGroup }>();
  for (const tcp of groups) {
    const context = tcp.host === null ? undefined : parts.terminators.of(tcp.host);
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
  bound: BoundHosts,
  tcp: ReadonlyMap<ChainName, { tcp: TcpGroup }>,
): HttpChains {
  const chains = new Map<ChainName, HttpChain>();
  const errors: Posted[] = [];
  for (const host of bound.hosts) {
    if (host.context && protocolStack.includes('TLS')) addTls(chains, errors, tcp, host, host.context);
    // QUIC has no clear text.
    const rejects = securityModel === 'INSECURE' && host.insecureAction === 'Reject';
    if (socketProtocol !== 'UDP' && !rejects) addTo(chains, 'cleartext', undefined, '*', host);
  }
  const transport = socketProtocol === 'UDP' ? 'quic' : 'tls';
  const made = [...chains.values()].map(({ context, serverName, hosts }) => ({
    ...tlsPart(context, serverName, transport),
    vhosts: [...hosts.values()].map((host) => virtualHost(host, parts)),
    tcp: undefined,
  }));
  return { chains: made, errors };
}

function addTls(
  chains: Map<ChainName, HttpChain>,
  errors: Posted[],
  tcp: ReadonlyMap<ChainName, { tcp: TcpGroup }>,
  host: Host,
  context: TlsContext,
): void {
  const serverName = serverNameOf(host.hostname);
  const name: ChainName = `tls ${serverName}`;
  const discard = (why: string): void => {
    errors.push({ key: host.policy?.key ?? '-internal', message: `TLS Host ${host.name}: discarding because ${why}` });
  };
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

/** What terminates TLS for TCPMappings, by their hosts: a Host that fits to one, else a TLSContext that lists just this host. */
export class Terminators {
  readonly #contexts: readonly (TlsContext | undefined)[];
  readonly #names: HostNames;
  /** By each host that one lists. */
  readonly #listed = new Map<string, TlsContext>();
  readonly #known = new Map<string, TlsContext | undefined>();

  /** `hosts`: by hostname. */
  constructor(hosts: readonly Host[], contexts: ReadonlyMap<string, TlsContext>) {
    const secured = hosts.filter(({ context }) => context);
    this.#contexts = secured.map(({ context }) => context);
    this.#names = new HostNames(secured.map(({ hostname }) => hostname));
    for (const context of contexts.values())
      for (const name of context.hosts) if (!this.#listed.has(name)) this.#listed.set(name, context);
  }

  of(name: string): TlsContext | undefined {
    if (!this.#known.has(name)) this.#known.set(name, this.#search(name));
    return this.#known.get(name);
  }

  #search(name: string): TlsContext | undefined {
    const [first] = this.#names.overlapping(name);
    if (first !== undefined) return this.#contexts[first];
    const listed = this.#listed.get(name);
    return listed?.usable ? listed : undefined;
  }
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
