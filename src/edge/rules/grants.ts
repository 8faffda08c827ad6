import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Policy, RouteGroup } from '../model.ts';
import type { Grant, Guard } from '../guard.ts';
import { standing } from '../dropped.ts';
import { type Claim, Grants, literalStart } from '../grants.ts';
import { aboutPolicies } from '../facts.ts';
import { describe, partyOf } from '../party.ts';
import { shown } from '../shown.ts';
import { isTrueAt, textAt } from '../spec.ts';
import { contextUses, secretUses } from '../tls-uses.ts';

export const GRANT_RULES: readonly Rule[] = [
  {
    id: 'EM100',
    name: 'granted-to-another',
    severity: 'error',
    impact: 'steal',
    when: 'A Mapping, TCPMapping or Host outside Emissary’s own namespace claims a host or a path that an EdgePolicy grants to somebody else.',
    means: 'Requests that belong to the holder of the grant would go elsewhere, or be served with other settings.',
    mend: 'Take a host and a prefix of your own grant, or ask the platform team for one.',
    find: grantedToAnother,
  },
  {
    id: 'EM101',
    name: 'unclaimed-denied',
    severity: 'error',
    impact: 'steal',
    when: 'A Mapping, TCPMapping or Host claims a host or a path that is granted to nobody, and the EdgePolicy says `unclaimed: Deny`.',
    means: 'The platform team gives out every host and path of this gateway; this one it has not given to anybody.',
    mend: 'Ask the platform team for a grant.',
    find: unclaimedDenied,
  },
  {
    id: 'EM102',
    name: 'kind-not-granted',
    severity: 'error',
    impact: 'protection-lost',
    when: 'An object of a kind that the grants of its namespace do not name; under `unclaimed: Deny` also one without any grant. Mappings and TCPMappings need none, and Emissary’s own namespace is the platform’s.',
    means: 'Kinds like Module, AuthService, Listener and Host change the edge for everybody.',
    mend: 'Let the platform team declare it, or grant the kind.',
    find: kindNotGranted,
  },
  {
    id: 'EM103',
    name: 'foreign-tls',
    severity: 'error',
    impact: 'protection-lost',
    when: 'There are grants, or `unclaimed: Deny`; and a Host, TLSContext or Mapping uses the TLSContext or the Secret of a namespace with which it shares no grant.',
    means: 'One team uses the certificate and the key of another, as server or as client.',
    mend: 'Use a TLSContext and a Secret of the own namespace, or let one grant cover both namespaces.',
    find: foreignTls,
  },
];

const byGuard = new WeakMap<Guard, Grants>();

function grantsOf(guard: Guard): Grants {
  const known = byGuard.get(guard) ?? new Grants(guard);
  byGuard.set(guard, known);
  return known;
}

interface Claimed extends Claim {
  readonly policy: Policy;
}

/** A claim that no grant of the claimant allows; `holder`: whoever else has a grant that it touches. */
interface Refused {
  readonly claimed: Claimed;
  readonly holder: Grant | undefined;
}

const refusedIn = new WeakMap<Judged, readonly Refused[]>();

function refusedOf(judged: Judged): readonly Refused[] {
  const known = refusedIn.get(judged);
  if (known) return known;
  const grants = grantsOf(judged.guard);
  const refused: Refused[] = [];
  for (const claimed of claimsOf(judged.edge)) {
    const { namespace } = claimed.policy;
    if (!grants.allow(namespace, claimed)) refused.push({ claimed, holder: grants.holderOf(namespace, claimed) });
  }
  refusedIn.set(judged, refused);
  return refused;
}

function* grantedToAnother(judged: Judged): Iterable<Hit> {
  if (judged.guard.grants.length === 0) return;
  for (const { claimed, holder } of refusedOf(judged)) {
    if (!holder) continue;
    const object = partyOf(claimed.policy);
    const message = `${describe(object)} claims ${saidClaim(claimed)}, granted to ${holder.holder} (${saidGrant(holder)})`;
    yield { object, ...trafficOfClaim(claimed), detail: `${holder.holder} ${saidClaim(claimed)}`, message };
  }
}

function* unclaimedDenied(judged: Judged): Iterable<Hit> {
  if (judged.guard.unclaimed !== 'Deny') return;
  for (const { claimed, holder } of refusedOf(judged)) {
    if (holder) continue;
    const object = partyOf(claimed.policy);
    const message = `${describe(object)} claims ${saidClaim(claimed)}, which no grant gives to namespace ${object.namespace}`;
    yield { object, ...trafficOfClaim(claimed), detail: saidClaim(claimed), message };
  }
}

/** What each policy asks to have for itself, whether it gets it or not. Emissary's own namespace is the platform's. */
function* claimsOf(edge: Edge): Iterable<Claimed> {
  for (const claimed of allClaims(edge)) if (claimed.policy.namespace !== edge.settings.namespace) yield claimed;
}

