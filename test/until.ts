import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** Default 60 s: far above what the condition needs, so that a slow machine fails nothing. */
  timeoutMs?: number;
  intervalMs?: number;
  /** For the error: what was waited for. */
  what?: string;
}

/**
 * What one question counts for at most, beside the pause after it. On a machine that is busy with other things it takes much
 * longer, and so does what is waited for.
 */
const TURN_MS = 100;

/**
 * Asks again and again until `condition` gives something truthy, and returns it. A condition that throws counts as "not
 * yet", so it may hold assertions (then end it with `return true`); the last error is the cause of the timeout's.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const { timeoutMs = 60_000, intervalMs = 15, what = condition.toString() } = options;
  let waitedMs = 0;
  let last: { value?: unknown; error?: unknown } = {};
  do {
    const askedAt = performance.now();
    try {
      const value = await condition();
      if (value) return value as Exclude<T, undefined | null | false | 0 | ''>;
      last = { value };
    } catch (error) {
      last = { error };
    }
    await pause(intervalMs);
    waitedMs += Math.min(performance.now() - askedAt, intervalMs + TURN_MS);
  } while (waitedMs < timeoutMs);
  const reason = last.error instanceof Error ? last.error.message : `last answer: ${String(last.value)}`;
  throw new Error(`waited ${timeoutMs} ms in vain for: ${what} (${reason})`, { cause: last.error });
}
