/**
 * How fast one object may be healed again. Healing is instant as long as it holds; when somebody undoes it again and again
 * the heals slow down, doubling from a quarter of a second to a minute, and it ends by itself when the other side rests.
 */
export interface BrakeState {
  /** Heals that may still be done at once; refilled while a heal holds. */
  tokens: number;
  /** Monotonic milliseconds at which the last heal was due. */
  at: number;
  /** The present delay; 0 while the brake is off. */
  delayMs: number;
}

/** More than any honest series of edits by hand or by a script, and spent in under a second by a controller that fights. */
const BURST = 256;
const REFILL_PER_SECOND = 2;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 60_000;

/** The state after one more heal; its `delayMs` is how long that heal has to wait. Pure. */
export function braked(before: BrakeState | undefined, now: number): BrakeState {
  if (!before) return { tokens: BURST - 1, at: now, delayMs: 0 };
  // Time counts from when the last heal was due: a rival that undoes each one at once earns nothing by our waiting.
  const tokens = refilled(before, now);
  if (tokens >= 1) return { tokens: tokens - 1, at: now, delayMs: 0 };
  const delayMs = Math.min(before.delayMs === 0 ? FIRST_DELAY_MS : before.delayMs * 2, MAX_DELAY_MS);
  return { tokens, at: now + delayMs, delayMs };
}

/** Nothing to remember: the next heal would be as free as the first. */
function isRested(state: BrakeState, now: number): boolean {
  return refilled(state, now) >= BURST;
}

function refilled({ tokens, at }: BrakeState, now: number): number {
  return Math.min(BURST, tokens + (Math.max(0, now - at) / 1000) * REFILL_PER_SECOND);
}

/** Objects that are remembered before those at rest are forgotten. */
const REMEMBERED = 1024;

/** The brakes of all objects. */
export class Brakes {
  readonly #states = new Map<string, BrakeState>();

  /** How long the next heal of the object has to wait, in milliseconds; it counts as done. */
  next(key: string, now: number): number {
    const state = braked(this.#states.get(key), now);
    this.#states.set(key, state);
    if (this.#states.size > REMEMBERED)
      for (const [other, past] of this.#states) if (isRested(past, now)) this.#states.delete(other);
    return state.delayMs;
  }
}