function* allClaims(edge: Edge): Iterable<Claimed> {
  let served: ReadonlyMap<RouteGroup, readonly string[]> | undefined;
  for (const policy of standing(edge, 'Mapping')) {
    const claim = mappingClaim(policy);
    if (claim) yield claim;
  }
  // Without a host of its own a Mapping claims those of the Hosts that take it.
  for (const group of edge.groups) {
    // One that has a host has members with hosts alone.
    if (group.internal || group.host !== null) continue;
    for (const { policy } of [...group.members, ...group.shadows]) {
      if (mappingClaim(policy)) continue;
      served ??= hostsByGroup(edge);
      for (const host of served.get(group) ?? []) yield { policy, host, prefix: prefixOf(policy) };
    }
  }
  for (const policy of standing(edge, 'TCPMapping')) {
    yield { policy, host: textAt(policy.spec, 'host') || '*', prefix: undefined };
  }
  for (const policy of standing(edge, 'Host')) {
    yield { policy, host: textAt(policy.spec, 'hostname') || '*', prefix: undefined };
  }
}

const claimOf = aboutPolicies.remembered((policy: Policy): Claimed | 'none' => {
  const host = hostOf(policy);
  return host === undefined ? 'none' : { policy, host: host === '' ? undefined : host, prefix: prefixOf(policy) };
});

/** Undefined: it names no host. */
function mappingClaim(policy: Policy): Claimed | undefined {
  const claim = claimOf(policy);
  return claim === 'none' ? undefined : claim;
}

/** Empty: a regular expression, which can mean any host. Undefined: it names none. */
function hostOf({ spec }: Policy): string | undefined {
  const hostname = textAt(spec, 'hostname');
  if (hostname) return hostname;
  const host = textAt(spec, 'host');
  if (host) return isTrueAt(spec, 'host_regex') ? '' : host;
  return textAt(spec, 'headers', ':authority') || undefined;
}

function prefixOf({ spec }: Policy): string {
  const prefix = textAt(spec, 'prefix') ?? '';
  return isTrueAt(spec, 'prefix_regex') ? literalStart(prefix) : prefix;
}

function hostsByGroup(edge: Edge): ReadonlyMap<RouteGroup, readonly string[]> {
  const served = new Map<RouteGroup, string[]>();
  const add = (group: RouteGroup, hostname: string) => {
    const hosts = served.get(group);
    if (!hosts) served.set(group, [hostname]);
    else if (!hosts.includes(hostname)) hosts.push(hostname);
  };
  for (const { chains } of edge.listeners) {
    for (const { vhosts } of chains)
      for (const { host, groups } of vhosts) for (const group of groups) add(group, host.hostname);
  }
  return served;
}

function saidClaim({ host, prefix }: Claim): string {
  return `${host === undefined ? 'any host' : shown(host)}${prefix === undefined ? '' : ` ${shown(prefix)}`}`;
}

function saidGrant({ hosts, prefixes }: { hosts: readonly string[]; prefixes: readonly string[] }): string {
  const [all, every] = [hosts.length === 0, prefixes.length === 0];
  return `${all ? 'every host' : shown(hosts.join(', '))}${every ? '' : ` below ${shown(prefixes.join(', '))}`}`;
}

function trafficOfClaim({ host, prefix }: Claim): Pick<Hit, 'traffic'> {
  return { traffic: { ...(host !== undefined && { host }), ...(prefix !== undefined && { path: prefix }) } };
}

function* kindNotGranted({ edge, guard }: Judged): Iterable<Hit> {
  if (guard.grants.length === 0 && guard.unclaimed !== 'Deny') return;
  const grants = grantsOf(guard);
  for (const policy of edge.policies) {
    const { kind, namespace } = policy;
    if (kind === 'Mapping' || kind === 'TCPMapping' || namespace === edge.settings.namespace) continue;
    const own = grants.of(namespace);
    const allowed =
      own.length === 0
        ? guard.unclaimed !== 'Deny'
        : own.some(({ kinds }) => kinds.length === 0 || kinds.includes(kind));
    if (allowed) continue;
    const object = partyOf(policy);
    const holders = own.map(({ holder }) => holder).join(', ');
    const message =
      own.length === 0
        ? `${describe(object)}: namespace ${namespace} has no grant, and only a grant allows a ${kind}`
        : `${describe(object)}: the grant of ${holders} allows ${shown([...new Set(own.flatMap(({ kinds }) => kinds))].join(', '))}, no ${kind}`;
    yield { object, message };
  }
}

function* foreignTls({ edge, guard }: Judged): Iterable<Hit> {
  if (guard.grants.length === 0 && guard.unclaimed !== 'Deny') return;
  const grants = grantsOf(guard);
  for (const { policy, context } of contextUses(edge)) {
    if (grants.together(policy.namespace, context.namespace)) continue;
    const [object, other] = [partyOf(policy), partyOf(context)];
    yield { object, other, message: `${describe(object)} uses ${describe(other)} of another team` };
  }
  for (const { policy, field, name, namespace } of secretUses(edge)) {
    if (grants.together(policy.namespace, namespace)) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} has ${field} ${shown(`${namespace}/${name}`)}, a Secret of another team`;
    yield { object, detail: `${field} ${namespace}/${name}`, message };
  }
}
