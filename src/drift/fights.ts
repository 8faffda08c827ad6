import type { Clock } from '../clock.ts';
import { changedAgain, holdMs, isFight, MEMORY_MS, rateOf, type Rivalry } from './rivalry.ts';

/** Objects that are remembered, those changed last: some 300 bytes each. */
const REMEMBERED = 10_000;
/** Fields of one object that are told apart; whoever changes more of them changes these too. */
const FIELDS = 16;

interface Contested {
  changedAt: number;
  fields: Map<string, Rivalry>;
  /** Takes back the timer that runs while a repair holds. */
  cancel?: (() => void) | undefined;
}

export interface FightsOptions {
  clock: Clock;
  /** 0 ≤ x < 1. */
  random: () => number;
  /** The fight over this object ended: its last repair holds, or there were too many others to remember it. */
  onOver: (key: string) => void;
}

/** The objects that others change, each with its fields; what a rivalry is stands in rivalry.ts. */
export class Fights {
  readonly #options: FightsOptions;
  /** By identityKey, the one that was changed longest ago first. */
  readonly #objects = new Map<string, Contested>();

  constructor(options: FightsOptions) {
    this.#options = options;
  }

  /** These fields of the object were changed once more; how long the repair has to wait, in milliseconds. */
  changed(key: string, paths: readonly string[], now: number): number {
    const { fields } = this.#renew(key, now);
    for (const [path, past] of fields)
      if (now - past.dueAt > holdMs(past) && !paths.includes(path)) fields.delete(path);
    const delays = paths.slice(0, FIELDS).map((path) => {
      const next = changedAgain(fields.get(path), now, this.#options.random());
      fields.delete(path);
      fields.set(path, next);
      return next.dueAt - now;
    });
    for (const path of fields.keys()) if (fields.size > FIELDS) fields.delete(path);
    this.#forgetOldest(now);
    // One apply repairs all of them: a field that nobody fights over does not wait for one that is.
    return Math.min(...delays);
  }

  /** The rate of a fight over this field; undefined when there is none. */
  rate(key: string, path: string): string | undefined {
    const rivalry = this.#objects.get(key)?.fields.get(path);
    return rivalry && isFight(rivalry) ? rateOf(rivalry) : undefined;
  }

  isFought(key: string): boolean {
    return this.#fought(key).length > 0;
  }

  /** The object is as declared: from now on that has to hold. */
  repaired(key: string): void {
    const object = this.#objects.get(key);
    const fought = this.#fought(key);
    if (!object || object.cancel || fought.length === 0) return;
    const heldMs = Math.max(...fought.map(holdMs));
    object.cancel = this.#options.clock.after(heldMs, () => this.#over(key));
  }

  /** Nobody repairs the object any more, so nobody fights. */
  forget(key: string): void {
    this.#objects.get(key)?.cancel?.();
    this.#objects.delete(key);
  }

  #fought(key: string): Rivalry[] {
    return [...(this.#objects.get(key)?.fields.values() ?? [])].filter(isFight);
  }

  #renew(key: string, now: number): Contested {
    const object = this.#objects.get(key) ?? { changedAt: now, fields: new Map<string, Rivalry>() };
    object.cancel?.();
    Object.assign(object, { changedAt: now, cancel: undefined });
    this.#objects.delete(key);
    this.#objects.set(key, object);
    return object;
  }

  #over(key: string): void {
    this.forget(key);
    this.#options.onOver(key);
  }

  #forgetOldest(now: number): void {
    for (const [key, { changedAt }] of this.#objects) {
      if (this.#objects.size <= REMEMBERED && now - changedAt <= MEMORY_MS) return;
      if (this.isFought(key)) this.#over(key);
      else this.forget(key);
    }
  }
}
