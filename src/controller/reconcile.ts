import { FINALIZER } from '../api/names.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { TerminalError } from '../errors.ts';
import { isConflict } from '../kube/errors.ts';
import { RevisionRun } from '../sync/revision.ts';
import { actorFor } from './actor.ts';
import { declaresNews, digestOf, isAsApplied, isWhole, wholeOf } from './applied.ts';
import { comeToRest } from './at-rest.ts';
import { announce, claimAndWatch } from './claim.ts';
import { leaveUntouched } from './drift-record.ts';
import type { ReconcileDeps } from './deps.ts';
import { passEdge } from './edge-gate.ts';
import { judgedBy } from './expected.ts';
import { finalize } from './finalize.ts';
import { beginHealthWait } from './health-wait.ts';
import { historyWith } from './history.ts';
import { restoreProofs } from './lost-proof.ts';
import type { Outcome } from './outcome.ts';
import { loosen, prevent, SUSPENDED } from './prevent.ts';
import { letGo, prune, pruneFirst } from './prune.ts';
import { awaitFirst, noteReleased, passRelease, releasedToTell, sayHealNow, tellWaiting } from './release.ts';
import { readRemote } from './remote-secret.ts';
import { readRevision } from './revision.ts';
import { RunListener } from './run-listener.ts';
import { awaitsHeirs, HEIRS_MS } from './siblings.ts';
import type { RunResult, Source } from './source.ts';
import { verify } from './verify.ts';

/** Somebody else wrote the source in the same moment. */
const SOON_MS = 50;
/** A source that another one depends on tells when it is Ready; should nothing come of it, it is asked about again. */
const DEPENDENCY_MS = 5_000;

/**
 * Brings one source to where Git and its spec want it: gates with early return, then the way of the data in order. Looks at
 * the present state only; it can be called at any time, as often as one likes, and sends nothing when nothing is to be done.
 */
export async function reconcile(source: Source, deps: ReconcileDeps, signal: AbortSignal): Promise<Outcome> {
  if (source.deleting) return finalize(source, deps, signal);
  if (deps.uninstall.begun) return { kind: 'done' };
  const { spec } = source;
  if (!spec) throw invalidSpec(source);
  await loosen(source, deps);
  signal.throwIfAborted();
  if (spec.suspend) return suspend(source, spec, deps);
  if (!(await ensureFinalizer(source, deps, signal))) return { kind: 'again', afterMs: SOON_MS };

  const { requests, healNow, generation } = source;
  const isRequested = requests.length > 0;
  const remote = await readRemote(source, spec, deps, signal);
  const revision = await readRevision(source, spec, remote, deps, signal);
  if (revision.trouble === undefined) announce(source, revision.rendered, deps);
  const released = await passRelease(source, spec, remote, revision, deps, signal);
  if (!released.rendered) return awaitFirst(source, spec, { ...released, requests }, deps, signal);
  const { waiting } = released;
  if (released.trouble === undefined && !waiting) await restoreProofs(source, spec, remote, released, deps, signal);
  const { rendered, trouble, candidate, first } = await passEdge(source, spec, remote, released, deps, signal);
  if (trouble === undefined && !waiting) await noteReleased(source, spec, rendered, deps);
  const isNew = declaresNews(source, rendered);
  if (isNew) leaveUntouched(source, rendered, revision.before, deps);
  source.applying = true;
  try {
    await claimAndWatch(source, rendered, deps, signal);
    // What counts as drift is another question now: everything is looked at anew.
    const isJudgedAnew = source.judgedBy !== undefined && source.judgedBy !== judgedBy(spec);
    const isAsked = isRequested && source.behind === undefined;
    if (isJudgedAnew || ((isAsked || source.verifyDue) && !isNew)) await verify(source, deps, signal);
    // Only now: a run that is cut short leaves the look to the next one.
    source.judgedBy = judgedBy(spec);
    // Whoever goes back to what was applied before has what this one writes taken back, which is no drift.
    if (isNew) source.appliedKey = null;

    if (first.length > 0) await pruneFirst(source, spec, first, deps, signal);
    // Who edits the source may have mended what failed, or named another account.
    const retryAll = isRequested || source.triedGeneration !== generation;
    await apply(source, spec, deps, { isNew, retryAll, healNow }, signal);
    source.triedGeneration = generation;
    source.judged = true;
    const known = source.unlisted.length === 0 && trouble === undefined;
    const complete = known && source.failures.size === 0;
    if (complete && awaitsHeirs(source, spec, deps)) return { kind: 'unfinished', afterMs: HEIRS_MS };
    if (complete) source.pruneHold = await prune(source, spec, deps, signal);
    // Nothing is pruned while a newer commit waits for another source, and what had to stay does.
    else if (source.behind === undefined) source.pruneHold = undefined;
    if (known && !complete) await letGo(source, spec, candidate, deps, signal);
    await prevent(source, spec, deps, signal);
  } finally {
    source.applying = false;
  }
  // A write that was under way may have ended well after an edit of the source: of that one nothing is known yet.
  signal.throwIfAborted();
  if (waiting) await tellWaiting(source, spec, waiting, deps, signal);
  const outcome = settle(source, spec, deps, { requests, trouble });
  comeToRest(source, remote, deps);
  return outcome;
}

function invalidSpec(source: Source): TerminalError {
  const problems = source.parsed.ok ? [] : source.parsed.problems;
  return new TerminalError('InvalidSpec', problems.map(({ path, message }) => `${path} ${message}`).join('; '));
}

