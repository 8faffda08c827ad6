// What Git declares of each source of a world, and what of it must be live; pure.
import {
  areBeside,
  factOf,
  SOURCES,
  victimOf,
  type Declared,
  type Fact,
  type Key,
  type SourceName,
} from './declared.ts';
import type { ForeignFields, Lag, Mode, OwnLag, Standing } from './steps.ts';

interface Account {
  /** At the newest commit. */
  declared: Declared;
  /** What must be live while the newest commit lags. */
  standing: Declared;
  /** What it let go and still has. */
  left: Set<Key>;
  hold: 'approval' | 'window' | undefined;
  dependsOn: SourceName | undefined;
  /** It waited for another source since `standing`. */
  delayed: boolean;
  /** Since it waits for another source, nothing of it was changed. */
  mayBeUnaware: boolean;
  mode: Mode;
  foreignFields: ForeignFields;
  /** Of commits since `standing`. */
  unreleased: Set<Fact>;
}

/**
 * A source lags when somebody must approve its newest commit, when its window is closed, when it declares a Mapping whose
 * route belongs to another source, or when one that it depends on is not Ready, or holds back the same commit.
 */
export class Ledger {
  readonly #accounts: Record<SourceName, Account> = { a: opened(), b: opened(), c: opened() };
  readonly #never = new Set<Fact>();

  of(source: SourceName): Readonly<Account> {
    return this.#accounts[source];
  }

  /** Whose object it is, or will be. */
  holder(key: Key): SourceName | undefined {
    // What moves is its heir's, also while the one that has it waits for that one.
    const heir = SOURCES.find((source) => this.of(source).declared.has(key));
    return heir ?? SOURCES.find((source) => this.of(source).standing.has(key));
  }

  /** Live, and declared by the newest commit too. */
  settled(source: SourceName): Key[] {
    const { declared, standing } = this.of(source);
    return [...declared.keys()].filter((key) => standing.has(key));
  }

  lag(source: SourceName): Lag | undefined {
    return this.#awaited(source) !== undefined ? 'DependencyNotReady' : this.ownLag(source);
  }

  /** Those that depend on it, at however many removes. */
  dependents(source: SourceName): SourceName[] {
    return SOURCES.filter((other) => this.dependencies(other).includes(source));
  }

  /** Those that it depends on, the nearest first. */
  dependencies(source: SourceName): SourceName[] {
    const { dependsOn } = this.of(source);
    return dependsOn ? [dependsOn, ...this.dependencies(dependsOn)] : [];
  }

  /** Does one of the two have something that waits for the other? */
  isParty(source: SourceName): boolean {
    return this.of(source).left.size > 0 || this.isHeir(source);
  }

  isHeir(source: SourceName): boolean {
    return SOURCES.some((other) => [...this.of(other).left].some((key) => this.of(source).declared.has(key)));
  }

  /** What it lags for of itself, also while it waits for another source. */
  ownLag(source: SourceName): OwnLag | undefined {
    const { hold, declared, standing } = this.of(source);
    if (hold !== undefined && !equal(declared, standing))
      return hold === 'approval' ? 'WaitingForApproval' : 'WaitingForWindow';
    return this.#isBlocked(source) ? 'EdgeBlocked' : undefined;
  }

  /** A route that was taken: by whom, and whose it is. There is one at most. */
  collision(): { route: Key; thief: SourceName; owner: SourceName | undefined } | undefined {
    for (const thief of SOURCES) {
      const { declared, standing } = this.of(thief);
      const route = [...declared.keys(), ...standing.keys()].map(victimOf).find((key) => key !== undefined);
      if (route) return { route, thief, owner: this.holder(route) };
    }
    return undefined;
  }

  put(source: SourceName, key: Key, value: string): void {
    this.#accounts[source].declared.set(key, value);
    this.#accounts[source].mayBeUnaware = false;
    this.#accounts[source].unreleased.add(factOf(key, value));
  }

  drop(source: SourceName, key: Key): void {
    this.#accounts[source].declared.delete(key);
    this.#accounts[source].mayBeUnaware = false;
  }

  /** A push is done: what nothing holds up stands from now on. */
  pushed(): void {
    // The route that one source gives up lets the commit of another one through.
    for (let changed = true; changed;) {
      changed = false;
      for (const source of SOURCES) {
        const { declared, standing, delayed } = this.of(source);
        if (this.lag(source) !== undefined || equal(declared, standing)) continue;
        // While its owner had the route, nothing that takes it could pass. What waited for another source passes with it.
        this.#release(source, !delayed && ![...declared.keys()].some(victimOf));
        changed = true;
      }
    }
    for (const source of SOURCES) this.#await(source);
  }

