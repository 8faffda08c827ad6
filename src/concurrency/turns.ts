/**
 * One at a time for each key, in the order of asking. While a write of ours is under way the key is busy, and what a watch
 * says about that object waits: the answer of the write brings the new baseline. Whoever asked for a turn hears how it ended
 * before it counts as ended: what he concludes from the answer is older than what waited.
 */
export class Turns {
  readonly #tails = new Map<string, Promise<unknown>>();
  #open = 0;
  readonly #onIdle: (key: string) => void;

  /** `onIdle` is called each time the last turn of a key has ended; it must not throw. */
  constructor(onIdle: (key: string) => void = () => undefined) {
    this.#onIdle = onIdle;
  }

  busy(key: string): boolean {
    return this.#tails.has(key);
  }

  /** Turns that were asked for and whose outcome is not known yet. */
  get open(): number {
    return this.#open;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#tails.set(key, mine);
    this.#open += 1;
    try {
      return await mine;
    } finally {
      this.#open -= 1;
      setImmediate(() => this.#end(key, mine));
    }
  }

  #end(key: string, turn: Promise<unknown>): void {
    if (this.#tails.get(key) !== turn) return;
    this.#tails.delete(key);
    this.#onIdle(key);
  }
}
