import { globsOverlap, isGlob } from './hostglob.ts';
import type { Host, RouteGroup } from './model.ts';
import { labelsMatch } from './selector.ts';

/** What each Host serves, and what none does. */
export interface Attachment {
  readonly served: ReadonlyMap<Host, readonly RouteGroup[]>;
  readonly unserved: readonly RouteGroup[];
}

/**
 * Which groups each Host serves, in the order of `groups` (ir/irhost.py, matches_httpgroup). A group is compared with the
 * Hosts of its own name and with the few whose name is a glob, so the work does not grow with Hosts × groups.
 */
export function attach(hosts: readonly Host[], groups: readonly RouteGroup[], strict: boolean): Attachment {
  const served = new Map(hosts.map((host) => [host, [] as RouteGroup[]]));
  const unserved: RouteGroup[] = [];
  const byName = new HostsByName(hosts);
  for (const group of groups) {
    let isServed = false;
    for (const host of candidates(group, byName, strict)) {
      if (!serves(host, group, strict)) continue;
      isServed = true;
      served.get(host)?.push(group);
    }
    if (!isServed) unserved.push(group);
  }
  return { served, unserved };
}

/**
 * A Host with a selector wants its labels, and its hostname to fit if the group has one; a Host without wants the hostname to
 * fit. A group without a host is served by Hosts with a selector alone. Not strict: either is enough.
 */
export function serves(host: Host, group: RouteGroup, strict: boolean): boolean {
  if (group.internal) return true;
  const { hostname, selector } = host;
  const named = group.hostRegex !== null || group.hostGlob !== null;
  const byHost = group.hostRegex !== null || (group.hostGlob !== null && globsOverlap(hostname, group.hostGlob));
  const byLabels = selector !== undefined && labelsMatch(selector, group.labels, strict);
  if (!strict) return byHost || byLabels;
  if (selector === undefined) return byHost;
  return byLabels && (byHost || !named);
}

function candidates(
  { internal, hostRegex, hostGlob }: RouteGroup,
  hosts: HostsByName,
  strict: boolean,
): Iterable<Host> {
  if (internal || hostRegex !== null || !strict) return hosts.all;
  if (hostGlob === null) return hosts.selecting;
  return isGlob(hostGlob) ? hosts.all : hosts.named(hostGlob);
}

class HostsByName {
  readonly all: readonly Host[];
  /** Those that have more than one name. */
  readonly globs: readonly Host[];
  /** Those with a selector. */
  readonly selecting: readonly Host[];
  readonly #exact = new Map<string, Host[]>();

  constructor(hosts: readonly Host[]) {
    this.all = hosts;
    this.selecting = hosts.filter(({ selector }) => selector !== undefined);
    this.globs = hosts.filter(({ hostname }) => isGlob(hostname));
    for (const host of hosts) {
      if (isGlob(host.hostname)) continue;
      const same = this.#exact.get(host.hostname);
      if (same) same.push(host);
      else this.#exact.set(host.hostname, [host]);
    }
  }

  /** Those that a name without a glob can fit to. */
  *named(name: string): Iterable<Host> {
    yield* this.#exact.get(name) ?? [];
    yield* this.globs;
  }
}
