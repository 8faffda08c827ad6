import { hostCovers, literalOf } from './containment.ts';
import { aboutGroups } from './facts.ts';
import { isGlob } from './hostglob.ts';
import type { RouteGroup, ValueMatch } from './model.ts';
import { ownersOf } from './owner.ts';

/**
 * Finds the few routes that may cover a given one. Comparing each with each would be quadratic, so they lie
 * - by host: a host is covered by itself, by `*` and by few globs, found once for each host;
 * - by the text that their paths start with, sorted: what covers a path starts with one of its beginnings, and those are
 *   chained, each to the longest other one that it starts with;
 * - by one header or query parameter: who asks for a header covers only those that ask for it too.
 * So a route costs log n, the length of its chain (never more than the length of its path, so that all together cost no more
 * than there is text to read) and what it finds there. As a last
 * resort against policies made to be slow, of one place no more than `MOST` are looked at.
 */
export class RouteIndex {
  /** One for each host. */
  readonly neighbourhoods: readonly Neighbourhood[];
  readonly #entries: readonly Entry[];
  #everywhere: PathIndex | undefined;

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
    const byHost = Map.groupBy(this.#entries, ({ host }) => host);
    const hosts = [...byHost.values()].map((entries) => PathIndex.of(entries));
    const wide = new WideHosts(hosts);
    this.neighbourhoods = hosts.map((own) => ({
      own,
      covering: [own, ...wide.covering(own)],
      isWide: hosts.length > 1 && isWide(own.entries[0]!.group),
    }));
  }

  /** Of all hosts what may cover the path of a route and what else it asks for: of narrower ones it may take a part. */
  everywhere(entry: Entry): Entry[] {
    this.#everywhere ??= new PathIndex(this.#entries);
    const found: Entry[] = [];
    this.#everywhere.collect(entry, found);
    return found;
  }
}

/** The routes of one host, and where those lie that may cover them. */
export interface Neighbourhood {
  readonly own: PathIndex;
  /** Its own first, then those of wider hosts. The same objects as before when nothing changed in them. */
  readonly covering: readonly PathIndex[];
  /** There are hosts beside it that it may cover. */
  readonly isWide: boolean;
}

/** Does it take more names than one? */
function isWide({ hostGlob, hostRegex }: RouteGroup): boolean {
  return hostRegex !== null || hostGlob === null || isGlob(hostGlob);
}

/** Hosts that take more names than one, by the text that these names have in common. */
class WideHosts {
  /** `*` and regular expressions: they may cover any other. */
  readonly #any: PathIndex[] = [];
  /** `*.a.com` → under `*.a.com`; its length is kept, so that only texts of known lengths are looked for. */
  readonly #globs = new Map<string, PathIndex>();
  readonly #lengths = new Set<number>();

  constructor(hosts: readonly PathIndex[]) {
    for (const host of hosts) {
      const { group } = host.entries[0]!;
      const glob = group.hostRegex === null ? (group.hostGlob ?? '*') : '*';
      if (!isWide(group)) continue;
      if (glob === '*') this.#any.push(host);
      else this.#globs.set(glob, host);
      this.#lengths.add(glob.length - 1);
    }
    // As many regular expressions for hosts as one could ever read.
    this.#any.splice(MOST);
  }

  covering(host: PathIndex): PathIndex[] {
    const { group } = host.entries[0]!;
    const name = group.hostGlob ?? '*';
    const found = new Set(this.#any);
    for (const length of this.#lengths) {
      if (length === 0 || length > name.length) continue;
      for (const glob of [`*${name.slice(-length)}`, `${name.slice(0, length)}*`]) {
        const index = this.#globs.get(glob);
        if (index) found.add(index);
      }
    }
    return [...found].filter((other) => other !== host && hostCovers(other.entries[0]!.group, group));
  }
}

/** A route and where it lies; remembered with the group, which outlives compilations. */
export interface Entry {
  readonly group: RouteGroup;
  readonly owners: ReadonlySet<string>;
  /** Groups of one `host` take the same host names. */
  readonly host: string;
  readonly path: string;
  /** One thing that whoever it covers must ask for too. Empty: it asks for nothing. */
  readonly asks: string;
  /** The `asks` of whatever may cover it. */
  readonly asked: readonly string[];
}

export const entryOf = aboutGroups.remembered((group: RouteGroup): Entry => {
  const { hostGlob, hostRegex } = group;
  const values = valuesOf(group);
  const own = values.find(({ match }) => match === 'exact') ?? values[0];
  return {
    group,
    owners: ownersOf(group),
    host: hostRegex === null ? (hostGlob ?? '*') : `~${hostRegex}`,
    path: literalOf(group),
    asks: own ? waysToAsk(own)[0]! : '',
    asked: values.length === 0 ? NOTHING_ELSE : ['', ...values.flatMap(waysToAsk)],
  };
});

const NOTHING_ELSE: readonly string[] = [''];
const NO_VALUES: readonly ValueMatch[] = [];

/** What a route asks for beside host and path: nothing, mostly. */
function valuesOf({ headers, query }: RouteGroup): readonly ValueMatch[] {
  if (query.length === 0 && headers.every(isAuthority)) return NO_VALUES;
  return [...headers, ...query].filter((value) => !isAuthority(value));
}

function isAuthority({ name }: ValueMatch): boolean {
  return name === ':authority';
}

/** Under what those lie that this may be covered by: the same value, and anything else that is asked of the name. */
function waysToAsk({ name, match, value }: ValueMatch): string[] {
  const any = name.toLowerCase();
  return match === 'exact' ? [`${any}=${value ?? ''}`, any] : [any];
}

const MOST = 200;

/** So many lie at one place before they are sorted by what they ask for. */
const FEW = 8;

/** Routes by the text that their paths start with. */
export class PathIndex {
  readonly entries: readonly Entry[];
  readonly #sensitive: Places;
  readonly #insensitive: Places | undefined;

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
    const insensitive = new Set(entries.filter(({ group }) => !group.caseSensitive && group.path.match !== 'regex'));
    const isSensitive = (entry: Entry) => !insensitive.has(entry);
    this.#sensitive = new Places(insensitive.size === 0 ? entries : entries.filter(isSensitive));
    this.#insensitive = insensitive.size === 0 ? undefined : new Places([...insensitive]);
  }

