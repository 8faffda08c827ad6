import { NONE } from '../none.ts';
import type { Scope } from './declare.ts';
import { shared } from './words.ts';

/** The scope that objects of a kind were placed by. */
export interface Placement {
  readonly group: string;
  readonly kind: string;
  /** undefined: nobody knew the kind. */
  readonly scope: Scope | undefined;
}

/** Does the cluster place objects of these kinds elsewhere now? What it no longer knows stays where it was. */
export function isPlacedElsewhere(
  placements: readonly Placement[],
  scopeOf: (group: string, kind: string) => Scope | undefined,
): boolean {
  return placements.some(({ group, kind, scope }) => (scopeOf(group, kind) ?? scope) !== scope);
}

/** Each kind once with each scope, from the lists of many files. */
export function allPlacements(lists: Iterable<readonly Placement[]>): Placement[] {
  const all = new Map<string, Placement>();
  for (const list of new Set(lists)) for (const placed of list) all.set(JSON.stringify(placed), placed);
  return [...all.values()];
}

/** More than there are combinations of kinds in the files of a large cluster. */
const LISTS_KEPT = 10_000;
const LONGEST_NAME = 500;
const lists = new Map<string, readonly Placement[]>();

/** The same list each time for the same placement: thousands of files hold one object of the same kind. */
export function sharedPlacements(placements: readonly Placement[]): readonly Placement[] {
  if (placements.length === 0) return NONE;
  const list = placements.map(({ group, kind, scope }) => ({ group: shared(group), kind: shared(kind), scope }));
  const name = JSON.stringify(placements);
  if (placements.length > 1 || name.length > LONGEST_NAME) return list;
  const known = lists.get(name);
  if (known) return known;
  if (lists.size >= LISTS_KEPT) lists.clear();
  lists.set(name, list);
  return list;
}
