import type { GitOpsSourceStatus } from '../api/source.ts';
import type { EventRecorder } from '../report/event-recorder.ts';
import type { EdgeSetback } from '../report/sentences.ts';
import { subjectOf } from './drift-record.ts';
import type { Source } from './source.ts';

/** An event about what the status shows of the edge now, and did not before: a restart repeats nothing. */
export function recordSetbacks(source: Source, before: GitOpsSourceStatus | undefined, events: EventRecorder): void {
  const { edge, lastAppliedRevision } = source.status;
  const known = new Set(before?.edge?.setbacks?.objects.map(sameness));
  const fresh = edge?.setbacks?.objects.filter((object) => !known.has(sameness(object))) ?? [];
  events.setbacks(subjectOf(source), fresh, lastAppliedRevision);
}

/** Lines move with every edit above them, and shares with every step of a rollout. */
function sameness({ kind, namespace, name, state, message }: EdgeSetback): string {
  return JSON.stringify([kind, namespace, name, state, message.replaceAll(/:\d+\)|[\d.]+ %/g, '')]);
}
