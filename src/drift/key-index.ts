import { fieldOf } from './fields.ts';

/** Some fields and their values: what a list item says that makes it this item. */
export type Key = Readonly<Record<string, unknown>>;

/** What an item says of the fields with these names. */
export function saidOf(item: unknown, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name) => (fieldOf(item, name) == null ? [] : [[name, fieldOf(item, name)]])),
  );
}

/** Things by the values of some of their fields, in constant time for each that is asked for. */
export class KeyIndex<T> {
  readonly #things: readonly T[];
  readonly #fieldsOf: (thing: T) => unknown;
  readonly #text: (values: readonly unknown[]) => string;
  /** By the names that are asked for, then by the values there. */
  readonly #having = new Map<string, Map<string, T[]>>();
  /** By the names that are asked for, then by those that a thing says, then by their values: each with its place. */
  readonly #unopposed = new Map<string, Map<string, Map<string, { thing: T; place: number }>>>();

  /** `text`: equal for what counts as the same values. */
  constructor(
    things: readonly T[],
    fieldsOf: (thing: T) => unknown,
    text: (values: readonly unknown[]) => string = JSON.stringify,
  ) {
    this.#things = things;
    this.#fieldsOf = fieldsOf;
    this.#text = text;
  }

  /** What the first thing says; all items of a list have the same key fields. */
  get names(): readonly string[] {
    const [first] = this.#things;
    return first === undefined ? [] : Object.keys(this.#fieldsOf(first) as object);
  }

  /** Those that have all of these values, in order. */
  having(key: Key): readonly T[] {
    const names = Object.keys(key);
    const index = getOrMake(this.#having, JSON.stringify(names), () =>
      Map.groupBy(this.#things, (thing) => this.#valuesOf(this.#fieldsOf(thing), names)),
    );
    return index.get(this.#valuesOf(key, names)) ?? [];
  }

  /** The first one that says nothing against these values. */
  unopposed(key: Key): T | undefined {
    const names = Object.keys(key);
    const index = getOrMake(this.#unopposed, JSON.stringify(names), () => this.#bySaid(names));
    let first: { thing: T; place: number } | undefined;
    for (const [said, byValues] of index) {
      const found = byValues.get(this.#valuesOf(key, JSON.parse(said) as string[]));
      if (found && (!first || found.place < first.place)) first = found;
    }
    return first?.thing;
  }

  #bySaid(names: readonly string[]) {
    const index = new Map<string, Map<string, { thing: T; place: number }>>();
    for (const [place, thing] of this.#things.entries()) {
      const fields = this.#fieldsOf(thing);
      const said = names.filter((name) => fieldOf(fields, name) != null);
      const byValues = getOrMake(index, JSON.stringify(said), () => new Map<string, { thing: T; place: number }>());
      getOrMake(byValues, this.#valuesOf(fields, said), () => ({ thing, place }));
    }
    return index;
  }

  #valuesOf(fields: unknown, names: readonly string[]): string {
    return this.#text(names.map((name) => fieldOf(fields, name)));
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
