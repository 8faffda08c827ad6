/**
 * What was worked out about an item, kept with the item itself: whatever outlives a compilation takes with it what is known
 * about it, and when it goes that goes too. Weak maps would do the same, but a dozen of ten thousand entries each were half
 * the time of a judgement: every garbage collection walks through all of them.
 */
export type Facts = unknown[];

export interface Remembering {
  readonly facts: Facts;
}

let places = 0;
const blank: Facts = [];

/** For an item about which nothing is known yet. As long as it will ever be: an array that grows takes room for sixteen more. */
export function noFacts(): Facts {
  blank.length = places;
  return blank.slice();
}

/** Room for one fact about an item, where what it holds for has to be looked at each time. */
export class Fact<Item extends Remembering, Value extends object | string> {
  readonly #place = places++;

  of({ facts }: Item): Value | undefined {
    return facts[this.#place] as Value | undefined;
  }

  set({ facts }: Item, value: Value): Value {
    facts[this.#place] = value;
    return value;
  }
}

/** The same function, asked only once for each item. What it answers may depend on nothing but the item. */
export function remembered<Item extends Remembering, Value extends object | string>(
  work: (item: Item) => Value,
): (item: Item) => Value {
  const fact = new Fact<Item, Value>();
  return (item) => fact.of(item) ?? fact.set(item, work(item));
}
