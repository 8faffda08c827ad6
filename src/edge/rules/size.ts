import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Host, Policy, RouteGroup } from '../model.ts';
import { ownersOf, policiesIn } from '../owner.ts';
import { describe, ownerOf, partyOf } from '../party.ts';

/**
 * Envoy holds a route for each Host that serves a Mapping, at a kilobyte and more. What many write for their own Hosts stays
 * far below; regular expressions for all Hosts, times Hosts, do not.
 */
const MOST_ROUTES = 500_000;

export const SIZE_RULES: readonly Rule[] = [
  {
    id: 'EM00C',
    name: 'too-many-routes',
    severity: 'error',
    impact: 'freeze',
    when: 'The Mappings of one owner, or his Hosts, make more than 500,000 routes: a Mapping makes one on each Host that serves it.',
    means:
      'Every route is written out for every Host. Emissary and Envoy run out of memory or time over them, and no change of anybody is taken up.',
    mend: 'Name the hosts that are meant in place of `*`, `host_regex` or none, or let the Hosts select their Mappings by labels.',
    find: tooManyRoutes,
  },
];

/** What one owner's policies come to. */
interface Share {
  routes: number;
  /** The one that most of them come from; of several the first by name. */
  most: { policy: Policy; routes: number };
}

function* tooManyRoutes({ edge }: Judged): Iterable<Hit> {
  const served = servedIn(edge);
  let all = 0;
  for (const groups of served.values()) all += groups.length;
  if (all <= MOST_ROUTES) return;
  for (const [owner, { routes, most }] of [...sharesOfHosts(served), ...sharesOfMappings(served)]) {
    if (routes <= MOST_ROUTES) continue;
    const object = partyOf(most.policy);
    const what = `the ${object.kind}s of ${owner} make ${routes} routes, and no more than ${MOST_ROUTES} may be one owner's`;
    yield { object, detail: owner, message: `${describe(object)} makes ${most.routes} routes: ${what}` };
  }
}

/** What each Host serves that a Listener takes. */
function servedIn({ listeners }: Edge): ReadonlyMap<Host, readonly RouteGroup[]> {
  const served = new Map<Host, readonly RouteGroup[]>();
  for (const { chains } of listeners) {
    for (const { vhosts } of chains) for (const { host, groups } of vhosts) served.set(host, groups);
  }
  return served;
}

function sharesOfHosts(served: ReadonlyMap<Host, readonly RouteGroup[]>): Map<string, Share> {
  const shares = new Map<string, Share>();
  for (const [{ policy }, { length }] of served) if (policy) add(shares, ownerOf(policy), policy, length);
  return shares;
}

function sharesOfMappings(served: ReadonlyMap<Host, readonly RouteGroup[]>): Map<string, Share> {
  const times = new Map<RouteGroup, number>();
  for (const groups of served.values()) for (const group of groups) times.set(group, (times.get(group) ?? 0) + 1);
  const shares = new Map<string, Share>();
  for (const [group, number] of times) {
    const [policy] = policiesIn(group);
    if (policy && !group.internal) for (const owner of ownersOf(group)) add(shares, owner, policy, number);
  }
  return shares;
}

function add(shares: Map<string, Share>, owner: string, policy: Policy, routes: number): void {
  const share = shares.get(owner) ?? { routes: 0, most: { policy, routes } };
  shares.set(owner, share);
  share.routes += routes;
  const { most } = share;
  const isMore = routes > most.routes || (routes === most.routes && policy.key < most.policy.key);
  if (isMore) share.most = { policy, routes };
}
