import type { GitOpsSourceStatus } from '../api/source.ts';
import { STATUS_LIMITS } from '../api/status-limits.ts';

type History = NonNullable<GitOpsSourceStatus['history']>;

/** The last revisions, newest first, with this one on top. Equal input gives the same array: a run at rest writes nothing. */
export function historyWith(
  history: History,
  revision: string,
  status: History[number]['status'],
  now: Date,
  message?: string,
): History {
  const [latest] = history;
  if (latest?.revision === revision && latest.status === status && latest.message === message) return history;
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const before = history.find((entry) => entry.revision === revision);
  const entry = {
    revision,
    status,
    firstSeen: before?.firstSeen ?? time,
    lastSeen: time,
    ...(message !== undefined && { message }),
  };
  return [entry, ...history.filter((other) => other.revision !== revision)].slice(0, STATUS_LIMITS.history);
}
