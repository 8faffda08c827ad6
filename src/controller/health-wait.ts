import { durationMs } from '../api/fields.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import type { LiveObject } from '../sync/live.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';

/** The status is looked at again when the time is surely over. */
const AFTER_MS = 100;

type Deps = Pick<ReconcileDeps, 'clock' | 'status'>;

/** `spec.wait`: the time for getting healthy begins now, and the status is told again when it is over. Returns now, in monotonic milliseconds. */
export function beginHealthWait(
  source: Source,
  spec: Pick<GitOpsSourceSpec, 'timeout'>,
  { clock, status }: Deps,
): number {
  clock.after(durationMs(spec.timeout) + AFTER_MS, () => status.changed(source));
  return (source.onItsWaySince = clock.elapsed());
}

/**
 * `spec.wait`: has the time for getting healthy (`spec.timeout`) passed? It begins with the apply, and anew when what was healthy
 * no longer is: a pod that moves to another node is no failure yet. Remembers
 * with the source when it began.
 */
export function hasHealthTimedOut(source: Source, live: readonly LiveObject[], deps: Deps): boolean {
  const { spec } = source;
  if (!spec?.wait || !live.some(isOnItsWay)) {
    source.onItsWaySince = undefined;
    return false;
  }
  const since = source.onItsWaySince ?? beginHealthWait(source, spec, deps);
  return deps.clock.elapsed() - since > durationMs(spec.timeout);
}

function isOnItsWay({ health: { status } }: LiveObject): boolean {
  return status !== 'Current' && status !== 'Failed';
}
