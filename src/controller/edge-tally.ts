import type { Edge } from '../edge/model.ts';

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
export function tallyOf({ groups, tcpGroups, hosts }: Edge): ReadonlyMap<string, Tally> {
  const tallies = new Map<string, Tally>();
  const of = (source: string): Tally => {
    let tally = tallies.get(source);
    if (!tally) tallies.set(source, (tally = { routes: 0, hosts: 0, members: 0 }));
    return tally;
  };
  for (const group of [...groups, ...tcpGroups]) {
    const others = 'shadows' in group ? [group.redirect, ...group.shadows.map(({ policy }) => policy)] : [];
    const policies = [...group.members.map(({ policy }) => policy), ...others];
    const sources = policies.flatMap((policy) => policy?.origin.source ?? []);
    for (const source of sources) of(source).members += 1;
    for (const source of new Set(sources)) of(source).routes += 1;
  }
  for (const { policy } of hosts) if (policy?.origin.source !== undefined) of(policy.origin.source).hosts += 1;
  return tallies;
}
