import type { Hit, Judged, Rule } from '../finding.ts';
import type { TcpGroup } from '../model.ts';
import { describe, partyOf } from '../party.ts';
import { shown } from '../shown.ts';

export const TCP_RULES: readonly Rule[] = [
  {
    id: 'EM076',
    name: 'tcp-no-context',
    severity: 'error',
    impact: 'drop',
    when: 'A TCPMapping has a `host`, and neither a Host with TLS that fits it nor a TLSContext that lists exactly it; or the Listener of its port has no TLS in its stack.',
    means:
      'To choose by host name the gateway must terminate TLS: Emissary disables the TCPMapping. A Listener looks at server names only with TLS in its stack, so no connection reaches it.',
    mend: 'Add a Host with a `tlsSecret` for that name, or list the name in `hosts` of a TLSContext; and let the Listener have `protocol: TLS`, or none, as Emissary makes one.',
    find: tcpUnreached,
  },
  {
    id: 'EM077',
    name: 'tcp-steals-host',
    severity: 'error',
    impact: 'steal',
    when: 'A TCPMapping has the host and the port of a Host with TLS.',
    means: 'The TCPMapping takes all connections for that name; Emissary discards the Host on that port.',
    mend: 'Give the TCPMapping a port or a host of its own.',
    find: tcpStealsHost,
  },
  {
    id: 'EM078',
    name: 'tcp-weights',
    severity: 'warning',
    impact: 'steal',
    when: 'Two or more TCPMappings have one port, address and host.',
    means:
      'Emissary sums the weights up and then uses the sums as weights: connections are not shared as it is written.',
    mend: 'Keep one TCPMapping; share connections behind its Service.',
    find: tcpWeights,
  },
];

function* tcpUnreached(judged: Judged): Iterable<Hit> {
  yield* tcpNoContext(judged);
  yield* nameUnseen(judged);
}

function* tcpNoContext({ edge }: Judged): Iterable<Hit> {
  const reached = new Set(edge.listeners.flatMap(({ chains }) => chains.map(({ tcp }) => tcp?.id)));
  for (const { id, host, members } of edge.tcpGroups) {
    if (host === null || reached.has(id)) continue;
    for (const { policy } of members) {
      const object = partyOf(policy);
      const message = `${describe(object)} is for ${shown(host)}, for which nothing terminates TLS: it is disabled`;
      yield { object, traffic: { host }, message };
    }
  }
}

/** Envoy knows the server name, and that it is TLS at all, by a filter that comes with TLS in the stack (v3/v3listener.py). */
function* nameUnseen({ edge }: Judged): Iterable<Hit> {
  for (const { protocolStack, chains, port, policy: listener, name } of edge.listeners) {
    if (protocolStack.includes('TLS')) continue;
    for (const { tcp } of chains) {
      if (!tcp || tcp.host === null) continue;
      for (const { policy } of tcp.members) {
        const object = partyOf(policy);
        const other = listener && partyOf(listener);
        const where = other ? describe(other) : name;
        const message = `${describe(object)} is for ${shown(tcp.host)} on port ${port}, but ${where} has no TLS in its stack: no connection reaches it`;
        yield { object, ...(other && { other }), traffic: { host: tcp.host }, message };
      }
    }
  }
}

function* tcpStealsHost({ edge }: Judged): Iterable<Hit> {
  for (const { hosts, chains, port } of edge.listeners) {
    const taken = new Map<string, TcpGroup>();
    for (const { tcp } of chains) if (tcp && tcp.host !== null) taken.set(tcp.host, tcp);
    if (taken.size === 0) continue;
    for (const { hostname, context, policy: claimant } of hosts) {
      const group = context && claimant ? taken.get(hostname.replace(/:[^:]*$/, '')) : undefined;
      if (!group || !claimant) continue;
      const other = partyOf(claimant);
      for (const { policy } of group.members) {
        const object = partyOf(policy);
        const message = `${describe(object)} takes ${shown(hostname)} on port ${port} from ${describe(other)}`;
        yield { object, other, traffic: { host: hostname }, detail: hostname, message };
      }
    }
  }
}

function* tcpWeights({ edge }: Judged): Iterable<Hit> {
  for (const { members, host, port } of edge.tcpGroups) {
    const [first, last] = [members[0], members.at(-1)];
    if (!first || !last || first === last) continue;
    // Cumulated for routes, then taken as plain weights (v3/v3listener.py).
    const sum = members.reduce((total, { cumulative }) => total + cumulative, 0);
    const parts = members.map(({ policy, weight, cumulative }) => {
      const share = sum > 0 ? Math.round((100 * cumulative) / sum) : 0;
      return `${policy.namespace}/${policy.name} (weight ${weight ?? 'none'}) gets ${share} %`;
    });
    const [object, other] = [partyOf(last.policy), partyOf(first.policy)];
    const some = parts.length > 4 ? [...parts.slice(0, 4), `${parts.length - 4} more`] : parts;
    const message = `${members.length} TCPMappings share port ${port}: ${some.join(', ')}`;
    yield { object, other, otherMayChange: true, ...(host !== null && { traffic: { host } }), message };
  }
}
