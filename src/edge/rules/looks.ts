import { NONE } from '../../none.ts';
import type { FactsAbout, Remembering } from '../facts.ts';
import type { Edge } from '../model.ts';
import { Relisted } from '../relisted.ts';

/** What one look found in one item; `error`: it threw after that. */
interface Found {
  readonly look: number;
  readonly findings: readonly unknown[];
  readonly error?: Error;
}

type Look<Item> = (item: Item) => Iterable<unknown>;

/** How a look is asked for: only at items that are of one of these sorts and have one of these traits. */
export interface Scope {
  readonly sorts: readonly string[] | 'every';
  readonly traits: readonly string[] | 'any';
}

/** A look and where it is begun. `ifAt`: a cheap question whose no says that the look would find nothing. */
interface Begun<Item> {
  readonly look: Look<Item>;
  readonly ifAt: ((item: Item) => boolean) | undefined;
  readonly scope: Scope;
}

/**
 * Looks at one item of the edge at a time and at nothing else. What they find is remembered with the item, and items outlive
 * compilations: after a change only the changed ones are looked at. All looks share one walk over the items, because twenty
 * walks over ten thousand policies that did not change take longer than compiling the change; and a look is not even begun
 * at an item that lacks what it is about.
 */
export class Looks<Item extends Remembering> {
  readonly #itemsOf: (edge: Edge) => readonly Item[];
  readonly #sortOf: (item: Item) => string;
  readonly #traitsOf: (item: Item) => readonly string[];
  readonly #foundIn: (item: Item) => readonly Found[];
  readonly #looks: Begun<Item>[] = [];
  /** Of one sort: the looks at every item of it, and those at what has a trait. */
  readonly #bySort = new Map<string, { always: readonly number[]; byTrait: ReadonlyMap<string, readonly number[]> }>();
  readonly #byEdge = new WeakMap<Edge, readonly Found[][]>();
  readonly #found = Relisted.bySettings<Item, Found>();
  /** Of each look the item at which it was begun last: two traits of one item may ask for the same look. */
  readonly #latest: (Item | undefined)[] = [];

  constructor(
    about: FactsAbout<Item>,
    itemsOf: (edge: Edge) => readonly Item[],
    sortOf: (item: Item) => string,
    traitsOf: (item: Item) => readonly string[],
  ) {
    this.#itemsOf = itemsOf;
    this.#sortOf = sortOf;
    this.#traitsOf = traitsOf;
    this.#foundIn = about.remembered((item) => this.#lookAt(item));
  }

  /** One more look, before the first edge is walked over; gives what it found in all items, in their order. */
  add<Finding>(
    look: (item: Item) => Iterable<Finding>,
    scope: Scope,
    ifAt?: (item: Item) => boolean,
  ): (edge: Edge) => Iterable<Finding> {
    const number = this.#looks.push({ look, scope, ifAt }) - 1;
    const foundBy = (edge: Edge) => this.#walk(edge)[number] ?? NONE;
    return function* (edge) {
      for (const { findings, error } of foundBy(edge)) {
        yield* findings as readonly Finding[];
        if (error !== undefined) throw error;
      }
    };
  }

  #walk(edge: Edge): readonly Found[][] {
    const known = this.#byEdge.get(edge);
    if (known) return known;
    const byLook: Found[][] = this.#looks.map(() => []);
    const all = this.#found(edge.settings).flatMap(this.#itemsOf(edge), this.#foundIn);
    for (const found of all) byLook[found.look]?.push(found);
    this.#byEdge.set(edge, byLook);
    return byLook;
  }

  #lookAt(item: Item): readonly Found[] {
    const { always, byTrait } = this.#ofSort(this.#sortOf(item));
    let found = this.#begin(always, item, NONE);
    for (const trait of this.#traitsOf(item)) found = this.#begin(byTrait.get(trait) ?? NONE, item, found);
    return found;
  }

  /** Adds what these looks find in an item, each begun once. */
  #begin(numbers: readonly number[], item: Item, before: readonly Found[]): readonly Found[] {
    let found = before;
    for (const number of numbers) {
      if (this.#latest[number] === item) continue;
      this.#latest[number] = item;
      const one = askOne(this.#looks[number]!, number, item);
      if (one) found = [...found, one];
    }
    return found;
  }

  #ofSort(sort: string) {
    const known = this.#bySort.get(sort);
    if (known) return known;
    const always: number[] = [];
    const byTrait = new Map<string, number[]>();
    for (const [number, { scope }] of this.#looks.entries()) {
      if (scope.sorts !== 'every' && !scope.sorts.includes(sort)) continue;
      if (scope.traits === 'any') always.push(number);
      else for (const trait of scope.traits) byTrait.set(trait, [...(byTrait.get(trait) ?? []), number]);
    }
    const looks = { always, byTrait };
    this.#bySort.set(sort, looks);
    return looks;
  }
}

/** Undefined: nothing found. */
function askOne<Item>({ look, ifAt }: Begun<Item>, number: number, item: Item): Found | undefined {
  let findings: unknown[] | undefined;
  try {
    if (ifAt && !ifAt(item)) return undefined;
    for (const finding of look(item)) (findings ??= []).push(finding);
  } catch (error) {
    return { look: number, findings: findings ?? [], error: error instanceof Error ? error : new Error(String(error)) };
  }
  return findings && { look: number, findings };
}
