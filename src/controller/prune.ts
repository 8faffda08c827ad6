import { APPROVE_PRUNE_ANNOTATION } from '../api/names.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { Candidate } from '../gate/candidate.ts';
import { describeIdentity, identityKey, type Identity } from '../kube/object.ts';
import { audit } from '../report/log.ts';
import type { LiveObject, LiveObjects } from '../sync/live.ts';
import { inParallel } from '../concurrency/parallel.ts';
import { prunePlan, type PrunePlan } from '../sync/prune-guard.ts';
import { findUnlabelled } from '../sync/unlabelled.ts';
import { orderFor } from './actor.ts';
import { isRefused, wakeClaimants } from './claim.ts';
import type { ReconcileDeps } from './deps.ts';
import { subjectOf } from './drift-record.ts';
import { nextRetryMs } from './failure.ts';
import { teamOf } from './inheritance.ts';
import { triedFailures, type PruneHold, type Rendered, type Source } from './source.ts';
import { plural } from '../plural.ts';

const WIDTH = 16;

/**
 * Deletes what is live, ours and no longer declared. Called only when the revision is applied whole and every kind is known
 * completely. Returns why something had to stay, if it did.
 */
export async function prune(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<PruneHold | undefined> {
  const { live, events, api } = deps;
  const { tip } = source.rendered!;
  if (!spec.prune) return undefined;
  if (!source.pruned) {
    // Labels may have been taken off while nobody was watching, or of what was waiting to be pruned.
    await findUnlabelled({ api, live }, source.key, source.status.inventory?.kinds ?? [], signal);
    source.pruned = true;
  }
  const plan = plannedPrune(source, spec, source.rendered!, deps);
  const failed: string[] = [];
  for (const stage of plan.delete)
    await inParallel(stage, WIDTH, (object) => remove(source, spec, object, deps, failed, signal));
  if (plan.blocked) {
    events.record(subjectOf(source), {
      type: 'Warning',
      reason: 'PruneBlocked',
      message: plan.blocked.message,
      revision: tip.revision,
    });
  }
  return holdOf(plan, failed, source.pruneHold);
}

/** `before`: why something had to stay at the last time. */
function holdOf(
  { blocked }: PrunePlan<LiveObject>,
  failed: readonly string[],
  before?: PruneHold,
): PruneHold | undefined {
  if (failed.length === 0) return blocked && { code: 'PruneBlocked', message: blocked.message };
  const message = `${plural(failed.length, 'object')} could not be deleted: ${failed.slice(0, 3).join('; ')}`;
  const retryMs = nextRetryMs(before?.retryMs);
  if (blocked) return { code: 'PruneBlocked', message: `${blocked.message}; ${message}`, retryMs };
  return { code: 'PruneFailed', message, retryMs };
}

/**
 * Two sources that exchange objects would wait for each other for ever: neither lets go before its revision is whole, and
 * neither revision can be. So where nothing but such refusals failed, what another source of the namespace has been refused
 * is let go ahead of the rest, and so is a route that keeps another source from passing the gate of the edge, which may have
 * what this one waits for. Any other failure may be the new half of a rename: then everything stays.
 */
export async function letGo(
  source: Source,
  spec: GitOpsSourceSpec,
  candidate: Candidate,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!isOnlyRefused(source)) return;
  const others = teamOf(source, deps);
  const inTheWay = await deps.edge.awaited(candidate, signal);
  const awaited = new Set([...others.flatMap(refusedOf), ...inTheWay.map(identityKey)]);
  const plan = plannedPrune(source, spec, source.rendered!, deps);
  const stages = plan.delete.map((stage) => stage.filter(({ key }) => awaited.has(key)));
  // What cannot be deleted now is tried again with the next run, which the refusals bring about.
  for (const stage of stages)
    await inParallel(stage, WIDTH, (object) => remove(source, spec, object, deps, [], signal));
}

/** Does the source lack something, and nothing but what belongs to others? */
export function isOnlyRefused(source: Source): boolean {
  const tried = triedFailures(source);
  return tried.length > 0 && refusedOf(source).length === tried.length;
}

