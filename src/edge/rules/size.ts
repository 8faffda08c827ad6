import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Host, Listener, Policy, RouteGroup } from '../model.ts';
import { ownersOf, policiesIn } from '../owner.ts';
import { describe, ownerOf, partyOf } from '../party.ts';

/**
 * Envoy holds a route for each Host that serves a Mapping, at a kilobyte and more. What many write for their own Hosts stays
 * far below; regular expressions for all Hosts, times Hosts, do not.
 */
const MOST_ROUTES = 500_000;

/** Each Listener writes its routes anew: two that take all Hosts, for HTTP and HTTPS, write each route three times. */
const MOST_WRITTEN = 4 * MOST_ROUTES;

export const SIZE_RULES: readonly Rule[] = [
  {
    id: 'EM00C',
    name: 'too-many-routes',
    severity: 'error',
    impact: 'freeze',
    when: 'The Mappings of one owner, or his Hosts, make more than 500,000 routes: a Mapping makes one on each Host that serves it. Or his Listeners write more than 2,000,000: each writes those of all Hosts that it takes, in clear text and for TLS. It stops nobody but the owner and whoever brings most of them.',
    means:
      'Every route is written out for every Host. Emissary and Envoy run out of memory or time over them, and no change of anybody is taken up.',
    mend: 'Name the hosts that are meant in place of `*`, `host_regex` or none, or let the Hosts select their Mappings by labels, and the Listeners their Hosts.',
    find: tooManyRoutes,
  },
];

/** What one owner's policies come to. */
interface Share {
  routes: number;
  /** The one that most of them come from; of several the first by name. */
  most: { policy: Policy; routes: number };
}

type Shares = ReadonlyMap<string, Share>;
type Served = ReadonlyMap<Host, readonly RouteGroup[]>;

function* tooManyRoutes({ edge }: Judged): Iterable<Hit> {
  const served = servedBy(edge.listeners);
  let all = 0;
  for (const groups of served.values()) all += groups.length;
  for (const [owner, share] of sharesOfListeners(edge)) {
    if (share.routes <= MOST_WRITTEN) continue;
    const own = edge.listeners.filter(({ policy }) => policy && ownerOf(policy) === owner);
    yield hitOf(owner, share, MOST_WRITTEN, sharesOfMappings(servedBy(own)));
  }
  if (all <= MOST_ROUTES) return;
  for (const [owner, share] of sharesOfHosts(served)) {
    if (share.routes <= MOST_ROUTES) continue;
    const own = [...served].filter(([{ policy }]) => policy && ownerOf(policy) === owner);
    yield hitOf(owner, share, MOST_ROUTES, sharesOfMappings(new Map(own)));
  }
  for (const [owner, share] of sharesOfMappings(served)) {
    if (share.routes <= MOST_ROUTES) continue;
    const own = [...served].map(([host, groups]) => {
      return [host, groups.filter((group) => ownersOf(group).has(owner))] as const;
    });
    yield hitOf(owner, share, MOST_ROUTES, sharesOfHosts(new Map(own)));
  }
}

/**
 * `others`: who has a hand in it from the other side. Whoever comes after somebody who took nearly everything is not stopped by
 * it; and who gives up a part is not stopped because another object of his is the greatest then.
 */
function hitOf(owner: string, { routes, most }: Share, limit: number, others: Shares): Hit {
  const object = partyOf(most.policy);
  const [greatest] = [...others.values()].sort((a, b) => b.routes - a.routes).map(({ most: { policy } }) => policy);
  const what = `the ${object.kind}s of ${owner} make ${routes} routes, and no more than ${limit} may be one owner's`;
  return {
    object,
    ...(greatest && ownerOf(greatest) !== owner && { other: partyOf(greatest) }),
    objectMayChange: true,
    otherMayChange: true,
    stopsParties: true,
    detail: `${object.kind} ${owner}`,
    message: `${describe(object)} makes ${most.routes} routes: ${what}`,
  };
}

/** What each Host serves that one of these takes. */
function servedBy(listeners: readonly Listener[]): Served {
  const served = new Map<Host, readonly RouteGroup[]>();
  for (const { chains } of listeners) {
    for (const { vhosts } of chains) for (const { host, groups } of vhosts) served.set(host, groups);
  }
  return served;
}

function sharesOfListeners({ listeners }: Edge): Shares {
  const shares = new Map<string, Share>();
  for (const { policy, chains } of listeners) {
    let written = 0;
    for (const { vhosts } of chains) for (const { groups } of vhosts) written += groups.length;
    if (policy) add(shares, ownerOf(policy), policy, written);
  }
  return shares;
}

function sharesOfHosts(served: Served): Shares {
  const shares = new Map<string, Share>();
  for (const [{ policy }, { length }] of served) if (policy) add(shares, ownerOf(policy), policy, length);
  return shares;
}

function sharesOfMappings(served: Served): Shares {
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
