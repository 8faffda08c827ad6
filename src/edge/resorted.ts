/**
 * Sorts lists that are nearly the same each time. What was there before is laid out as it lay then, so that sorting finds
 * hardly anything to do. The order is that of `compare` alone: memory saves time and decides nothing, as long as `compare`
 * is 0 for nothing but equals.
 */
export class Resorted<Item extends object> {
  #last: readonly Item[] = [];

  sort(items: readonly Item[], compare: (a: Item, b: Item) => number): readonly Item[] {
    const left = new Set(items);
    // The same one twice has no place of its own.
    if (left.size < items.length) return items.toSorted(compare);
    const laid: Item[] = [];
    for (const item of this.#last) if (left.delete(item)) laid.push(item);
    for (const item of left) laid.push(item);
    this.#last = laid.sort(compare);
    return laid;
  }
}

/** The place of an item in a list, for ties: looked up only when there is one. */
export function placesIn<Item>(items: readonly Item[]): (item: Item) => number {
  let places: ReadonlyMap<Item, number> | undefined;
  return (item) => {
    places ??= new Map(items.map((one, at) => [one, at]));
    return places.get(item) ?? -1;
  };
}