function refusedOf(source: Source): string[] {
  return [...source.failures.keys()].filter((key) => isRefused(source, key));
}

/** What may be deleted once the revision is applied whole; its objects need not be claimed yet. */
export function plannedPrune(
  source: Source,
  spec: GitOpsSourceSpec,
  { tip, desired }: Rendered,
  { live, claims, sources }: ReconcileDeps,
): PrunePlan<LiveObject> {
  // Who was refused the object when it was about to write it holds a claim that keeps nobody from letting go.
  const holder = (key: string): string | undefined => {
    const name = claims.holder(key);
    const other = name === undefined ? undefined : sources.get(name);
    return other && isRefused(other, key) ? undefined : name;
  };
  const declaredKeys = new Set(desired.map(({ key }) => key));
  const isOthers = (key: string) =>
    !declaredKeys.has(key) && (holder(key) ?? claims.heir(key) ?? source.key) !== source.key;
  return prunePlan<LiveObject>({
    declaredKeys,
    live: [...live.of(source.key)].filter(({ key }) => !isOthers(key)),
    enabled: spec.prune,
    guard: spec.pruneGuard,
    revision: tip.revision,
    approvedRevision: source.resource.metadata.annotations?.[APPROVE_PRUNE_ANNOTATION],
    renderComplete: true,
    listComplete: true,
    applied: true,
  });
}

/**
 * Deletes what must go before anything of the revision is applied. Its successors are rehearsed before: what would not be
 * accepted must not cost the old ones. Throws EdgeOrder when something is still there then.
 */
export async function pruneFirst(
  source: Source,
  spec: GitOpsSourceSpec,
  first: readonly Identity[],
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { live, claims, writer } = deps;
  const wanted = new Set(first.map(identityKey));
  const plan = plannedPrune(source, spec, source.rendered!, deps);
  const stages = plan.delete.map((stage) => stage.filter(({ key }) => wanted.has(key)));
  if (!stages.some((stage) => stage.length > 0)) return assertGone(first, live);

  const kinds = new Set(first.map(({ group, kind }) => `${group}/${kind}`));
  const successors = [...claims.of(source.key).values()].filter(
    ({ key, identity }) => kinds.has(`${identity.group}/${identity.kind}`) && !live.get(key),
  );
  await inParallel(successors, WIDTH, (object) => writer.foresee(orderFor(source, spec, deps), object, signal));
  const failed: string[] = [];
  for (const stage of stages)
    await inParallel(stage, WIDTH, (object) => remove(source, spec, object, deps, failed, signal));
  assertGone(first, live, failed);
}

function assertGone(first: readonly Identity[], live: LiveObjects, failed: readonly string[] = []): void {
  const left = first.filter((identity) => live.get(identityKey(identity)));
  if (left.length === 0) return;
  const names = left.slice(0, 3).map(describeIdentity).join(', ');
  const why = failed.length > 0 ? `: ${failed.slice(0, 3).join('; ')}` : '';
  throw new PlumblineError('EdgeOrder', `${names} must be gone before its successor is applied${why}`);
}

async function remove(
  source: Source,
  spec: GitOpsSourceSpec,
  object: LiveObject,
  deps: ReconcileDeps,
  failed: string[],
  signal: AbortSignal,
): Promise<void> {
  const { writer, metrics, log } = deps;
  try {
    let outcome = await writer.remove(orderFor(source, spec, deps), object.identity, { signal });
    // Somebody wrote it in between; the watch has told us by now whether it is still ours.
    if (outcome === 'changed') outcome = await writer.remove(orderFor(source, spec, deps), object.identity, { signal });
    if (outcome === 'changed')
      failed.push(`${describeIdentity(object.identity)} is being changed by others at this moment`);
    if (outcome !== 'deleted') return;
    wakeClaimants(object.key, source, deps);
    metrics.wrote('pruned');
    const { sha, author } = source.rendered!.commit;
    audit(log, { source: source.key, commit: sha, author, object: object.identity, action: 'pruned' });
  } catch (error) {
    signal.throwIfAborted();
    failed.push(`${describeIdentity(object.identity)}: ${(error as Error).message}`);
  }
}
