import { durationMs } from '../api/fields.ts';
import type { LiveObject } from '../sync/live.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';

/** The status is looked at again when the time is surely over. */
const AFTER_MS = 100;

/**
 * `spec.wait`: has the time for getting healthy (`spec.timeout`) passed? It begins with the apply, and anew when what was healthy
 * no longer is: a pod that moves to another node is no failure yet. Remembers with the source since when objects are on their
 * way, and has its status told again when the time is over.
 */
export function hasHealthTimedOut(
  source: Source,
  live: readonly LiveObject[],
  { clock, status }: Pick<ReconcileDeps, 'clock' | 'status'>,
): boolean {
  const { spec, appliedAt } = source;
  if (!spec?.wait || !live.some(isOnItsWay)) {
    source.onItsWaySince = undefined;
    return false;
  }
  const now = clock.elapsed();
  const limitMs = durationMs(spec.timeout);
  if (source.onItsWaySince === undefined) {
    source.onItsWaySince = now;
    clock.after(limitMs + AFTER_MS, () => status.changed(source));
  }
  return appliedAt !== undefined && now - Math.max(appliedAt, source.onItsWaySince) > limitMs;
}

function isOnItsWay({ health: { status } }: LiveObject): boolean {
  return status !== 'Current' && status !== 'Failed';
}
