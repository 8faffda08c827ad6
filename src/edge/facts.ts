import type { Policy, RouteGroup } from './model.ts';

/**
 * What was worked out about an item, kept with the item itself: whatever outlives a compilation takes with it what is known
 * about it, and when it goes that goes too. Weak maps would do the same, but a dozen of ten thousand entries each were half
 * the time of a judgement: every garbage collection walks through all of them.
 */
export type Facts = unknown[];

export interface Remembering {
  readonly facts: Facts;
}

/** The facts about items of one sort: each has its place in the list that every such item brings along. */
class FactsAbout<Item extends Remembering> {
  #places = 0;
  readonly #blank: Facts = [];

  /** For an item about which nothing is known yet. As long as it will ever be: an array that grows takes room for sixteen more. */
  none(): Facts {
    this.#blank.length = this.#places;
    return this.#blank.slice();
  }

  /** Room for one fact about an item, where what it holds for has to be looked at each time. */
  fact<Value extends object | string>(): Fact<Item, Value> {
    return new Fact(this.#places++);
  }

  /** The same function, asked only once for each item. What it answers may depend on nothing but the item. */
  remembered<Value extends object | string>(work: (item: Item) => Value): (item: Item) => Value {
    const fact = this.fact<Value>();
    return (item) => fact.of(item) ?? fact.set(item, work(item));
  }
}

class Fact<Item extends Remembering, Value extends object | string> {
  readonly #place: number;

  constructor(place: number) {
    this.#place = place;
  }

  of({ facts }: Item): Value | undefined {
    return facts[this.#place] as Value | undefined;
  }

  set({ facts }: Item, value: Value): Value {
    facts[this.#place] = value;
    return value;
  }
}

export type { FactsAbout };
export const aboutPolicies = new FactsAbout<Policy>();
export const aboutGroups = new FactsAbout<RouteGroup>();
