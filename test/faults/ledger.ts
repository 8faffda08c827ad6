// What Git declares of each source of a world, and what of it must be live; pure.
import { factOf, SOURCES, victimOf, type Declared, type Fact, type Key, type SourceName } from './declared.ts';
import type { ForeignFields, Lag, Mode, Standing } from './steps.ts';

interface Account {
  /** At the newest commit. */
  declared: Declared;
  /** What must be live while the newest commit lags. */
  standing: Declared;
  hold: 'approval' | 'window' | undefined;
  mode: Mode;
  foreignFields: ForeignFields;
  /** Of commits since `standing`. */
  unreleased: Set<Fact>;
}

/**
 * A source lags when somebody must approve its newest commit, when its window is closed, or when it declares a Mapping whose
 * route belongs to another source.
 */
export class Ledger {
  readonly #accounts: Record<SourceName, Account> = { a: opened(), b: opened(), c: opened() };
  readonly #never = new Set<Fact>();

  of(source: SourceName): Readonly<Account> {
    return this.#accounts[source];
  }

  /** Whose object it is, or will be. */
  holder(key: Key): SourceName | undefined {
    return SOURCES.find((source) => {
      const { declared, standing } = this.of(source);
      return declared.has(key) || standing.has(key);
    });
  }

  /** Live, and declared by the newest commit too. */
  settled(source: SourceName): Key[] {
    const { declared, standing } = this.of(source);
    return [...declared.keys()].filter((key) => standing.has(key));
  }

  lag(source: SourceName): Lag | undefined {
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
    this.#accounts[source].unreleased.add(factOf(key, value));
  }

  drop(source: SourceName, key: Key): void {
    this.#accounts[source].declared.delete(key);
  }

  /** A push is done: what nothing holds up stands from now on. */
  pushed(): void {
    // The route that one source gives up lets the commit of another one through.
    for (let changed = true; changed;) {
      changed = false;
      for (const source of SOURCES) {
        const { hold, declared, standing } = this.of(source);
        if (hold !== undefined || this.#isBlocked(source) || equal(declared, standing)) continue;
        // While its owner had the route, nothing that takes it could pass.
        this.#release(source, ![...declared.keys()].some(victimOf));
        changed = true;
      }
    }
  }

  hold(source: SourceName, hold: 'approval' | 'window'): void {
    this.#accounts[source].hold = hold;
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
    const { standing, mode, foreignFields } = this.of(source);
    const lag = this.lag(source);
    return { live: new Map(standing), mode, foreignFields, ...(lag && { lag }) };
  }

  #isBlocked(source: SourceName): boolean {
    const taken = [...this.of(source).declared.keys()].flatMap((key) => victimOf(key) ?? []);
    return taken.some((route) => SOURCES.some((other) => other !== source && this.of(other).standing.has(route)));
  }

  /** `isExact`: this commit and no other; else one before it may pass first, which is the newest that the operator knows. */
  #release(source: SourceName, isExact: boolean): void {
    const account = this.#accounts[source];
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
    hold: undefined,
    mode: 'Heal',
    foreignFields: 'Leave',
    unreleased: new Set(),
  };
}

function equal(a: Declared, b: Declared): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
