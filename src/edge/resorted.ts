/**
 * Sorts lists that are nearly the same each time. What lay before and behind the changed part last time is laid out in the
 * order that was found for it then, so that sorting has hardly anything left to do. The order is that of `compare` alone, of
 * equal ones that of the list: memory saves time and decides nothing.
 */
export class Resorted<Item> {
  #items: readonly Item[] = [];
  /** Places in `#items`, sorted. */
  #order: readonly number[] = [];

  sort(items: readonly Item[], compare: (a: Item, b: Item) => number): Item[] {
    const order = this.#asBefore(items);
    order.sort((a, b) => compare(items[a]!, items[b]!) || a - b);
    this.#items = items;
    this.#order = order;
    return order.map((at) => items[at]!);
  }

  #asBefore(items: readonly Item[]): number[] {
    const before = this.#items;
    const shorter = Math.min(items.length, before.length);
    let start = 0;
    while (start < shorter && items[start] === before[start]) start++;
    let same = 0;
    while (same < shorter - start && items.at(-1 - same) === before.at(-1 - same)) same++;
    const moved = items.length - before.length;
    const order: number[] = [];
    for (const at of this.#order) {
      if (at < start) order.push(at);
      else if (at >= before.length - same) order.push(at + moved);
    }
    for (let at = start; at < items.length - same; at++) order.push(at);
    return order;
  }
}
