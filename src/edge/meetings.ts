import { HostIndex, serves } from './attachment.ts';
import { isGlob } from './hostglob.ts';
import type { Edge, Host, RouteGroup } from './model.ts';

/** Where requests for a route can meet another one. */
export class Meetings {
  readonly #edge: Edge;
  readonly #strict: boolean;
  readonly #hosts: HostIndex;
  readonly #byName: ReadonlyMap<string, readonly Host[]>;
  /** What Listeners take a Host: one list stands for all Listeners that take the same Hosts. */
  #bound: Map<Host, Set<readonly Host[]>> | undefined;

  constructor(edge: Edge) {
    this.#edge = edge;
    this.#strict = edge.settings.strictLabelSelectors;
    this.#hosts = new HostIndex(edge.hosts, this.#strict);
    this.#byName = Map.groupBy(edge.hosts, ({ hostname }) => hostname);
  }

  /** Is there a Host that serves both, and gets requests of the later one? */
  happens(first: RouteGroup, later: RouteGroup): boolean {
    for (const host of this.servingOf(later)) {
      if (serves(host, first, this.#strict) && !this.#isOutdone(host, later)) return true;
    }
    return false;
  }

  /** Does a Host serve a route, and get its requests? */
  gives(host: Host, group: RouteGroup): boolean {
    return serves(host, group, this.#strict) && !this.#isOutdone(host, group);
  }

  /** The Hosts that serve a route. */
  *servingOf(group: RouteGroup): Iterable<Host> {
    for (const { host } of this.#hosts.candidates(group)) if (serves(host, group, this.#strict)) yield host;
  }

  /** A request goes to the Host of its very name, and to a wider one only where that is not. */
  #isOutdone(host: Host, { hostGlob }: RouteGroup): boolean {
    if (hostGlob === null || isGlob(hostGlob) || host.hostname === hostGlob) return false;
    // Connections over TLS go to Hosts that have a certificate.
    const own = (this.#byName.get(hostGlob) ?? []).filter(({ context }) => context ?? !host.context);
    if (own.length === 0) return false;
    return [...this.#listsOf(host)].every((list) => own.some((one) => this.#listsOf(one).has(list)));
  }

  #listsOf(host: Host): ReadonlySet<readonly Host[]> {
    this.#bound ??= listsByHost(this.#edge);
    return this.#bound.get(host) ?? new Set();
  }
}

function listsByHost({ listeners }: Edge): Map<Host, Set<readonly Host[]>> {
  const lists = new Map<Host, Set<readonly Host[]>>();
  for (const list of new Set(listeners.map(({ hosts }) => hosts))) {
    for (const host of list) lists.set(host, (lists.get(host) ?? new Set()).add(list));
  }
  return lists;
}
