import { HostNames } from './host-names.ts';
import { globsOverlap, isGlob } from './hostglob.ts';
import type { Host, RouteGroup } from './model.ts';
import { labelsMatch } from './selector.ts';

/** What each Host serves, and what none does. */
export interface Attachment {
  readonly served: ReadonlyMap<Host, readonly RouteGroup[]>;
  readonly unserved: readonly RouteGroup[];
}

/** A Host with what was found for it so far. */
interface Serving {
  readonly host: Host;
  readonly groups: RouteGroup[];
}

/**
 * Which groups each Host serves, in the order of `groups`. A group is compared with the few Hosts whose name fits, so
 * the work does not grow with Hosts × groups.
 */
export function attach(hosts: readonly Host[], groups: readonly RouteGroup[], strict: boolean): Attachment {
  const index = new HostIndex(hosts);
  const unserved = groups.filter((group) => !giveTo(index.candidates(group, strict), group, strict));
  return { served: new Map(index.all.map((serving) => [serving.host, serving.groups])), unserved };
}

/** Is there a Host that takes it? */
function giveTo(candidates: readonly Serving[], group: RouteGroup, strict: boolean): boolean {
  let isServed = false;
  for (const serving of candidates) {
    if (!serves(serving.host, group, strict)) continue;
    isServed = true;
    serving.groups.push(group);
  }
  return isServed;
}

/**
 * Does a Host serve a group? One with a selector wants its labels, and its hostname to fit if the group has one; one without
 * wants the hostname to fit. A group without a host is served by Hosts with a selector alone. Not strict: either is enough.
 * (Upstream: ir/irhost.py, matches_httpgroup.)
 */
export function serves(
  { hostname, selector }: Host,
  { internal, hostRegex, hostGlob, labels }: RouteGroup,
  strict: boolean,
): boolean {
  if (internal) return true;
  const named = hostRegex !== null || hostGlob !== null;
  const byHost = hostRegex !== null || (hostGlob !== null && globsOverlap(hostname, hostGlob));
  const byLabels = selector !== undefined && labelsMatch(selector, labels, strict);
  if (!strict) return byHost || byLabels;
  if (selector === undefined) return byHost;
  return byLabels && (byHost || !named);
}

/** Narrows down which Hosts a group has to be compared with. */
export class HostIndex {
  readonly all: readonly Serving[];
  /** Those that serve what names no host. */
  readonly #selecting: readonly Serving[];
  readonly #names: HostNames;
  readonly #fitting = new Map<string, readonly Serving[]>();

  constructor(hosts: readonly Host[]) {
    this.all = hosts.map((host) => ({ host, groups: [] }));
    this.#selecting = this.all.filter(({ host }) => host.selector !== undefined);
    this.#names = new HostNames(hosts.map(({ hostname }) => hostname));
  }

  candidates({ internal, hostRegex, hostGlob }: RouteGroup, strict: boolean): readonly Serving[] {
    if (internal || hostRegex !== null || !strict) return this.all;
    if (hostGlob === null) return this.#selecting;
    const known = this.#fitting.get(hostGlob);
    if (known) return known;
    const overlapping = this.#names.overlapping(hostGlob).map((position) => this.all[position]!);
    const fitting = isGlob(hostGlob) ? overlapping : sameFirst(overlapping, hostGlob);
    this.#fitting.set(hostGlob, fitting);
    return fitting;
  }
}

function sameFirst(servings: readonly Serving[], hostname: string): readonly Serving[] {
  const isSame = ({ host }: Serving): boolean => host.hostname === hostname;
  return [...servings.filter(isSame), ...servings.filter((serving) => !isSame(serving))];
}
