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
