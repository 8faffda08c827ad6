import { durationMs } from '../api/fields.ts';
import type { Clock } from '../clock.ts';
import { PlumblineError } from '../errors.ts';
import type { Desired } from '../sync/desired.ts';
import type { Failure, Source } from './source.ts';

/** Waits between attempts, at a run and at one object alike: the first, doubling, up to the longest. */
export const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 300_000;

/** The next wait between attempts, after one of `before`; undefined: the first one. */
export function nextRetryMs(before: number | undefined): number {
  return Math.min((before ?? FIRST_RETRY_MS / 2) * 2, MAX_RETRY_MS);
}

/** `spec.retryInterval`, or five minutes. */
export function longestRetryMs({ spec }: Source): number {
  return spec?.retryInterval === undefined ? MAX_RETRY_MS : durationMs(spec.retryInterval);
}

/** Remembers that an object could not be written: another declaration starts afresh, the same one waits twice as long. */
export function noteFailure(
  source: Source,
  desired: Desired,
  error: unknown,
  { clock, isRepair = false }: { clock: Clock; isRepair?: boolean },
): Failure {
  const before = source.failures.get(desired.key);
  const attempts = before?.digest === desired.digest ? before.attempts + 1 : 1;
  const failure: Failure = {
    identity: desired.identity,
    file: desired.file,
    line: desired.line,
    code: error instanceof PlumblineError ? error.code : 'Unexpected',
    message: error instanceof Error ? error.message : String(error),
    digest: desired.digest,
    attempts,
    isRepair,
    retryAt: clock.elapsed() + Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), longestRetryMs(source)),
  };
  source.failures.set(desired.key, failure);
  return failure;
}