function suspend(source: Source, spec: GitOpsSourceSpec, deps: ReconcileDeps): Outcome {
  deps.poller.forget(source.key);
  deps.edge.withdraw(source.key);
  if (source.prevention?.active) source.prevention = SUSPENDED;
  source.result = { kind: 'suspended' };
  source.working = undefined;
  // For a start before it goes on: the edit changes no object.
  if (source.rendered) noteEnforced(source, spec);
  return { kind: 'done' };
}

/** From here on the source may own objects, so its deletion must pass through us. False: read it again first. */
async function ensureFinalizer(
  source: Source,
  { api, sourceResource, status }: ReconcileDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { metadata } = source.resource;
  const finalizers = metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) return true;
  const patch = { metadata: { resourceVersion: metadata.resourceVersion, finalizers: [...finalizers, FINALIZER] } };
  try {
    const { object } = await api.mergePatch(sourceResource(), source.namespace, source.name, patch, { signal });
    source.resource.metadata = { ...object.metadata, namespace: source.namespace };
    status.seen(source, object);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

async function apply(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  run: { isNew: boolean; retryAll: boolean; healNow: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { claims, clock } = deps;
  const held = new Set<string>();
  for (const [key, failure] of source.failures) {
    const same = claims.desired(key)?.digest === failure.digest;
    if (same && !run.retryAll && !run.isNew && failure.retryAt > clock.elapsed()) held.add(key);
  }
  // All or nothing: without the ones that failed, the rest would look acceptable.
  if (spec.atomic) held.clear();
  const actor = await actorFor(source, spec, deps, signal, { check: run.isNew || run.retryAll });
  if (run.healNow !== undefined) sayHealNow(source, deps);
  const listener = new RunListener(source, spec, deps, run);
  const declared = claims.of(source.key);
  await new RevisionRun(deps, {
    actor,
    desired: [...declared.values()],
    held,
    unlisted: source.unlisted,
    isDrifted: (key) => isOpenDrift(source, key) || source.failures.has(key),
    atomic: spec.atomic,
    policy: spec.drift,
    conflicts: [...source.failures.keys()].filter((key) => !declared.has(key)).length,
    leaveDrift: (object) => listener.leaveDrift(object),
    listener,
    signal,
  }).run();
  listener.done();
  if (run.healNow !== undefined) source.status = { ...source.status, lastHandledHealNow: run.healNow };
}

/** Known to differ now: left, because the source was suspended or only wants to hear of it. Fights are the healer's. */
function isOpenDrift({ drift }: Source, key: string): boolean {
  const action = drift.get(key)?.action;
  return action !== undefined && action !== 'Rewritten' && action !== 'NotHolding';
}

/** Says what came out of it, and when to look again. */
function settle(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  { requests, trouble }: { requests: readonly string[]; trouble: unknown },
): Outcome {
  const { clock } = deps;
  const { tip, treeId, settings } = source.rendered!;
  const whole = source.failures.size === 0;
  const afterMs = againAfterMs(source, clock.elapsed());
  // What an edit of the source made of the last good revision is no news any more.
  const isStanding = trouble !== undefined && source.behind === undefined;
  if (whole && isStanding) source.appliedKey = wholeOf({ treeId, settings });
  noteEnforced(source, spec);
  if (source.behind !== undefined) {
    source.working = undefined;
    source.result = resultBehind(source, spec);
    // What was asked for is answered with the newest commit.
    return { kind: 'again', afterMs: Math.min(afterMs, DEPENDENCY_MS) };
  }
  if (trouble !== undefined) {
    // The last good revision is enforced, with what failed of it; what people must hear is why it is not the newest one.
    if (afterMs < Infinity) deps.wake(source.key, afterMs);
    throw trouble;
  }
  source.working = undefined;
  source.serve(requests);
  if (whole) {
    // An edit of the source asks anew too, maybe for other objects or with another time.
    if (source.status.lastAppliedRevision !== tip.revision || source.appliedGeneration !== source.generation) {
      source.appliedGeneration = source.generation;
      if (spec.wait) beginHealthWait(source, spec, deps);
    }
    source.appliedKey = wholeOf({ treeId, settings });
    source.status = { ...source.status, lastAppliedRevision: tip.revision };
    noteEnforced(source, spec);
  }
  const history = source.status.history ?? [];
  const outcome = whole ? 'Applied' : 'Failed';
  source.status = {
    ...source.status,
    history: historyWith(history, tip.revision, outcome, new Date(clock.now())),
  };
  source.result = whole ? { kind: 'applied' } : { kind: 'partly' };
  return afterMs < Infinity ? { kind: 'again', afterMs } : { kind: 'done' };
}

/** Writes down for the next start what is enforced, and whether the source as it is now makes what was applied whole last. */
function noteEnforced(source: Source, spec: GitOpsSourceSpec): void {
  source.status = { ...source.status, lastReleasedRevision: releasedToTell(source, spec, source.rendered!.tip) };
  if (!isAsApplied(source, spec)) return;
  const lastAppliedSettings = digestOf(source.rendered!);
  source.status = { ...source.status, lastAppliedGeneration: source.generation, lastAppliedSettings };
}

/** How what is enforced stands while a newer commit waits for another source. */
function resultBehind(source: Source, spec: GitOpsSourceSpec): RunResult {
  if (source.failures.size > 0) return { kind: 'partly' };
  // An edit may name another ref, of which nothing is applied yet.
  const isEdited = source.appliedGeneration !== source.generation;
  return isWhole(source, spec) && !isEdited ? { kind: 'applied' } : { kind: 'pending' };
}

/** When the first of what failed may be tried again. */
function againAfterMs({ failures, pruneHold }: Source, now: number): number {
  const waits = [...failures.values()].map(({ retryAt }) => Math.max(0, retryAt - now));
  return Math.min(...waits, pruneHold?.retryMs ?? Infinity);
}