  /** The one from before, when nothing changed. */
  static of(entries: readonly Entry[]): PathIndex {
    const known = indexes.get(entries[0]!);
    if (known?.entries.length === entries.length && entries.every((entry, at) => known.entries[at] === entry))
      return known;
    const index = new PathIndex(entries);
    indexes.set(entries[0]!, index);
    return index;
  }

  /** Adds what lies at the path of the route, then at shorter and shorter beginnings of it. */
  collect({ path, asked }: Entry, found: Entry[]): void {
    this.#sensitive.collect(path, asked, found);
    this.#insensitive?.collect(path.toLowerCase(), asked, found);
  }
}

const indexes = new WeakMap<Entry, PathIndex>();

/** The paths of one host, sorted. A place is one path with the routes that lie there; there are thousands, so it is a number. */
class Places {
  readonly #entries: readonly Entry[];
  /** Of each place the first of its routes in the list. */
  readonly #starts: number[] = [];
  /** Of each place the longest other one that it starts with; -1: none. */
  readonly #shorter: number[] = [];
  /** Of places where many lie: these by what they ask for beside the path. */
  readonly #byAsks = new Map<number, ReadonlyMap<string, readonly Entry[]>>();

  constructor(entries: readonly Entry[]) {
    this.#entries = entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    for (let from = 0; from < entries.length;) {
      let to = from + 1;
      while (to < entries.length && this.#entries[to]!.path === this.#entries[from]!.path) to++;
      this.#add(from, to);
      from = to;
    }
  }

  #add(from: number, to: number): void {
    const here = this.#entries.slice(from, to);
    const place = this.#starts.push(from) - 1;
    this.#shorter.push(this.#beginningOf(here[0]!.path, place - 1));
    if (here.length > FEW)
      this.#byAsks.set(
        place,
        Map.groupBy(here, ({ asks }) => asks),
      );
  }

  /** Adds what lies at the path, then at shorter and shorter beginnings of it. */
  collect(path: string, asked: readonly string[], found: Entry[]): void {
    let place = this.#beginningOf(path, this.#lastUpTo(path));
    for (; place >= 0; place = this.#shorter[place]!) for (const asks of asked) this.#collectAt(place, asks, found);
  }

  #collectAt(place: number, asks: string, found: Entry[]): void {
    const many = this.#byAsks.get(place);
    if (many) {
      for (const entry of many.get(asks)?.slice(0, MOST) ?? NO_ENTRIES) found.push(entry);
      return;
    }
    for (let at = this.#starts[place]!, end = this.#endOf(place); at < end; at++) {
      const entry = this.#entries[at]!;
      if (entry.asks === asks) found.push(entry);
    }
  }

  /** The place itself where the path starts with it, or the longest one in its chain that it does start with; -1: none. */
  #beginningOf(path: string, last: number): number {
    let place = last;
    while (place >= 0 && !path.startsWith(this.#pathAt(place))) place = this.#shorter[place]!;
    return place;
  }

  /** The last place that sorts no later: the longest beginning of the path is it, or in its chain. */
  #lastUpTo(path: string): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pathAt(middle) <= path) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #pathAt(place: number): string {
    return this.#entries[this.#starts[place]!]!.path;
  }

  #endOf(place: number): number {
    return this.#starts[place + 1] ?? this.#entries.length;
  }
}

const NO_ENTRIES: readonly Entry[] = [];
