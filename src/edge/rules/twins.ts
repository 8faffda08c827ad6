import type { Edge, Host, Listener } from '../model.ts';

/** A Host, and the first one of its Listener that has the same name. */
interface Twins {
  readonly listener: Listener;
  readonly before: Host;
  readonly host: Host;
}

/** Those of each Listener; Listeners that share their Hosts are searched once. `nameOf`: what counts as the same name. */
export function* twinsOf(edge: Edge, nameOf: (host: Host) => string): Iterable<Twins> {
  const known = new Map<readonly Host[], readonly Omit<Twins, 'listener'>[]>();
  for (const listener of edge.listeners) {
    const twins = known.get(listener.hosts) ?? twinsAmong(listener.hosts, nameOf);
    known.set(listener.hosts, twins);
    for (const pair of twins) yield { listener, ...pair };
  }
}

function twinsAmong(hosts: readonly Host[], nameOf: (host: Host) => string): Omit<Twins, 'listener'>[] {
  const first = new Map<string, Host>();
  return hosts.flatMap((host) => {
    const before = first.get(nameOf(host));
    if (!before) first.set(nameOf(host), host);
    return before ? [{ before, host }] : [];
  });
}
