import { isDeepStrictEqual } from 'node:util';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import type { Beside } from '../drift/beside.ts';
import type { DriftedField } from '../drift/explain.ts';
import type { DriftedObject } from '../report/sentences.ts';
import type { Desired } from '../sync/desired.ts';
import type { ReconcileDeps } from './deps.ts';
import { subjectOf } from './drift-record.ts';
import { shownObject } from './shown-drift.ts';
import type { Source } from './source.ts';

/**
 * Takes down what differs from Git on one object without being drift. Of every object it is known that something does, which
 * is what the counts need; what it is, only of as many as the status shows, so that thousands of them cost next to nothing.
 */
export function recordBeside(
  source: Source,
  desired: Desired,
  beside: Beside,
  { status, events, clock }: Pick<ReconcileDeps, 'status' | 'events' | 'clock'>,
): void {
  const tell = (
    known: Map<string, DriftedObject | undefined>,
    fields: readonly DriftedField[],
    how: { action: 'Foreign' | 'Ignored'; fieldAction: 'Reported' | 'Ignored' },
    limit: number,
  ): void => {
    const { key } = desired;
    const before = known.get(key);
    const isKnown = known.has(key);
    if (fields.length === 0) {
      if (known.delete(key)) status.changed(source);
      return;
    }
    const isShown = before !== undefined || hasRoom(known, limit);
    const shown = isShown
      ? shownObject(desired, fields, {
          action: how.action,
          fieldAction: () => how.fieldAction,
          spec: source.spec,
          now: new Date(clock.now()),
          before,
        })
      : undefined;
    known.set(key, shown);
    if (isKnown && isDeepStrictEqual(before, shown)) return;
    status.changed(source);
    if (shown && how.action === 'Foreign') events.drift(subjectOf(source), [shown], source.rendered?.tip.revision);
  };
  tell(source.foreign, beside.foreign, { action: 'Foreign', fieldAction: 'Reported' }, STATUS_LIMITS.foreignObjects);
  tell(source.ignored, beside.ignored, { action: 'Ignored', fieldAction: 'Ignored' }, STATUS_LIMITS.ignoredObjects);
}

/** Those that are shown are mostly the first ones, so this looks at few. */
function hasRoom(known: ReadonlyMap<string, DriftedObject | undefined>, limit: number): boolean {
  let shown = 0;
  for (const object of known.values()) if (object && (shown += 1) >= limit) return false;
  return true;
}
