/**
 * Sorts lists that are nearly the same each time. What lay before and behind the changed part last time keeps the order that
 * was found for it then; only the changed part is sorted, and laid in between. The order is that of `compare` alone, of equal
 * ones that of the list: memory saves time and decides nothing.
 */
export class Resorted<Item> {
  #items: readonly Item[] = [];
  /** Places in `#items`, sorted. */
  #order: readonly number[] = [];

  sort(items: readonly Item[], compare: (a: Item, b: Item) => number): Item[] {
    const { known, changed } = this.#divide(items);
    const byOrder = (a: number, b: number) => compare(items[a]!, items[b]!) || a - b;
    const order = merged(known, changed.sort(byOrder), byOrder);
    this.#items = items;
    this.#order = order;
    return order.map((at) => items[at]!);
  }

  /** Places in `items`: of what was there before, sorted, and of the others. */
  #divide(items: readonly Item[]): { known: number[]; changed: number[] } {
    const before = this.#items;
    const shorter = Math.min(items.length, before.length);
    let start = 0;
    while (start < shorter && items[start] === before[start]) start++;
    let same = 0;
    while (same < shorter - start && items[items.length - 1 - same] === before[before.length - 1 - same]) same++;
    const moved = items.length - before.length;
    const known: number[] = [];
    for (const at of this.#order) {
      if (at < start) known.push(at);
      else if (at >= before.length - same) known.push(at + moved);
    }
    const changed: number[] = [];
    for (let at = start; at < items.length - same; at++) changed.push(at);
    return { known, changed };
  }
}

/** Two sorted lists as one; quick where the second is short. */
function merged(long: number[], short: readonly number[], compare: (a: number, b: number) => number): number[] {
  if (long.length === 0) return [...short];
  const all: number[] = [];
  let done = 0;
  for (const one of short) {
    let [low, high] = [done, long.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(long[middle]!, one) < 0) low = middle + 1;
      else high = middle;
    }
    while (done < low) all.push(long[done++]!);
    all.push(one);
  }
  while (done < long.length) all.push(long[done++]!);
  return all;
}
