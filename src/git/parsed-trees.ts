import type { TreeEntry } from './tree-entries.ts';

/** Some five megabytes. */
const MOST_ENTRIES = 20_000;

/** Trees of one mirror that were parsed a moment ago, by id. */
export interface KnownTrees {
  get(oid: string): readonly TreeEntry[] | undefined;
  set(oid: string, entries: readonly TreeEntry[]): void;
}

/**
 * What was parsed last, of all mirrors together. The walks of a thousand sources of one repository all begin at its root, which
 * may have an entry for each of them: to parse it for each is the square of their number.
 */
export class ParsedTrees {
  readonly #trees = new Map<string, readonly TreeEntry[]>();
  #count = 0;

  /** `place` tells mirrors apart: what one of them says an id stands for is nobody else's truth. */
  within(place: string): KnownTrees {
    return {
      get: (oid) => this.#get(`${place} ${oid}`),
      set: (oid, entries) => this.#set(`${place} ${oid}`, entries),
    };
  }

  clear(): void {
    this.#trees.clear();
    this.#count = 0;
  }

  #get(key: string): readonly TreeEntry[] | undefined {
    const entries = this.#trees.get(key);
    if (!entries) return undefined;
    // The longest unused go first.
    this.#trees.delete(key);
    this.#trees.set(key, entries);
    return entries;
  }

  #set(key: string, entries: readonly TreeEntry[]): void {
    if (entries.length > MOST_ENTRIES || this.#trees.has(key)) return;
    this.#trees.set(key, entries);
    this.#count += entries.length;
    for (const [oldest, { length }] of this.#trees) {
      if (this.#count <= MOST_ENTRIES) break;
      this.#trees.delete(oldest);
      this.#count -= length;
    }
  }
}
