import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { isLeaf, isMap, ownedBy, trieItems, type FieldPath, type FieldStep } from './fields.ts';
import { nodeFor, resolveDeclared } from './lookup.ts';
import { AUTOSCALER_MANAGERS, matchesAny } from './managers.ts';
import { declaredKey, pairItems } from './pairs.ts';
import { reachOf } from './patterns.ts';

/** Who may hold fields of an object without it being drift or a foreign field: the declared ones are left out of every apply then. */
export interface Concession {
  /** Patterns. */
  readonly managers: readonly string[];
  /** As in `spec.drift.ignore`; absent: every field. */
  readonly paths?: readonly string[];
  /** Only what is written through this subresource. */
  readonly subresource?: string;
}

/** Holds for every object: replicas are an autoscaler's once it has scaled. A person's `kubectl scale` is drift. */
export const AUTOSCALED: Concession = { managers: AUTOSCALER_MANAGERS, subresource: 'scale' };

/** Is this entry's holder among those that the concession is for? Of which fields is another question, see `reach`. */
export function isHolder({ managers, subresource }: Concession, entry: ManagedFieldsEntry): boolean {
  return (subresource === undefined || entry.subresource === subresource) && matchesAny(managers, entry.manager);
}

/** How a concession and a field of this object meet, see `reachOf`. */
export function reach({ paths }: Concession, object: unknown, path: FieldPath): 'all' | 'part' | 'none' {
  return paths ? reachOf(paths, object, path) : 'all';
}

/** Lost paths, parted: what is left to those who hold it now, and what is drift. Together they cover the same fields. */
export interface Parted {
  readonly surrendered: FieldPath[];
  readonly lost: FieldPath[];
}

/**
 * Parts declared fields that are no longer ours (see `uncovered`) by who holds them now. A path stands for everything below
 * it, so where only some of that is conceded it is taken apart; the key fields of a list item never part from their item.
 * A field that nobody holds is lost: it was removed.
 */
export function partLost(
  lost: readonly FieldPath[],
  { declared, live, concessions }: { declared: KubeObject; live: KubeObject; concessions: readonly Concession[] },
): Parted {
  const entries = live.metadata.managedFields ?? [];
  const holders = concessions
    .map((concession) => ({ concession, theirs: entries.filter((entry) => isHolder(concession, entry)) }))
    .filter(({ theirs }) => theirs.length > 0);
  if (holders.length === 0) return { surrendered: [], lost: [...lost] };
  const shape = ownedBy(entries);

  const part = (path: FieldPath): Parted => {
    if (resolveDeclared(live, path) === undefined) return { surrendered: [], lost: [path] };
    const node = nodeFor(shape, path);
    const met = holders.flatMap(({ concession, theirs }) => {
      const how = reach(concession, declared, path);
      const held = how === 'none' ? how : holding(theirs, path, shape);
      return held === 'none' ? [] : [{ how, held }];
    });
    if (met.some(({ how, held }) => how === 'all' && held === 'all')) return { surrendered: [path], lost: [] };
    const children = met.length > 0 && node ? childrenOf(resolveDeclared(declared, path), node, path) : [];
    const parts = children.map((step) => part([...path, step]));
    const kept = parts.flatMap(({ surrendered }) => surrendered);
    const gone = parts.flatMap((one) => one.lost);
    if (kept.length === 0) return { surrendered: [], lost: [path] };
    return gone.length === 0 ? { surrendered: [path], lost: [] } : { surrendered: kept, lost: gone };
  };
  const parts = lost.map(part);
  return {
    surrendered: parts.flatMap(({ surrendered }) => surrendered),
    lost: parts.flatMap((one) => one.lost),
  };
}

/**
 * Do these entries hold the field itself (or an atomic one above it), or only something below? A node without children is an
 * atomic one, or a map or list that was applied empty; where anybody holds something below it, it is the latter.
 */
function holding(entries: readonly ManagedFieldsEntry[], path: FieldPath, shape: FieldsV1): 'all' | 'part' | 'none' {
  const nodes = entries.flatMap(({ fieldsV1 }) => (fieldsV1 && nodeFor(fieldsV1, path)) || []);
  const whole = nodeFor(shape, path);
  if (nodes.some(isLeaf) && whole && isLeaf(whole)) return 'all';
  return nodes.some((node) => !isLeaf(node)) ? 'part' : 'none';
}

/** The declared fields or items right below a path; the trie says which items a list has. None of what is atomic. */
function childrenOf(value: unknown, node: FieldsV1, path: FieldPath): FieldStep[] {
  if (isLeaf(node)) return [];
  const last = path.at(-1);
  const keys = last && 'key' in last ? Object.keys(last.key) : [];
  if (isMap(value)) return Object.keys(value).flatMap((field) => (keys.includes(field) ? [] : [{ field }]));
  if (!Array.isArray(value)) return [];
  const owned = trieItems(node);
  if (owned.length === 0) return [];
  return pairItems(value, owned).map((pair, index) => ({ key: pair?.key ?? declaredKey(value[index], owned) }));
}
