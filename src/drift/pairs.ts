import { fieldOf, type TrieItem } from './fields.ts';

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
  for (const [index, item] of items.entries()) {
    if (paired[index] || free.size === 0) continue;
    take(
      index,
      [...free.values()].find(({ key }) => saysNothingElse(item, key)),
    );
  }
  return paired;
}

function saysNothingElse(item: unknown, key: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(key).every(([name, value]) => [undefined, null, value].includes(fieldOf(item, name) as never));
}

/** The part of the key that a declared item says itself: what it can be called by when nobody owns it. */
export function declaredKey(item: unknown, owned: readonly TrieItem[]): Record<string, unknown> {
  const names = owned.length > 0 ? Object.keys(owned[0]!.key) : [];
  return Object.fromEntries(
    names.flatMap((name) => (fieldOf(item, name) == null ? [] : [[name, fieldOf(item, name)]])),
  );
}
