import type { Desired } from './desired.ts';

interface Claim {
  source: string;
  desired: Desired;
}

/** What decides between claimants, beside who was first. */
export interface ClaimRules {
  /** The source that the live object proves to belong to, when that source still counts. */
  foreignOwner(desired: Desired): string | undefined;
  /** Did the holder never manage to apply it? Who may not write an object must not keep others from writing it. */
  isHollow(key: string, holder: string): boolean;
}

/**
 * Which source declares which object. All sources share one field manager, so the API server cannot tell two of them apart:
 * this table does. The first to claim an identity holds it until it stops declaring it; later claimants are told who.
 */
export class Claims {
  readonly #byKey = new Map<string, Claim>();
  readonly #bySource = new Map<string, Map<string, Desired>>();

  holder(key: string): string | undefined {
    return this.#byKey.get(key)?.source;
  }

  desired(key: string): Desired | undefined {
    return this.#byKey.get(key)?.desired;
  }

  /** What the source holds, by key. */
  of(source: string): ReadonlyMap<string, Desired> {
    return this.#bySource.get(source) ?? new Map();
  }

  /** Replaces everything the source declares. Returns the objects it may not have, with the holder. */
  claim(source: string, desired: readonly Desired[], rules: ClaimRules): { desired: Desired; holder: string }[] {
    const granted = new Map<string, Desired>();
    const conflicts: { desired: Desired; holder: string }[] = [];
    for (const object of desired) {
      const holder = this.holder(object.key);
      const isHeld = holder !== undefined && holder !== source && !rules.isHollow(object.key, holder);
      const other = isHeld ? holder : rules.foreignOwner(object);
      if (other !== undefined) conflicts.push({ desired: object, holder: other });
      else granted.set(object.key, object);
      if (holder !== undefined && other === undefined && holder !== source)
        this.#bySource.get(holder)?.delete(object.key);
    }
    for (const key of this.of(source).keys()) if (!granted.has(key)) this.#byKey.delete(key);
    for (const [key, object] of granted) this.#byKey.set(key, { source, desired: object });
    this.#bySource.set(source, granted);
    return conflicts;
  }

  release(source: string): void {
    for (const key of this.of(source).keys()) this.#byKey.delete(key);
    this.#bySource.delete(source);
  }
}
