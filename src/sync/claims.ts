import type { Desired } from './desired.ts';

/** What decides between claimants, beside who was first. */
export interface ClaimRules {
  /** The source that the live object proves to belong to, when that source still counts. */
  foreignOwner(desired: Desired): string | undefined;
  /** Is the holder not applying it, nor has it? Who does not write an object must not keep others from writing it. */
  isHollow(key: string, holder: string): boolean;
  /** May the source have what the holder lets go as it is, without the holder's word? Else the holder deletes it first. */
  mayInherit(desired: Desired, holder: string): boolean;
  /** Another source took what this one held hollow, by this declaration. */
  displaced(holder: string, desired: Desired): void;
}

/**
 * Which source declares which object. All sources share one field manager, so the API server cannot tell two of them apart:
 * this table does. The first to claim an identity holds it until it stops declaring it; later claimants are told who.
 */
export class Claims {
  readonly #holders = new Map<string, string>();
  readonly #bySource = new Map<string, Map<string, Desired>>();
  readonly #heirs = new Map<string, Set<string>>();

  holder(key: string): string | undefined {
    return this.#holders.get(key);
  }

  desired(key: string): Desired | undefined {
    const holder = this.#holders.get(key);
    return holder === undefined ? undefined : this.#bySource.get(holder)?.get(key);
  }

  /**
   * A source that was refused the object and would take it as it is: whoever holds it hands it over, and does not delete it
   * when letting go. Of several, the first.
   */
  heir(key: string): string | undefined {
    return this.#heirs.get(key)?.values().next().value;
  }

  /** What the source holds, by key. */
  of(source: string): ReadonlyMap<string, Desired> {
    return this.#bySource.get(source) ?? new Map();
  }

  /** Replaces what the source is the heir of, and nothing else. Returns the keys of what it is no longer. */
  inherit(source: string, keys: readonly string[]): string[] {
    const before = this.inheritance(source);
    this.#disinherit(source);
    for (const key of keys) this.#addHeir(key, source);
    return before.filter((key) => !this.#heirs.get(key)?.has(source));
  }

  /** Keys of what the source is the heir of. */
  inheritance(source: string): string[] {
    return [...this.#heirs].filter(([, heirs]) => heirs.has(source)).map(([key]) => key);
  }

  /**
   * Replaces everything the source declares. Returns the objects it may not have, with the holder. Of what it declares
   * besides, and may not have yet, it is the `heir` only.
   */
  claim(
    source: string,
    desired: readonly Desired[],
    rules: ClaimRules,
    heir: readonly Desired[] = [],
  ): { desired: Desired; holder: string }[] {
    this.#disinherit(source);
    for (const { key } of heir) this.#addHeir(key, source);
    const granted = new Map<string, Desired>();
    const conflicts: { desired: Desired; holder: string }[] = [];
    for (const object of desired) {
      const holder = this.holder(object.key);
      const other = this.#other(source, object, rules);
      if (other === undefined) granted.set(object.key, object);
      else conflicts.push({ desired: object, holder: other });
      if (other !== undefined && rules.mayInherit(object, other)) this.#addHeir(object.key, source);
      if (holder === undefined || other !== undefined || holder === source) continue;
      const displaced = this.#bySource.get(holder)!;
      rules.displaced(holder, displaced.get(object.key)!);
      displaced.delete(object.key);
    }
    for (const key of this.of(source).keys()) if (!granted.has(key)) this.#holders.delete(key);
    for (const key of granted.keys()) this.#holders.set(key, source);
    this.#bySource.set(source, granted);
    return conflicts;
  }

  /** The objects that `claim` would grant now. */
  grantable(source: string, desired: readonly Desired[], rules: ClaimRules): Desired[] {
    return desired.filter((object) => this.#other(source, object, rules) === undefined);
  }

  /** Who keeps the source from having the object. */
  #other(source: string, object: Desired, rules: ClaimRules): string | undefined {
    const holder = this.holder(object.key);
    const isHeld = holder !== undefined && holder !== source && !rules.isHollow(object.key, holder);
    return isHeld ? holder : rules.foreignOwner(object);
  }

  /** The source declares nothing any more. Returns the keys of what it held, and of what it was the heir of. */
  release(source: string): string[] {
    const held = [...this.of(source).keys()];
    const inherited = this.inheritance(source);
    this.#disinherit(source);
    for (const key of held) this.#holders.delete(key);
    this.#bySource.delete(source);
    return [...held, ...inherited];
  }

  #addHeir(key: string, source: string): void {
    const heirs = this.#heirs.get(key);
    if (heirs) heirs.add(source);
    else this.#heirs.set(key, new Set([source]));
  }

  #disinherit(source: string): void {
    for (const key of this.inheritance(source)) {
      const heirs = this.#heirs.get(key)!;
      heirs.delete(source);
      if (heirs.size === 0) this.#heirs.delete(key);
    }
  }
}
