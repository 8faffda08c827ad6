import { HostNames } from './host-names.ts';
import { globsOverlap, isGlob } from './hostglob.ts';
import type { Host, RouteGroup } from './model.ts';
import { SelectorIndex } from './selector-index.ts';
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
 * Which groups each Host serves, in the order of `groups`. A group is compared with the few Hosts whose name and selector fit, so
 * the work does not grow with Hosts × groups.
 */
export function attach(hosts: readonly Host[], groups: readonly RouteGroup[], strict: boolean): Attachment {
  const index = new HostIndex(hosts, strict);
  const unserved = groups.filter((group) => !giveTo(index.candidates(group), group, strict));
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
  { isEverywhere, hostRegex, hostGlob, labels }: RouteGroup,
  strict: boolean,
): boolean {
  if (isEverywhere) return true;
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
  readonly #strict: boolean;
  readonly #names: HostNames;
  readonly #everywhere: Choice;
  /** Those that serve what names no host. */
  readonly #selecting: Choice;
  readonly #fitting = new Map<string, Choice>();
  /** Asked only when not strict. */
  #selectors: SelectorIndex | undefined;

  /** `strict`: all labels of a selector are asked for. */
  constructor(hosts: readonly Host[], strict: boolean) {
    this.all = hosts.map((host) => ({ host, groups: [] }));
    this.#strict = strict;
    this.#names = new HostNames(hosts.map(({ hostname }) => hostname));
    this.#everywhere = new Choice(this.all);
    this.#selecting = new Choice(this.all.filter(({ host }) => host.selector !== undefined));
  }

  candidates(group: RouteGroup): readonly Serving[] {
    const { isEverywhere, hostRegex, hostGlob, labels } = group;
    if (isEverywhere) return this.all;
    if (!this.#strict) return this.#byNameOrLabels(group);
    if (hostRegex !== null) return this.#everywhere.for(labels);
    return hostGlob === null ? this.#selecting.for(labels) : this.#byName(hostGlob).for(labels);
  }

  #byName(hostGlob: string): Choice {
    const known = this.#fitting.get(hostGlob);
    if (known) return known;
    const overlapping = this.#names.overlapping(hostGlob).map((position) => this.all[position]!);
    const fitting = new Choice(isGlob(hostGlob) ? overlapping : sameFirst(overlapping, hostGlob));
    this.#fitting.set(hostGlob, fitting);
    return fitting;
  }

  #byNameOrLabels({ hostRegex, hostGlob, labels }: RouteGroup): readonly Serving[] {
    if (hostRegex !== null) return this.all;
    this.#selectors ??= new SelectorIndex(
      this.all.map(({ host }) => host.selector),
      false,
    );
    const byLabels = this.#selectors.matching(labels);
    const found = new Set([...(hostGlob === null ? [] : this.#names.overlapping(hostGlob)), ...byLabels]);
    return [...found].sort((a, b) => a - b).map((position) => this.all[position]!);
  }
}

/** So few are held against the labels themselves. */
const FEW = 8;

/** Hosts whose name fits, to be told apart by their selectors, all of whose labels are asked for. */
class Choice {
  readonly #servings: readonly Serving[];
  readonly #isTold: boolean;
  #selectors: SelectorIndex | undefined;

  constructor(servings: readonly Serving[]) {
    this.#servings = servings;
    this.#isTold = servings.length > FEW && servings.some(({ host }) => host.selector !== undefined);
  }

  /** Those that have no selector or one that fits; of few all. */
  for(labels: RouteGroup['labels']): readonly Serving[] {
    if (!this.#isTold) return this.#servings;
    this.#selectors ??= new SelectorIndex(
      this.#servings.map(({ host }) => host.selector ?? {}),
      true,
    );
    return this.#selectors.matching(labels).map((position) => this.#servings[position]!);
  }
}

function sameFirst(servings: readonly Serving[], hostname: string): readonly Serving[] {
  const isSame = ({ host }: Serving): boolean => host.hostname === hostname;
  return [...servings.filter(isSame), ...servings.filter((serving) => !isSame(serving))];
}
