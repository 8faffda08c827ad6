// What each push of a fault run changes in Git; pure.
import type { Random } from '../random.ts';
import { areBeside, KINDS, SOURCES, stolen, type Key, type SourceName } from './declared.ts';
import type { Ledger } from './ledger.ts';
import type { Action, PushHow } from './steps.ts';

export type Push = Action & { do: 'push' };

const POOL = 40;
/** Of these each source keeps at least one. */
const ALWAYS = 9;

export class Pushes {
  readonly #random: Random;
  readonly #ledger: Ledger;
  #serial = 0;
  #pushed = false;
  #put: Push['put'] = [];
  #drop: Push['drop'] = [];
  /** In this round, by whom it was given up last: it may not be deleted yet. */
  readonly #left = new Map<Key, SourceName>();
  /** In this round, changed. */
  readonly #changed = new Set<SourceName>();
  /** After the last push, held back. */
  #lagging: readonly SourceName[] = [];
  /** Not changed in this round. */
  readonly #resting = new Set<SourceName>();
  readonly #isMovable: (key: Key, heir: SourceName) => boolean;

  /** `isMovable`: may the object be left to this source while its commit waits? */
  constructor(random: Random, ledger: Ledger, isMovable: (key: Key, heir: SourceName) => boolean) {
    this.#random = random;
    this.#ledger = ledger;
    this.#isMovable = isMovable;
  }

