import { STATUS_LIMITS } from '../api/status-limits.ts';
import { PlumblineError, TerminalError } from '../errors.ts';
import type { ReconcileDeps } from './deps.ts';
import { subjectOf } from './drift-record.ts';
import { withdrawStopped } from './edge-gate.ts';
import { FIRST_RETRY_MS, longestRetryMs } from './failure.ts';
import { historyWith } from './history.ts';
import type { Source } from './source.ts';

/**
 * Writes down why a run ended early, into the source, the log and an event; `requests` are those that it began with, and has
 * answered by failing, and `before` is what had been attempted until then. Returns after how long to try again; undefined when only an edit can help.
 */
export function failRun(
  source: Source,
  { error, requests, before }: { error: unknown; requests: readonly string[]; before: Source['attempt'] },
  deps: ReconcileDeps,
  random: () => number,
): number | undefined {
  const { log, events, clock } = deps;
  const { code, message } = told(error);
  const terminal = error instanceof TerminalError;
  // Where it is not known what the ref names, the run has nothing to say about a revision.
  const revision = source.attempt === before ? undefined : source.attempt?.revision;
  source.result = { kind: 'failed', code, message, terminal };
  source.working = undefined;
  source.serve(requests);
  if (code !== 'EdgeBlocked') withdrawStopped(source, deps);
  if (revision !== undefined && code !== 'DependencyNotReady' && revision !== source.status.lastAppliedRevision) {
    const text = message.slice(0, STATUS_LIMITS.message);
    source.status = {
      ...source.status,
      history: historyWith(source.status.history ?? [], revision, 'Failed', new Date(clock.now()), text),
    };
  }
  log.warn({ source: source.key, revision, error }, 'the source could not be reconciled');
  events.record(subjectOf(source), { type: 'Warning', reason: code, message, revision });
  return terminal ? undefined : retryDelayMs(source, random);
}

function told(error: unknown): { code: string; message: string } {
  if (error instanceof PlumblineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'Unexpected', message: `a defect of Plumbline; please report it with the log: ${message}` };
}

/** Doubles with each failure up to spec.retryInterval; between half and all of it, so that not all come back together. */
function retryDelayMs(source: Source, random: () => number): number {
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(source.retries, 20), longestRetryMs(source));
  source.retries += 1;
  return delayMs * (0.5 + random() / 2);
}
