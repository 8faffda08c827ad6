import { APPROVE_ANNOTATION, HEAL_NOW_ANNOTATION, SYNC_NOW_ANNOTATION } from '../api/names.ts';
import { durationMs } from '../api/fields.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { Remote } from '../git/remote.ts';
import { sayPending } from '../report/sentences.ts';
import { holdOf, type Hold } from '../sync/hold.ts';
import { isApproved } from '../sync/prune-guard.ts';
import { isOfCommit, lastApplied } from './applied.ts';
import { watchKinds } from './claim.ts';
import type { ReconcileDeps } from './deps.ts';
import { subjectOf } from './drift-record.ts';
import { edgeObjections, forgetBlock } from './edge-gate.ts';
import { findingOf } from '../gate/report.ts';
import type { Outcome } from './outcome.ts';
import { pendingOf } from './pending.ts';
import { plannedPrune } from './prune.ts';
import { standingRevision, type Released, type Revision, type Waiting } from './revision.ts';
import { setterOf } from './setter.ts';
import type { Rendered, Source } from './source.ts';

/**
 * The gate of time and approval: a new commit outside its window, or one that nobody has approved, waits, and the one before
 * it goes on being enforced. What was let through once is not asked again, so a half-applied revision is brought to its end.
 * Only commits wait: an edit of the source itself acts at once, for whoever makes it could as well edit its windows.
 */
export async function passRelease(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  revision: Revision,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Released> {
  const { rendered, trouble } = revision;
  // Of the newest commit nothing is known: what was said of it stands.
  if (trouble !== undefined) return revision;
  const hold = isOfCommit(source, rendered.tip) ? undefined : holdNow(source, spec, rendered, deps);
  const standing = hold && (await standingRevision(source, spec, remote, deps, signal));
  const isSame = standing?.treeId === rendered.treeId && standing.settings === rendered.settings;
  if (!hold || isSame) {
    source.pending = null;
    return revision;
  }
  deps.edge.withdraw(source.key);
  if (source.edgeBlock) forgetBlock(source);
  source.working = undefined;
  const waiting = { rendered, hold };
  return standing ? { rendered: standing, waiting } : { rendered: undefined, waiting };
}

function holdNow(
  source: Source,
  spec: GitOpsSourceSpec,
  { tip }: Rendered,
  { clock }: ReconcileDeps,
): Hold | undefined {
  const { [APPROVE_ANNOTATION]: approved, [SYNC_NOW_ANNOTATION]: syncNow } = source.resource.metadata.annotations ?? {};
  const opening = source.timetable.at('sync', clock.now());
  return holdOf({ revision: tip.revision, sync: spec.sync, approved, syncNow, opening });
}

/** Do windows or approvals hold commits back? */
function isGuarded({ sync, windows = [] }: GitOpsSourceSpec): boolean {
  return sync === 'Manual' || windows.some((window) => window.for === 'sync');
}

/**
 * Writes down that the revision was let through, and by whom: after a restart it must not wait a second time, and is what is
 * enforced even if it is not whole. Where nothing could have held it back, that is told with the next status that is written.
 */
export async function noteReleased(
  source: Source,
  spec: GitOpsSourceSpec,
  { tip }: Rendered,
  deps: ReconcileDeps,
): Promise<void> {
  const { lastReleasedRevision: before } = source.status;
  const after = releasedToTell(source, spec, tip);
  if (before === after) return;
  source.status = { ...source.status, lastReleasedRevision: after };
  if (!isGuarded(spec)) return;
  const isClosed = !source.timetable.at('sync', deps.clock.now()).open;
  for (const annotation of [spec.sync === 'Manual' && APPROVE_ANNOTATION, isClosed && SYNC_NOW_ANNOTATION]) {
    const value = annotation ? source.resource.metadata.annotations?.[annotation] : undefined;
    if (annotation && isApproved({ approvedRevision: value, revision: tip.revision }))
      sayLetThrough(source, tip.revision, annotation, deps);
  }
  if (await deps.status.flush(source)) return;
  throw new PlumblineError(
    'ReleaseNotStored',
    'could not write into the status that the commit was let through; nothing of it is applied before that',
  );
}

/** What `lastReleasedRevision` says while this is enforced: nothing, when `lastAppliedRevision` says it. */
export function releasedToTell(
  { status }: Source,
  spec: GitOpsSourceSpec,
  { revision }: Rendered['tip'],
): string | undefined {
  return isGuarded(spec) || status.lastAppliedRevision !== revision ? revision : undefined;
}

function sayLetThrough(source: Source, revision: string, annotation: string, { log, events }: ReconcileDeps): void {
  const { by, time } = setterOf(source.resource, annotation);
  const message = `${revision} is let through by the annotation ${annotation}, set by ${by}`;
  log.audit({ audit: true, source: source.key, revision, annotation, by, time }, message);
  events.record(subjectOf(source), { type: 'Normal', reason: 'Released', message, revision });
}

/** Somebody wants what waits for a window to be healed now. */
export function sayHealNow(source: Source, { log, events }: ReconcileDeps): void {
  const { by, time } = setterOf(source.resource, HEAL_NOW_ANNOTATION);
  const message = `what waits for a window is healed now by the annotation ${HEAL_NOW_ANNOTATION}, set by ${by}`;
  log.audit({ audit: true, source: source.key, annotation: HEAL_NOW_ANNOTATION, by, time }, message);
  events.record(subjectOf(source), { type: 'Normal', reason: 'Released', message });
}

/** Works out what the revision that waits would do, tells it, and looks again when its window opens. */
export async function tellWaiting(
  source: Source,
  spec: GitOpsSourceSpec,
  { rendered, hold }: Waiting,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { live, events, wakeAt } = deps;
  const objections = await edgeObjections(source, spec, rendered, deps, signal);
  source.pending = pendingOf({
    revision: rendered.tip.revision,
    hold,
    desired: rendered.desired,
    enforced: new Map((source.rendered?.desired ?? []).map(({ key, digest }) => [key, digest])),
    isLive: (key) => live.get(key)?.source === source.key,
    prune: plannedPrune(source, spec, rendered, deps),
    findings: objections.map(findingOf),
  });
  const { reason, revision } = source.pending;
  events.record(subjectOf(source), { type: 'Normal', reason, message: sayPending(source.pending), revision });
  if (hold.reason === 'WaitingForWindow') wakeAt(source.key, hold.opening.until);
}

/**
 * A commit waits, and nothing is enforced meanwhile: it is the first one of the source, or the one before it cannot be had
 * from Git, which is asked again. `requests` are those that the run began with.
 */
export async function awaitFirst(
  source: Source,
  spec: GitOpsSourceSpec,
  { waiting, requests }: { waiting: Waiting; requests: readonly string[] },
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  await watchKinds(source, waiting.rendered, deps, signal);
  await tellWaiting(source, spec, waiting, deps, signal);
  source.result = { kind: 'waiting' };
  source.serve(requests);
  return lastApplied(source) ? { kind: 'again', afterMs: durationMs(spec.interval) } : { kind: 'done' };
}