  hold(source: SourceName, hold: 'approval' | 'window'): void {
    this.#accounts[source].hold = hold;
  }

  depend(source: SourceName, on: SourceName | undefined): void {
    this.#accounts[source].dependsOn = on;
    this.pushed();
  }

  /** The newest commit is let through; with `open`, those after it too. */
  letThrough(source: SourceName, open: boolean): void {
    if (open) this.#accounts[source].hold = undefined;
    this.#release(source, !open);
    this.pushed();
  }

  set(source: SourceName, settings: { mode?: Mode; foreignFields?: ForeignFields }): void {
    Object.assign(this.#accounts[source], settings);
  }

  /** The source is made anew, with the settings of the first day. */
  recreated(source: SourceName): void {
    this.set(source, { mode: 'Heal', foreignFields: 'Leave' });
    this.#accounts[source].dependsOn = undefined;
    this.letThrough(source, true);
  }

  standings(): Record<SourceName, Standing> {
    const [a, b, c] = SOURCES.map((source) => this.#standing(source)) as [Standing, Standing, Standing];
    return { a, b, c };
  }

  /** What was declared only by commits that never were let through. */
  never(): Fact[] {
    return [...this.#never, ...SOURCES.flatMap((source) => [...this.of(source).unreleased])];
  }

  #standing(source: SourceName): Standing {
    const { standing, left, mode, foreignFields, mayBeUnaware } = this.of(source);
    const lag = this.lag(source);
    const ownLag = this.ownLag(source);
    return {
      live: new Map(standing),
      left: new Set(left),
      mode,
      foreignFields,
      mayBeUnaware,
      ...(lag && { lag }),
      ...(ownLag && { ownLag }),
    };
  }

  /** What is so once nothing can be let through any more. */
  #await(source: SourceName): void {
    const account = this.#accounts[source];
    const isInherited = (key: Key) =>
      SOURCES.some(
        (other) => other !== source && this.of(other).declared.has(key) && !this.of(other).standing.has(key),
      );
    account.left = new Set([...account.left].filter(isInherited));
    const isWaiting = this.#awaited(source) !== undefined;
    if (!isWaiting) account.mayBeUnaware = false;
    // A commit of a repository that both read tells both.
    else if (!account.delayed) account.mayBeUnaware = !this.dependencies(source).every((one) => areBeside(source, one));
    account.delayed = isWaiting;
  }

  /** The one that it depends on, while that keeps it from applying its newest commit. */
  #awaited(source: SourceName): SourceName | undefined {
    const { dependsOn } = this.of(source);
    return dependsOn && this.#holdsBack(dependsOn, source) ? dependsOn : undefined;
  }

  #holdsBack(other: SourceName, source: SourceName): boolean {
    switch (this.lag(other)) {
      case undefined:
        return false;
      case 'WaitingForApproval':
      case 'WaitingForWindow':
        // It is Ready with the commit before, which is enough for those who cannot read the same one.
        return areBeside(other, source);
      case 'EdgeBlocked':
        return !this.#isStoppedByDependent(other, source);
      case 'DependencyNotReady':
        return true;
    }
  }

  /** Is the other one stopped by the route of a dependent of its own: of this source, or of one that depends on this one? */
  #isStoppedByDependent(other: SourceName, source: SourceName): boolean {
    const owner = this.collision()?.owner;
    if (!owner || !this.dependents(other).includes(owner)) return false;
    return owner === source || this.dependents(source).includes(owner);
  }

  #isBlocked(source: SourceName): boolean {
    const taken = [...this.of(source).declared.keys()].flatMap((key) => victimOf(key) ?? []);
    return taken.some((route) => SOURCES.some((other) => other !== source && this.of(other).standing.has(route)));
  }

  /** `isExact`: this commit and no other; else one before it may pass first, which is the newest that the operator knows. */
  #release(source: SourceName, isExact: boolean): void {
    const account = this.#accounts[source];
    for (const key of account.standing.keys()) account.left.add(key);
    for (const key of account.declared.keys()) account.left.delete(key);
    account.standing = new Map(account.declared);
    if (isExact) for (const fact of account.unreleased) this.#never.add(fact);
    for (const [key, value] of account.declared) this.#never.delete(factOf(key, value));
    account.unreleased = new Set();
  }
}

function opened(): Account {
  return {
    declared: new Map(),
    standing: new Map(),
    left: new Set(),
    hold: undefined,
    dependsOn: undefined,
    delayed: false,
    mayBeUnaware: false,
    mode: 'Heal',
    foreignFields: 'Leave',
    unreleased: new Set(),
  };
}

function equal(a: Declared, b: Declared): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
