import { NONE } from '../none.ts';
import { coversFrom, hostCovers, pathCovers, valuesCover, witnessPath } from './containment.ts';
import type { Edge, RouteGroup } from './model.ts';
import { Relisted } from './relisted.ts';
import { entryOf, RouteIndex, type Entry, type Neighbourhood, type PathIndex } from './route-index.ts';
import { Meetings } from './meetings.ts';
import { compareWeights } from './route-order.ts';

/** Two routes of which the first is tried first. */
export interface Pair {
  readonly first: RouteGroup;
  readonly later: RouteGroup;
}

/** What routes do to each other. */
export interface Overlaps {
  /** `first` takes every request of `later`, of several the one that is tried first. That a Host serves both is still to be asked. */
  readonly covered: readonly Pair[];
  /** `first` takes a part of `later`, which is somebody else's, on a Host that gets requests for both: one pair for each owner, of those around it the nearest. */
  readonly carved: readonly Pair[];
}

/**
 * Of so many owners a route is told that it takes something from the routes around it. More is a nest that nobody reads through,
 * and in a deep one there would be as many as routes times owners. It hides no error: that is only who takes from narrower hosts.
 */
export const MOST_AROUND = 8;

const byEdge = new WeakMap<Edge, Overlaps>();
const byHost = new WeakMap<PathIndex, { readonly covering: readonly PathIndex[]; readonly overlaps: Overlaps }>();

/** Worked out once for each edge, and after a change again only for the hosts that it can matter to. */
export function overlapsOf(edge: Edge): Overlaps {
  const known = byEdge.get(edge);
  if (known) return known;
  const index = new RouteIndex(entries(edge.settings).flatMap(edge.groups, entriesIn));
  const covered: Pair[] = [];
  const carved: Pair[] = [];
  const meetings = new Meetings(edge);
  for (const neighbourhood of index.neighbourhoods) {
    const within = overlapsWithin(neighbourhood);
    covered.push(...within.covered);
    carved.push(...within.carved);
    if (neighbourhood.isWide)
      for (const entry of neighbourhood.own.entries) carved.push(...carvedElsewhere(entry, index, meetings));
  }
  const overlaps = { covered, carved: carved.filter(({ first, later }) => meetings.happens(first, later)) };
  byEdge.set(edge, overlaps);
  return overlaps;
}

const entries = Relisted.bySettings<RouteGroup, Entry>();

/** Emissary's own routes are everywhere, and a group that has only shadows is none. */
function entriesIn(group: RouteGroup): readonly Entry[] {
  const { internal, redirect, members } = group;
  return !internal && (redirect ?? members[0]) ? [entryOf(group)] : NONE;
}

function overlapsWithin({ own, covering }: Neighbourhood): Overlaps {
  const known = byHost.get(own);
  if (known?.covering.length === covering.length && covering.every((one, at) => known.covering[at] === one)) {
    return known.overlaps;
  }
  const overlaps = { covered: [] as Pair[], carved: [] as Pair[] };
  for (const entry of own.entries) addOverlaps(entry, covering, overlaps);
  byHost.set(own, { covering, overlaps });
  return overlaps;
}

/** What the routes near to one do to it, and it to them. */
function addOverlaps(
  entry: Entry,
  covering: readonly PathIndex[],
  { covered, carved }: { covered: Pair[]; carved: Pair[] },
): void {
  const { group } = entry;
  const near: Entry[] = [];
  for (const index of covering) index.collect(entry, near);
  let cover: RouteGroup | undefined;
  let [mine, cutting] = [entry.owners, entry.owners];
  const most = entry.owners.size + MOST_AROUND;
  for (const other of near) {
    if (other === entry) continue;
    if (coversFrom(other.group, group)) {
      if (isFirst(other.group, group)) {
        if (takesAll(other.group) && (!cover || isFirst(other.group, cover))) cover = other.group;
      } else if (mine.size < most && !other.owners.isSubsetOf(mine)) {
        mine = mine.union(other.owners);
        carved.push({ first: group, later: other.group });
      }
    } else if (!other.owners.isSubsetOf(cutting) && cuts(other.group, group) && isFirst(other.group, group)) {
      cutting = cutting.union(other.owners);
      carved.push({ first: other.group, later: group });
    }
  }
  if (cover) covered.push({ first: cover, later: group });
}

/** A route is held against so many others in vain; after them the first of each owner is taken, whether a Host serves both or not. */
const MOST_MISSES = 16;

/** What a route of a wide host takes from routes of narrower ones. */
function* carvedElsewhere(entry: Entry, index: RouteIndex, meetings: Meetings): Iterable<Pair> {
  const { group } = entry;
  const hosts = [...meetings.servingOf(group)];
  if (hosts.length === 0) return;
  let mine = entry.owners;
  let misses = 0;
  for (const other of index.everywhere(entry)) {
    if (other.host === entry.host || other.owners.isSubsetOf(mine)) continue;
    if (!takesPart(group, other.group) || isFirst(other.group, group)) continue;
    if (misses < MOST_MISSES && !hosts.some((host) => meetings.gives(host, other.group))) {
      misses += 1;
      continue;
    }
    mine = mine.union(other.owners);
    yield { first: group, later: other.group };
  }
}

/** Routes with one weight have the same path, headers and queries: which is tried first makes no difference that could be told. */
function isFirst(a: RouteGroup, b: RouteGroup): boolean {
  return compareWeights(a.weight, b.weight) > 0;
}

/** Weights may leave a part of the requests to the routes behind. */
function takesAll({ members, redirect }: RouteGroup): boolean {
  return redirect !== undefined || members.some(({ cumulative }) => cumulative >= 100);
}

/** Does the regular expression of the first take some of the paths of the second? */
function cuts(first: RouteGroup, later: RouteGroup): boolean {
  return (
    first.path.match === 'regex' && witnessPath(first, later) !== undefined && valuesCover(first.headers, later.headers)
  );
}

/** Is the first within the second but for its host, which is wider? */
function takesPart(first: RouteGroup, later: RouteGroup): boolean {
  return (
    hostCovers(first, later) &&
    pathCovers(later, first) &&
    valuesCover(later.headers, first.headers) &&
    valuesCover(later.query, first.query)
  );
}
