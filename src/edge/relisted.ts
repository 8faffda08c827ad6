import { NONE } from '../none.ts';
import type { EdgeSettings } from './input.ts';
import { sameEnds } from './same-ends.ts';

/**
 * What is worked out item by item for lists that are nearly the same each time: an item before the first or behind the last one
 * that changed is not even touched. Walking over ten thousand items to find each unchanged costs more than working out the one.
 */
export class Relisted<Item, Out> {
  #given: readonly unknown[] = NONE;
  #items: readonly Item[] = NONE;
  #out: readonly Out[] = NONE;
  /** Of each of `#out` the place of the item that it came from. */
  #places = new Uint32Array();

  /** One for each settings, gone with them: what is remembered of an edge is remembered for its very settings. */
  static bySettings<Item, Out>(): (settings: EdgeSettings) => Relisted<Item, Out> {
    const known = new WeakMap<EdgeSettings, Relisted<Item, Out>>();
    return (settings) => {
      const relisted = known.get(settings) ?? new Relisted<Item, Out>();
      known.set(settings, relisted);
      return relisted;
    };
  }

  /**
   * `items.flatMap(work)`, and the very list of the last time when nothing changed. `work` may depend on its item and on what is
   * `given`; where that is not what it was, one by one, every item is asked again.
   */
  flatMap(
    items: readonly Item[],
    work: (item: Item) => readonly Out[],
    given: readonly unknown[] = NONE,
  ): readonly Out[] {
    const before = isSame(given, this.#given) ? this.#items : NONE;
    const { start, end } = sameEnds(before, items);
    if (start === items.length && this.#items === before && before.length === start) return this.#out;
    const changed: Out[] = [];
    const places: number[] = [];
    for (let place = start; place < items.length - end; place++) {
      for (const one of work(items[place]!)) {
        changed.push(one);
        places.push(place);
      }
    }
    const head = this.#resultsUpTo(start);
    const tail = end === 0 ? this.#out.length : this.#resultsUpTo(before.length - end);
    const moved = this.#places.subarray(tail).map((place) => place + items.length - before.length);
    this.#places = joined(this.#places.subarray(0, head), places, moved);
    this.#out = this.#out.slice(0, head).concat(changed, this.#out.slice(tail));
    this.#given = given;
    this.#items = items;
    return this.#out;
  }

  /** How many results came from the items before this place. */
  #resultsUpTo(place: number): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#places[middle]! < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function joined(...parts: ArrayLike<number>[]): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}
