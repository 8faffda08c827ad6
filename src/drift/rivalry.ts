/**
 * What is remembered of one field of one object that somebody else changes. A repair that holds costs the other side
 * nothing; one that is undone again and again is a fight: told with its rate, and slowed down when it is a fast one.
 * Pure; times are milliseconds of a clock that never goes back.
 */
export interface Rivalry {
  /** Changes in a row, each no longer than MEMORY_MS after the one before. */
  readonly changes: number;
  readonly changedAt: number;
  /** When the repair of the last change is due. */
  readonly dueAt: number;
  /** Between two changes, the latest counting half; 0 after the first. */
  readonly intervalMs: number;
  /** Repairs that may still be done at once. */
  readonly allowance: number;
  /** How long the last repair was held back, before jitter; 0 when it was done at once. */
  readonly delayMs: number;
}

/** Changes longer apart than this have nothing to do with each other. */
export const MEMORY_MS = 2 * 3_600_000;
/** Fewer changes in a row are a person who tries again. */
const FIGHT_AFTER = 5;
/** No honest series of edits of one field is longer; a controller that answers at once has used it up within seconds. */
const BURST = 100;
/** A rival that comes no more often than this is answered at once for ever. */
const REFILL_MS = 5_000;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 60_000;
/** At most this part of a delay is left out by chance, so that fights over many objects do not beat in one time. */
const JITTER = 0.2;
/** A fight is over when a repair has held for this many of its intervals, and for this time. */
const HELD_INTERVALS = 5;
const HELD_MS = 10_000;

/** The rivalry after one more change. `random` is 0 ≤ x < 1. */
export function changedAgain(before: Rivalry | undefined, now: number, random: number): Rivalry {
  if (!before || now - before.changedAt > MEMORY_MS)
    return { changes: 1, changedAt: now, dueAt: now, intervalMs: 0, allowance: BURST - 1, delayMs: 0 };
  const gap = now - before.changedAt;
  const changed = {
    changes: before.changes + 1,
    changedAt: now,
    intervalMs: before.changes === 1 ? gap : (before.intervalMs + gap) / 2,
  };
  // Counted from when the repair was due: a rival that undoes each one at once earns nothing by our waiting.
  const allowance = Math.min(BURST, before.allowance + Math.max(0, now - before.dueAt) / REFILL_MS);
  if (allowance >= 1) return { ...changed, dueAt: now, allowance: allowance - 1, delayMs: 0 };
  const delayMs = Math.min(before.delayMs === 0 ? FIRST_DELAY_MS : before.delayMs * 2, MAX_DELAY_MS);
  return { ...changed, dueAt: now + delayMs * (1 - JITTER * random), allowance, delayMs };
}

export function isFight({ changes }: Rivalry): boolean {
  return changes >= FIGHT_AFTER;
}

/** How long its repair has to hold until the fight is over. */
export function holdMs({ intervalMs }: Rivalry): number {
  return Math.min(Math.max(HELD_MS, HELD_INTERVALS * intervalMs), MEMORY_MS);
}

/** How often the field is changed, with two digits and the unit that suits: `180/s`, `2/min`, `1.5/h`. */
export function rateOf({ intervalMs }: Rivalry): string {
  const [unit, unitMs] = UNITS.find(([, ms]) => intervalMs <= ms) ?? UNITS[2];
  return `${Number((unitMs / Math.max(1, intervalMs)).toPrecision(2))}/${unit}`;
}

const UNITS = [
  ['s', 1_000],
  ['min', 60_000],
  ['h', 3_600_000],
] as const;
