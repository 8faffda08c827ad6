// What others added to the objects of a world, beside what Git declares.
import { SOURCES, type Key, type SourceName } from './declared.ts';
import type { ADDITIONS, Standing } from './steps.ts';

export interface Addition {
  key: Key;
  what: (typeof ADDITIONS)[number];
  /** Of the object: another one has nothing of it. */
  uid: string;
}

type Standings = Record<SourceName, Standing>;

export class Additions {
  #made: Addition[] = [];
  #before: Standings | undefined;
  /** Sources that took others' fields out at some time in this round, though they may leave them again at its end. */
  readonly #removing = new Set<SourceName>();

  made(addition: Addition): void {
    this.#made.push(addition);
  }

  /** Nobody knows any more whose fields they are. */
  unmanaged(key: Key): void {
    this.#made = this.#made.filter((addition) => addition.key !== key);
  }

  removing(source: SourceName): void {
    this.#removing.add(source);
  }

  /** Those that nothing gave a reason to remove in a round that ends like this. */
  expected(after: Standings): Addition[] {
    const before = this.#before;
    return this.#made.filter(({ key }) => before && this.#isLeft(before, key) && this.#isLeft(after, key));
  }

  /** The round is over. */
  conclude(after: Standings): void {
    this.#made = this.expected(after);
    this.#before = after;
    this.#removing.clear();
  }

  #isLeft(standings: Standings, key: Key): boolean {
    return SOURCES.some((source) => {
      const { live, foreignFields } = standings[source];
      return live.has(key) && foreignFields !== 'Remove' && !this.#removing.has(source);
    });
  }
}
