import { sameEnds } from './same-ends.ts';

/**
 * Sorts lists that are nearly the same each time. What lay before and behind the changed part last time keeps the order that
 * was found for it then; only the changed part is sorted, and laid in between. The order is that of `compare` alone, of equal
 * ones that of the list: memory saves time and decides nothing.
 */
export class Resorted<Item> {
  #items: readonly Item[] = [];
  /** Places in `#items`, sorted. */
  #order: Places = new Uint32Array();

  sort(items: readonly Item[], compare: (a: Item, b: Item) => number): Item[] {
    const { known, changed } = this.#divide(items);
    const byOrder = (a: number, b: number) => compare(items[a]!, items[b]!) || a - b;
    const order = merged(known, changed.sort(byOrder), byOrder);
    this.#items = items;
    this.#order = order;
    return items.map((_, place) => items[order[place]!]!);
  }

  /** Places in `items`: of what was there before, sorted, and of the others. */
  #divide(items: readonly Item[]): { known: Places; changed: Places } {
    const before = this.#items;
    const { start, end } = sameEnds(before, items);
    const moved = items.length - before.length;
    const known = new Uint32Array(start + end);
    let count = 0;
    this.#order.forEach((at) => {
      if (at < start) known[count++] = at;
      else if (at >= before.length - end) known[count++] = at + moved;
    });
    const changed = new Uint32Array(items.length - end - start).map((_, at) => start + at);
    return { known, changed };
  }
}

/** Numbers, and one piece of memory for all of them: of ten thousand each time, garbage collections would walk through a list. */
type Places = Uint32Array;

/** Two sorted lists as one; quick where the second is short. */
function merged(long: Places, short: Places, compare: (a: number, b: number) => number): Places {
  const all = new Uint32Array(long.length + short.length);
  let count = 0;
  let done = 0;
  for (const one of short) {
    let [low, high] = [done, long.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(long[middle]!, one) < 0) low = middle + 1;
      else high = middle;
    }
    all.set(long.subarray(done, low), count);
    count += low - done;
    done = low;
    all[count++] = one;
  }
  all.set(long.subarray(done), count);
  return all;
}
