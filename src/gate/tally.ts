import type { Edge, Policy, RouteGroup } from '../edge/model.ts';
import { policiesIn } from '../edge/owner.ts';
import { Pool } from '../edge/pool.ts';
import { Relisted } from '../edge/relisted.ts';

/** How much of the edge is one source's. */
export interface Tally {
  /** Route groups that it has a part in. */
  routes: number;
  /** Hosts that are served. */
  hosts: number;
  /** Mappings and TCPMappings that get traffic, redirects and shadows included. */
  members: number;
}

/** How large the whole edge is, whoever made it. */
export type EdgeSize = Pick<Tally, 'routes' | 'hosts'>;

/** Without what Emissary adds by itself. */
export function sizeOf({ groups, tcpGroups, hosts }: Edge): EdgeSize {
  const routes = groups.reduce((count, { internal }) => (internal ? count : count + 1), tcpGroups.length);
  return { routes, hosts: hosts.filter(({ policy }) => policy).length };
}

/** By source; what nobody declares is nobody's. */
export function tallyOf({ settings, groups, tcpGroups, hosts }: Edge): ReadonlyMap<string, Tally> {
  const tallies = new Map<string, Tally>();
  const of = (source: string): Tally => {
    let tally = tallies.get(source);
    if (!tally) tallies.set(source, (tally = { routes: 0, hosts: 0, members: 0 }));
    return tally;
  };
  const count = (sources: readonly string[], number: number) => {
    for (const source of sources) of(source).members += number;
    for (const source of new Set(sources)) of(source).routes += number;
  };
  // Thousands of routes share the few lists that name one source.
  const routes = new Map<readonly string[], number>();
  relisted(settings)
    .flatMap(groups, (group) => [sourcesOfRoute(group)])
    .forEach((sources) => routes.set(sources, (routes.get(sources) ?? 0) + 1));
  for (const [sources, number] of routes) count(sources, number);
  for (const { members } of tcpGroups) count(sourcesOf(members.map(({ policy }) => policy)), 1);
  for (const { policy } of hosts) if (policy?.origin.source !== undefined) of(policy.origin.source).hosts += 1;
  return tallies;
}

const relisted = Relisted.bySettings<RouteGroup, readonly string[]>();

/** Of every Mapping in it, one for each. */
function sourcesOfRoute(group: RouteGroup): readonly string[] {
  const policies = policiesIn(group);
  const source = policies[0]?.origin.source;
  if (policies.length > 1 || source === undefined) return sourcesOf(policies);
  return alone.shared(source, () => [source]);
}

/** Each source of a route of its own. */
const alone = new Pool<readonly string[]>();

function sourcesOf(policies: readonly Policy[]): readonly string[] {
  return policies.flatMap(({ origin }) => origin.source ?? []);
}
