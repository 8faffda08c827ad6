import { dropOf } from './dropped.ts';
import type { Finding, Party } from './finding.ts';
import type { Edge, Policy, RouteGroup } from './model.ts';
import { describe, partyOf } from './party.ts';
import { SHADOWING } from './setbacks.ts';

/** What becomes of one policy: the verdict that Emissary's own status does not give. Plain data. */
export interface ObjectVerdict {
  readonly object: Party;
  /**
   * Served: it takes part in the edge. Shadowed: in the table, but other routes take all its requests. Unserved: valid, but
   * nothing leads to it. Dropped: the compiler leaves it out. Frozen: nothing takes effect, for anybody.
   */
  readonly state: 'Served' | 'Shadowed' | 'Unserved' | 'Dropped' | 'Frozen';
  /** Where a Mapping or TCPMapping is served; where a Host is reachable. */
  readonly places: readonly Place[];
  /** The part of its requests that a Mapping or TCPMapping gets, in percent. */
  readonly share: number | undefined;
  readonly shadowedBy: readonly Party[];
  /** Why it is dropped, unserved or frozen. */
  readonly because: string | undefined;
}

export interface Place {
  readonly host: string;
  readonly port: number;
  /** Absent for a Host and for TCP. */
  readonly path?: string;
}

/** The verdict on every policy meant for this gateway, in the compiler's order. `findings` are those of the same edge. */
export function explain(edge: Edge, findings: readonly Finding[]): Map<Policy, ObjectVerdict> {
  const places = placesOf(edge);
  const shares = sharesOf(edge);
  const shadows = shadowsOf(findings);
  const verdicts = edge.policies.map((policy): [Policy, ObjectVerdict] => {
    const object = partyOf(policy);
    const shadowedBy = shadows.get(describe(object)) ?? [];
    const where = places.get(policy) ?? [];
    return [
      policy,
      { object, places: where, share: shares.get(policy), shadowedBy, ...stateOf(edge, policy, where, shadowedBy) },
    ];
  });
  return new Map(verdicts);
}

/** The verdict in one sentence: `served on a.com/x/ with 10 %`. */
export function sentenceOf({ state, places, share, shadowedBy, because }: ObjectVerdict): string {
  switch (state) {
    case 'Served': {
      const [first] = places;
      if (!first) return 'in effect';
      const more = places.length > 1 ? ` and ${places.length - 1} more` : '';
      return `served on ${first.host}:${first.port}${first.path ?? ''}${more}${share === undefined ? '' : ` with ${share} %`}`;
    }
    case 'Shadowed':
      return `shadowed by ${shadowedBy.map(describe).join(', ')}`;
    case 'Unserved':
    case 'Dropped':
    case 'Frozen':
      return `${state.toLowerCase()}: ${because ?? ''}`;
  }
}

function stateOf(
  edge: Edge,
  policy: Policy,
  places: readonly Place[],
  shadowedBy: readonly Party[],
): Pick<ObjectVerdict, 'state' | 'because'> {
  const drop = dropOf(edge, policy);
  if (drop) return { state: drop.reason === 'unattached' ? 'Unserved' : 'Dropped', because: drop.message };
  if (edge.freeze) return { state: 'Frozen', because: edge.freeze.message };
  if (shadowedBy.length > 0) return { state: 'Shadowed', because: undefined };
  if (places.length === 0 && NEED_PLACES.has(policy.kind)) {
    return { state: 'Unserved', because: 'no Host on a Listener leads to it' };
  }
  return { state: 'Served', because: undefined };
}

const NEED_PLACES: ReadonlySet<string> = new Set(['Mapping', 'TCPMapping', 'Host']);

function placesOf(edge: Edge): Map<Policy, Place[]> {
  const found = new Map<Policy, Map<string, Place>>();
  const add = (policy: Policy | undefined, place: Place): void => {
    if (!policy) return;
    const places = found.get(policy) ?? new Map<string, Place>();
    found.set(policy, places);
    places.set(`${place.host} ${place.port}`, place);
  };
  for (const { port, chains } of edge.listeners) {
    for (const { tcp, vhosts, serverNames } of chains) {
      for (const { policy } of tcp?.members ?? []) add(policy, { host: serverNames.join(', ') || '*', port });
      for (const { host, domains, groups } of vhosts) {
        const name = domains.join(', ');
        add(host.policy, { host: name, port });
        for (const group of groups) {
          for (const policy of policiesIn(group)) add(policy, { host: name, port, path: group.path.value });
        }
      }
    }
  }
  return new Map([...found].map(([policy, places]) => [policy, [...places.values()]]));
}

function* policiesIn({ members, redirect, shadows }: RouteGroup): Iterable<Policy> {
  if (redirect) yield redirect;
  for (const { policy } of members) yield policy;
  for (const { policy } of shadows) yield policy;
}

function sharesOf(edge: Edge): Map<Policy, number> {
  const members = [...edge.groups, ...edge.tcpGroups].flatMap((group) => group.members);
  return new Map(members.map(({ policy, share }) => [policy, share]));
}

function shadowsOf(findings: readonly Finding[]): Map<string, Party[]> {
  const shadows = new Map<string, Party[]>();
  for (const { rule, object, other } of findings) {
    if (!other || !SHADOWING.has(rule)) continue;
    const key = describe(object);
    shadows.set(key, [...(shadows.get(key) ?? []), other]);
  }
  return shadows;
}
