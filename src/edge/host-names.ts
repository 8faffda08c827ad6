import { shapeOf } from './hostglob.ts';
import { append } from './lists.ts';

/**
 * Finds those of many hostnames, some of them globs, that overlap a name or a glob: the same as asking `globsOverlap` of
 * each, but at the cost of what is found and of the few lengths that globs have.
 */
export class HostNames {
  readonly #count: number;
  readonly #byName = new Map<string, number[]>();
  /** Those that are `*`. */
  readonly #any: readonly number[];
  readonly #exact = new Map<string, readonly number[]>();
  /** `*.a.com` */
  readonly #tails = new Side(backwards, this.#exact);
  /** `a.*` */
  readonly #heads = new Side((text) => text, this.#exact);

  constructor(hostnames: readonly string[]) {
    this.#count = hostnames.length;
    for (const [position, hostname] of hostnames.entries()) append(this.#byName, hostname, position);
    this.#any = this.#byName.get('*') ?? [];
    for (const [hostname, positions] of this.#byName) {
      const shape = shapeOf(hostname);
      if (shape === 'exact') this.#exact.set(hostname, positions);
      if (shape === 'suffix') this.#tails.addGlob(hostname.slice(1), positions);
      if (shape === 'prefix') this.#heads.addGlob(hostname.slice(0, -1), positions);
    }
  }

  /** The positions of those that overlap, ascending. */
  overlapping(glob: string): number[] {
    return this.#search(glob).sort((a, b) => a - b);
  }

  #search(glob: string): number[] {
    const shape = shapeOf(glob);
    if (shape === 'any') return Array.from({ length: this.#count }, (_, position) => position);
    const same = [...(this.#byName.get(glob) ?? []), ...this.#any];
    if (shape === 'exact') return [...same, ...this.#tails.matching(glob), ...this.#heads.matching(glob)];
    // A name can begin with one and end with another.
    if (shape === 'suffix') return [...same, ...this.#tails.overlapping(glob.slice(1)), ...this.#heads.globs()];
    if (shape === 'prefix') return [...same, ...this.#heads.overlapping(glob.slice(0, -1)), ...this.#tails.globs()];
    return same;
  }
}

/** Globs with their star at the same end, beside all exact names. */
class Side {
  /** Turns a text so that it is read from the end without the star. */
  readonly #turn: (text: string) => string;
  readonly #exact: ReadonlyMap<string, readonly number[]>;
  readonly #globs = new Texts();
  /** Few ask for exact names by their end: they are sorted only then. */
  #names: Texts | undefined;

  constructor(turn: (text: string) => string, exact: ReadonlyMap<string, readonly number[]>) {
    this.#turn = turn;
    this.#exact = exact;
  }

  /** `text`: the glob without its star, here as below. */
  addGlob(text: string, positions: readonly number[]): void {
    this.#globs.add(this.#turn(text), positions);
  }

  globs(): number[] {
    return this.#globs.all();
  }

  /** The globs that match an exact name. */
  matching(name: string): number[] {
    return this.#globs.beginningsOf(this.#turn(name));
  }

  /** The globs and exact names that overlap a glob, without those that are the same glob. */
  overlapping(text: string): number[] {
    const turned = this.#turn(text);
    this.#names ??= this.#turnedNames();
    const [globs, names] = [this.#globs, this.#names];
    return [...globs.beginningsOf(turned), ...globs.startingWith(turned), ...names.startingWith(turned)];
  }

  #turnedNames(): Texts {
    const names = new Texts();
    for (const [name, positions] of this.#exact) names.add(this.#turn(name), positions);
    return names;
  }
}

/** Texts with the positions of the hostnames that they were taken from. */
class Texts {
  readonly #positions = new Map<string, readonly number[]>();
  /** Only beginnings of these lengths are looked for. */
  readonly #lengths = new Set<number>();
  #sorted: readonly string[] | undefined;

  /** All of them before anything is asked. */
  add(text: string, positions: readonly number[]): void {
    this.#positions.set(text, positions);
    this.#lengths.add(text.length);
  }

  all(): number[] {
    return [...this.#positions.values()].flat();
  }

  /** Of those that this text starts with, itself left out. */
  beginningsOf(text: string): number[] {
    const shorter = [...this.#lengths].filter((length) => length < text.length);
    return shorter.flatMap((length) => this.#positions.get(text.slice(0, length)) ?? []);
  }

  /** Of those that start with this text, itself left out. */
  startingWith(text: string): number[] {
    this.#sorted ??= [...this.#positions.keys()].sort();
    const from = firstThat(this.#sorted, 0, (found) => found > text);
    const to = firstThat(this.#sorted, from, (found) => !found.startsWith(text));
    return this.#sorted.slice(from, to).flatMap((found) => this.#positions.get(found) ?? []);
  }
}

/** Where the first text stands, from a place on, of which it is true; it is true of all after it. */
function firstThat(sorted: readonly string[], from: number, isTrue: (text: string) => boolean): number {
  let [low, high] = [from, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isTrue(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** By code units, as texts are compared. */
function backwards(text: string): string {
  let reversed = '';
  for (let at = text.length - 1; at >= 0; at--) reversed += text[at];
  return reversed;
}
