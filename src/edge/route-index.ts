import { hostCovers, literalOf } from './containment.ts';
import { isGlob } from './hostglob.ts';
import type { RouteGroup, ValueMatch } from './model.ts';

/**
 * Finds the few routes that may cover a given one. Comparing each with each would be quadratic, so they lie
 * - by host: a host is covered by itself, by `*` and by few globs, found once for each host;
 * - by the text that their paths start with, sorted: what covers a path starts with one of its beginnings, and those are
 *   chained, each to the longest other one that it starts with;
 * - by one header or query parameter: who asks for a header covers only those that ask for it too.
 * So a route costs log n, the length of its chain (never more than the length of its path) and what it finds there. As a last
 * resort against policies made to be slow, of one place no more than `MOST` are looked at.
 */
export class RouteIndex {
  readonly #byHost = new Map<string, PathIndex>();
  readonly #everywhere: PathIndex;
  /** The hosts that a host is covered by, itself first. */
  readonly #covering = new Map<string, PathIndex[]>();
  readonly #wide: [RouteGroup, PathIndex][] = [];

  constructor(groups: readonly RouteGroup[]) {
    const byHost = new Map<string, RouteGroup[]>();
    for (const group of groups) {
      const same = byHost.get(hostKey(group));
      if (same) same.push(group);
      else byHost.set(hostKey(group), [group]);
    }
    for (const [host, same] of byHost) {
      const index = new PathIndex(same);
      this.#byHost.set(host, index);
      const [first] = same;
      if (first && isWide(first)) this.#wide.push([first, index]);
    }
    this.#everywhere = new PathIndex(groups);
  }

  /** What may cover the route; it may be among them. Compare with `covers`. */
  *mayCover(group: RouteGroup): Iterable<RouteGroup> {
    for (const index of this.#coveringHosts(group)) yield* index.mayCover(group);
  }

  /** Routes on narrower hosts, of which it may take a part. */
  mayBeNarrower(group: RouteGroup): Iterable<RouteGroup> {
    return isWide(group) ? this.#everywhere.mayCover(group) : [];
  }

  #coveringHosts(group: RouteGroup): readonly PathIndex[] {
    const key = hostKey(group);
    const known = this.#covering.get(key);
    if (known) return known;
    const own = this.#byHost.get(key);
    const others = this.#wide.filter(([wide, index]) => index !== own && hostCovers(wide, group));
    const covering = [...(own ? [own] : []), ...others.map(([, index]) => index)];
    this.#covering.set(key, covering);
    return covering;
  }
}

/** Groups of one key take the same host names. */
function hostKey({ hostGlob, hostRegex }: RouteGroup): string {
  return hostRegex === null ? (hostGlob ?? '*') : `~${hostRegex}`;
}

/** Does it take more names than one? */
function isWide({ hostGlob, hostRegex }: RouteGroup): boolean {
  return hostRegex !== null || hostGlob === null || isGlob(hostGlob);
}

const MOST = 100;

interface Place {
  readonly path: string;
  /** The longest other one that this one starts with. */
  readonly shorter: Place | undefined;
  /** By what they ask for beside the path. */
  readonly groups: Map<string, RouteGroup[]>;
}

/** Routes by the text that their paths start with. */
class PathIndex {
  readonly #sensitive: readonly Place[];
  readonly #insensitive: readonly Place[];

  constructor(groups: readonly RouteGroup[]) {
    const insensitive = groups.filter(({ caseSensitive, path }) => !caseSensitive && path.match !== 'regex');
    const sensitive = insensitive.length === 0 ? groups : groups.filter((group) => !insensitive.includes(group));
    this.#sensitive = placesOf(sensitive);
    this.#insensitive = placesOf(insensitive);
  }

  *mayCover(group: RouteGroup): Iterable<RouteGroup> {
    const literal = literalOf(group);
    const asked = [...group.headers, ...group.query].flatMap(waysToAsk);
    yield* beginningsOf(this.#sensitive, literal, asked);
    if (this.#insensitive.length > 0) yield* beginningsOf(this.#insensitive, literal.toLowerCase(), asked);
  }
}

function placesOf(groups: readonly RouteGroup[]): Place[] {
  const byPath = new Map<string, Map<string, RouteGroup[]>>();
  for (const group of groups) {
    const path = literalOf(group);
    const place = byPath.get(path) ?? new Map<string, RouteGroup[]>();
    byPath.set(path, place);
    const asks = firstAsked(group);
    const same = place.get(asks);
    if (same) same.push(group);
    else place.set(asks, [group]);
  }
  const places: Place[] = [];
  for (const path of [...byPath.keys()].sort()) {
    let shorter = places.at(-1);
    while (shorter && !path.startsWith(shorter.path)) shorter = shorter.shorter;
    places.push({ path, shorter, groups: byPath.get(path) ?? new Map() });
  }
  return places;
}

/** Those at the path itself first, then at shorter and shorter beginnings of it. */
function* beginningsOf(places: readonly Place[], path: string, asked: readonly string[]): Iterable<RouteGroup> {
  let place = lastUpTo(places, path);
  while (place && !path.startsWith(place.path)) place = place.shorter;
  for (; place; place = place.shorter) {
    for (const ask of ['', ...asked]) yield* place.groups.get(ask)?.slice(0, MOST) ?? [];
  }
}

/** The last place that sorts no later: the longest beginning of the path is it, or in its chain. */
function lastUpTo(places: readonly Place[], path: string): Place | undefined {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]!.path <= path) low = middle + 1;
    else high = middle;
  }
  return places[low - 1];
}

/** Under what a route is kept: one thing that whoever it covers must ask for too. Empty: it asks for nothing. */
function firstAsked({ headers, query }: RouteGroup): string {
  const all = [...headers, ...query].filter(({ name }) => name !== ':authority');
  const [one] = [...all.filter(({ match }) => match === 'exact'), ...all];
  return one ? waysToAsk(one)[0]! : '';
}

/** Under what those lie that this may be covered by: the same value, and anything else that is asked of the name. */
function waysToAsk({ name, match, value }: ValueMatch): string[] {
  if (name === ':authority') return [];
  const any = name.toLowerCase();
  return match === 'exact' ? [`${any}=${value ?? ''}`, any] : [any];
}