  /** Peace: what was given up is deleted. */
  begin(): void {
    this.#left.clear();
    this.#changed.clear();
    this.#resting.clear();
    this.#lagging = [];
    for (const source of SOURCES)
      if (this.#mayBeginToLag(source) && this.#random.chance(0.3)) this.#resting.add(source);
  }

  /** Is it certain what of this source, and of those that depend on it, stands when its next commit is stopped? */
  isSure(source: SourceName): boolean {
    return ![source, ...this.#ledger.dependents(source)].some((one) => this.#changed.has(one));
  }

  /** Any change. The first one brings something for every source. */
  any(): Push {
    const random = this.#random;
    const some = random.some(SOURCES, this.#pushed ? 1 + random.below(3) : SOURCES.length);
    const depth = (source: SourceName) => this.#ledger.dependencies(source).length;
    for (const source of some.toSorted((a, b) => depth(a) - depth(b)))
      if (this.#mayChange(source)) this.#change(source);
    return this.#done();
  }

  /**
   * A change of this source that also takes a route from another one. Nothing changes its home with it: who takes the object
   * over would wait for as long as the first is stopped.
   */
  collision(source: SourceName, route: Key): Push {
    this.#change(source, { moves: false });
    this.#give(source, stolen(route));
    // Those that read another repository may have their commit before they hear of this one's.
    for (const other of this.#ledger.dependents(source)) if (!this.#reads(other, source)) this.#resting.add(other);
    return this.#done();
  }

  /** The collision ends: he who took the route lets it go. */
  revert(thief: SourceName, key: Key): Push {
    this.#take(thief, key);
    return this.#done();
  }

  /** The collision ends: he who has the route gives it up, often for something that he can only have when the thief has passed. */
  giveUp(owner: SourceName, route: Key, thief: SourceName): Push {
    const random = this.#random;
    this.#take(owner, route);
    const isMovable = (key: Key) => Number(key.split('-').at(-1)) >= ALWAYS;
    const isFreeThen = this.#ledger.lag(thief) === 'EdgeBlocked' && this.#ledger.lag(owner) === undefined;
    const goods = isFreeThen ? this.#ledger.settled(thief).filter(isMovable) : [];
    if (goods.length > 0 && random.chance(0.7)) {
      const key = random.pick(goods);
      this.#take(thief, key);
      this.#give(owner, key);
    }
    return this.#done();
  }

  #change(source: SourceName, { moves } = { moves: true }): void {
    const random = this.#random;
    const { declared } = this.#ledger.of(source);
    const taken = this.#ledger.collision()?.route;
    // A route that its owner gave up is nobody's again some day.
    if (taken && declared.has(stolen(taken)) && this.#ledger.lag(source) === undefined && random.chance(0.5))
      this.#take(source, stolen(taken));
    // Some pushes change one object, some half of them; now and then a whole kind goes.
    const share = random.pick([0.05, 0.2, 0.6]);
    const leaving = random.chance(0.15) ? random.pick(KINDS) : undefined;
    for (let index = 0; index < POOL; index += 1) {
      const kind = KINDS[index % KINDS.length]!;
      const key: Key = `${kind}/k-${index}`;
      if (key === taken && !declared.has(key)) continue;
      const home = this.#ledger.holder(key) ?? SOURCES[index % SOURCES.length];
      const isKept = index < ALWAYS;
      const always = isKept && index % 4 === 0 && !declared.has(key) && home === source;
      if (home === source && (always || (kind !== leaving && random.chance(share)))) {
        if (!this.#wouldWait(source, key)) this.#give(source, key);
      } else if (declared.has(key) && !isKept && (kind === leaving || random.chance(share / 3))) {
        this.#take(source, key);
        const other = moves && key !== taken ? this.#heir(source, key) : undefined;
        if (other && random.chance(0.5)) this.#give(other, key);
      }
    }
  }

  /** Objects change their home now and then, within one commit of the repository that a and b share. */
  #heir(source: SourceName, key: Key): SourceName | undefined {
    const { hold, dependsOn } = this.#ledger.of(source);
    const other = source === 'a' ? 'b' : source === 'b' ? 'a' : undefined;
    if (!other || hold !== undefined || !this.#mayChange(other)) return undefined;
    if (this.#isFree(source) && this.#isFree(other)) return other;
    // It lets go now, or when the heir is let through for which it waits; else that would be let through, and not get it.
    const isReady = this.#ledger.lag(source) === undefined || dependsOn === other;
    return isReady && this.#ledger.ownLag(source) === undefined && this.#isMovable(key, other) ? other : undefined;
  }

  /**
   * What stands of a source when its commit waits for that of another one must be certain: of two commits, the operator may see
   * the second one alone.
   */
  #mayChange(source: SourceName): boolean {
    if (this.#resting.has(source)) return false;
    const newlyLagging = this.#ledger.dependencies(source).filter((other) => this.#mayBeginToLag(other));
    const awaited = newlyLagging.filter((other) => !this.#resting.has(other) && this.#isConcerned(source, other));
    return awaited.length === 0;
  }

  /** Will it lag with its next change, and with it those that depend on it? */
  #mayBeginToLag(source: SourceName): boolean {
    const { hold } = this.#ledger.of(source);
    return hold !== undefined && this.#ledger.lag(source) === undefined && this.#ledger.dependents(source).length > 0;
  }

  /** Does the source lag with the other one, whose commit waits for a person or a time? */
  #isConcerned(source: SourceName, other: SourceName): boolean {
    return areBeside(source, other) || this.#ledger.of(source).dependsOn !== other;
  }

  /** Do both read one repository, and so do all between them? */
  #reads(source: SourceName, other: SourceName): boolean {
    return this.#ledger.dependencies(source).every((one) => areBeside(source, one)) && areBeside(source, other);
  }

  #isFree(source: SourceName): boolean {
    return this.#ledger.of(source).hold === undefined && this.#ledger.lag(source) === undefined;
  }

  /** What a waiting commit declares is not deleted, if it is still there when that is seen: here that would be chance. */
  #wouldWait(source: SourceName, key: Key): boolean {
    return !this.#isFree(source) && (this.#left.get(key) ?? source) !== source;
  }

  #give(source: SourceName, key: Key): void {
    this.#serial += 1;
    const value = `v${this.#serial}`;
    this.#changed.add(source);
    this.#ledger.put(source, key, value);
    this.#put.push([source, key, value]);
  }

  #take(source: SourceName, key: Key): void {
    this.#changed.add(source);
    this.#ledger.drop(source, key);
    this.#drop.push([source, key]);
    this.#left.set(key, source);
  }

  #done(): Push {
    const random = this.#random;
    // What moved on to another source within this push is not put where it was.
    const put = this.#put.filter(([source, key, value]) => this.#ledger.of(source).declared.get(key) === value);
    const drop = this.#drop;
    [this.#put, this.#drop] = [[], []];
    // What is enforced while the newest commit lags, or will as soon as the next one is there, must be to be had, also for a
    // new pod or with new credentials.
    const isNeeded = SOURCES.some(
      (source) => this.#ledger.of(source).hold !== undefined || this.#ledger.lag(source) !== undefined,
    );
    const rewritten = random.pick(['rewrite', 'forget'] as const);
    const how: PushHow = this.#pushed && random.chance(0.2) ? (isNeeded ? 'rewrite' : rewritten) : 'commit';
    this.#pushed = true;
    this.#ledger.pushed();
    // What it has of now may be gone from the server with the commit before.
    if (how === 'forget') for (const source of SOURCES) this.#changed.add(source);
    // One that took back what made it wait let others pass, which may not have been seen.
    for (const source of this.#lagging) if (this.#ledger.lag(source) === undefined) this.#resting.add(source);
    this.#lagging = SOURCES.filter((source) => this.#ledger.lag(source) !== undefined);
    return { do: 'push', how, put, drop };
  }
}
