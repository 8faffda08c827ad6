import { fieldOf, type TrieItem } from './fields.ts';
import { KeyIndex, saidOf } from './key-index.ts';

/**
 * Which owned item of an associative list each declared item is: one entry for each of `items`, undefined when none is left.
 *
 * The server fills in key fields that have defaults (a port's `protocol`) before it makes the key, and a manifest may leave
 * them out. So complete matches are taken first, and what is left is matched by the key fields that the manifest does say.
 */
export function pairItems(items: readonly unknown[], owned: readonly TrieItem[]): (TrieItem | undefined)[] {
  const paired = items.map((): TrieItem | undefined => undefined);
  const free = new Map<string, TrieItem>(owned.map((item) => [JSON.stringify(item.key), item]));
  const take = (index: number, item: TrieItem | undefined): void => {
    if (!item || !free.delete(JSON.stringify(item.key))) return;
    paired[index] = item;
  };
  // All items of a list have the same key fields, and the server writes them in one order.
  const names = owned.length > 0 ? Object.keys(owned[0]!.key) : [];
  for (const [index, item] of items.entries()) {
    const key = JSON.stringify(Object.fromEntries(names.map((name) => [name, fieldOf(item, name)])));
    take(index, free.get(key));
  }
  // Each of a long list must not be looked for in all the others, nor past those that are taken.
  let left: KeyIndex<TrieItem> | undefined;
  const passed = new Map<readonly TrieItem[], number>();
  const saysNothingElse = (item: unknown): TrieItem | undefined => {
    left ??= new KeyIndex([...free.values()], ({ key }) => key);
    const candidates = left.having(declaredKey(item, owned));
    let at = passed.get(candidates) ?? 0;
    while (at < candidates.length && !free.has(JSON.stringify(candidates[at]!.key))) at += 1;
    passed.set(candidates, at);
    return candidates[at];
  };
  for (const [index, item] of items.entries()) {
    if (!paired[index] && free.size > 0) take(index, saysNothingElse(item));
  }
  return paired;
}

/** The part of the key that a declared item says itself: what it can be called by when nobody owns it. */
export function declaredKey(item: unknown, owned: readonly TrieItem[]): Record<string, unknown> {
  return saidOf(item, owned.length > 0 ? Object.keys(owned[0]!.key) : []);
}
