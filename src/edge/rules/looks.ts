import type { Hit, Rule } from '../finding.ts';
import type { Edge } from '../model.ts';

type Look<Item> = (item: Item) => Iterable<Hit>;

/** What one rule found in one item; `error`: it threw after that. */
interface Found {
  readonly rule: number;
  readonly hits: readonly Hit[];
  readonly error?: Error;
}

const NOTHING: readonly Found[] = [];

/**
 * Rules that look at one item of the edge at a time and at nothing else. What they find is remembered with the item, and
 * items outlive compilations: after a change only the changed ones are looked at. All these rules share one walk over the
 * items, because twenty walks over ten thousand policies that did not change take longer than compiling the change.
 */
export class Looks<Item extends object> {
  readonly #itemsOf: (edge: Edge) => readonly Item[];
  readonly #sortOf: (item: Item) => string;
  readonly #looks: { readonly look: Look<Item>; readonly sorts: ReadonlySet<string> | 'every' }[] = [];
  /** Sort → numbers of the rules that look at it. */
  readonly #bySort = new Map<string, number[]>();
  readonly #remembered = new WeakMap<Item, { readonly asked: number; readonly found: readonly Found[] }>();
  readonly #byEdge = new WeakMap<Edge, { readonly asked: number; readonly byRule: readonly Found[][] }>();

  constructor(itemsOf: (edge: Edge) => readonly Item[], sortOf: (item: Item) => string) {
    this.#itemsOf = itemsOf;
    this.#sortOf = sortOf;
  }

  /** The `find` of one more such rule, which looks at items of some sorts. */
  add(look: Look<Item>, sorts: ReadonlySet<string> | 'every' = 'every'): Rule['find'] {
    const rule = this.#looks.push({ look, sorts }) - 1;
    this.#bySort.clear();
    const foundBy = (edge: Edge) => this.#walk(edge)[rule] ?? [];
    return function* ({ edge }) {
      for (const { hits, error } of foundBy(edge)) {
        yield* hits;
        if (error !== undefined) throw error;
      }
    };
  }

  #walk(edge: Edge): readonly Found[][] {
    const asked = this.#looks.length;
    const known = this.#byEdge.get(edge);
    if (known?.asked === asked) return known.byRule;
    const byRule: Found[][] = this.#looks.map(() => []);
    for (const item of this.#itemsOf(edge)) for (const found of this.#foundIn(item)) byRule[found.rule]?.push(found);
    this.#byEdge.set(edge, { asked, byRule });
    return byRule;
  }

  #foundIn(item: Item): readonly Found[] {
    const asked = this.#looks.length;
    const known = this.#remembered.get(item);
    if (known?.asked === asked) return known.found;
    const found: Found[] = [];
    for (const rule of this.#rulesFor(this.#sortOf(item))) {
      const one = ask(this.#looks[rule]!.look, rule, item);
      if (one) found.push(one);
    }
    this.#remembered.set(item, { asked, found: found.length === 0 ? NOTHING : found });
    return found;
  }

  #rulesFor(sort: string): readonly number[] {
    const known = this.#bySort.get(sort);
    if (known) return known;
    const rules = this.#looks.flatMap(({ sorts }, rule) => (sorts === 'every' || sorts.has(sort) ? [rule] : []));
    this.#bySort.set(sort, rules);
    return rules;
  }
}

/** Undefined: nothing found. */
function ask<Item>(look: Look<Item>, rule: number, item: Item): Found | undefined {
  let hits: Hit[] | undefined;
  try {
    for (const hit of look(item)) (hits ??= []).push(hit);
  } catch (error) {
    return { rule, hits: hits ?? [], error: error instanceof Error ? error : new Error(String(error)) };
  }
  return hits && { rule, hits };
}
