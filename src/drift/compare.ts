import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { ownable } from './coverage.ts';
import { fieldOf, isLeaf, isMap, trieItems, trieValues, type FieldPath, type TrieItem } from './fields.ts';
import { isMember, itemIn } from './lookup.ts';
import { declaredKey, pairItems } from './pairs.ts';

/** A declared field whose live value is another; `live` is undefined when it is gone. */
export interface Difference {
  readonly path: FieldPath;
  readonly declared: unknown;
  readonly live: unknown;
}

/**
 * Where the live values are not the declared ones, at the declared leaves. The trie says what a list is: items are matched
 * by the trie's own keys (reordering is no difference), sets by membership, an atomic node is one value. Where the trie is
 * silent (nobody's, or lost), maps are compared field by field and lists whole.
 *
 * The server writes some values its own way (quantities, defaults inside atomic nodes); those are differences here, and
 * only a dry-run can tell.
 */
export function differences(declared: KubeObject, live: KubeObject, fields: FieldsV1): Difference[] {
  // Never a leaf: an object of which we own nothing is still compared field by field.
  return differencesBelow(ownable(declared), live, { '.': {}, ...fields });
}

type Same = (declared: unknown, live: unknown) => boolean;

/**
 * As `differences`, from any node; `path` is where the two values are. `same` says when two leaves are equal; for a path that
 * is lost, where nothing vouches for what the server left out, that is plain equality.
 */
export function differencesBelow(
  declared: unknown,
  live: unknown,
  node: FieldsV1 | undefined,
  path: FieldPath = [],
  same: Same = isServedAs,
): Difference[] {
  if (isMap(declared) && isMap(live) && !(node && isLeaf(node))) {
    return Object.entries(declared).flatMap(([name, value]) =>
      differencesBelow(value, fieldOf(live, name), node?.[`f:${name}`], [...path, { field: name }], same),
    );
  }
  if (Array.isArray(declared) && Array.isArray(live) && node) {
    const owned = trieItems(node);
    if (owned.length > 0) return itemDifferences(declared, live, owned, path, same);
    if (trieValues(node).length > 0) return memberDifferences(declared, live, path);
  }
  return same(declared, live) ? [] : [{ path, declared, live }];
}

function itemDifferences(
  declared: readonly unknown[],
  live: readonly unknown[],
  owned: readonly TrieItem[],
  path: FieldPath,
  same: Same,
): Difference[] {
  return pairItems(declared, owned).flatMap((pair, index) => {
    const key = pair?.key ?? declaredKey(declared[index], owned);
    return differencesBelow(declared[index], itemIn(live, key), pair?.node, [...path, { key }], same);
  });
}

function memberDifferences(declared: readonly unknown[], live: readonly unknown[], path: FieldPath): Difference[] {
  const missing = declared.filter((value) => !isMember(live, value));
  return missing.map((value) => ({ path: [...path, { value }], declared: value, live: undefined }));
}

/**
 * Is `live` what the server gives back for `declared`? Equal, or left out because it is the zero of its type: the server
 * drops `""`, `0`, `false`, `[]`, `{}` and null from most built-in kinds while it goes on owning them for us. A declared
 * null asks for whatever the default is, so it equals everything.
 */
export function isServedAs(declared: unknown, live: unknown): boolean {
  if (declared === live || declared === null) return true;
  if (live === undefined || live === null) return isZero(declared);
  if (Array.isArray(declared)) {
    return (
      Array.isArray(live) &&
      declared.length === live.length &&
      declared.every((item, index) => isServedAs(item, live[index]))
    );
  }
  if (!isMap(declared) || !isMap(live)) return false;
  if (Object.keys(live).some((name) => !Object.hasOwn(declared, name))) return false;
  return Object.entries(declared).every(([name, value]) => isServedAs(value, fieldOf(live, name)));
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isMap(value)) return Object.values(value).every(isZero);
  return value === null || value === undefined || value === '' || value === 0 || value === false;
}
