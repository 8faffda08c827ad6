/** So many different values are told apart; then it begins anew. Only who shares with whom depends on it. */
const MOST = 20_000;

/** One value for each text: what ten thousand policies say alike is held once. */
export class Pool<Value> {
  readonly #values = new Map<string, Value>();

  /** The value that came first with this text. */
  shared(text: string, value: () => Value): Value {
    const known = this.#values.get(text);
    if (known !== undefined) return known;
    if (this.#values.size >= MOST) this.#values.clear();
    const made = value();
    this.#values.set(text, made);
    return made;
  }
}

/** The text itself, one for all that are equal: what compares them later sees at once that they are. */
export class TextPool {
  readonly #texts = new Pool<string>();

  shared(text: string): string {
    return this.#texts.shared(text, () => text);
  }
}

/** One value for each pair of texts. */
export class PairPool<Value> {
  readonly #values = new Pool<Pool<Value>>();

  shared(first: string, second: string, value: () => Value): Value {
    return this.#values.shared(first, makePool<Value>).shared(second, value);
  }
}

function makePool<Value>(): Pool<Value> {
  return new Pool();
}
