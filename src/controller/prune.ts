import { APPROVE_PRUNE_ANNOTATION } from '../api/names.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { describeIdentity } from '../kube/object.ts';
import { audit } from '../report/log.ts';
import type { LiveObject } from '../sync/live.ts';
import { inParallel } from '../sync/pool.ts';
import { prunePlan } from '../sync/prune-guard.ts';
import { findUnlabelled } from '../sync/unlabelled.ts';
import { orderFor } from './actor.ts';
import { wakeClaimants } from './claim.ts';
import type { ReconcileDeps } from './deps.ts';
import { subjectOf } from './drift-record.ts';
import type { PruneHold, Source } from './source.ts';

const WIDTH = 16;
/** Waits between attempts at deleting what could not be deleted: the first, doubling, up to the last. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 300_000;

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
  const { live, claims, events, api } = deps;
  const { tip, desired } = source.rendered!;
  if (!spec.prune) return undefined;
  if (!source.pruned) {
    // The first time in this process: labels may have been taken off while nobody was watching.
    await findUnlabelled({ api, live }, source.key, source.status.inventory?.kinds ?? [], signal);
    source.pruned = true;
  }
  const plan = prunePlan<LiveObject>({
    declaredKeys: new Set(desired.map(({ key }) => key)),
    live: [...live.of(source.key)].filter(
      ({ key }) => (claims.holder(key) ?? claims.heir(key) ?? source.key) === source.key,
    ),
    enabled: true,
    guard: spec.pruneGuard,
    revision: tip.revision,
    approvedRevision: source.resource.metadata.annotations?.[APPROVE_PRUNE_ANNOTATION],
    renderComplete: true,
    listComplete: true,
    applied: true,
  });
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
    return { code: 'PruneBlocked', message: plan.blocked.message };
  }
  if (failed.length === 0) return undefined;
  return {
    code: 'PruneFailed',
    message: `${failed.length} objects could not be deleted: ${failed.slice(0, 3).join('; ')}`,
    retryMs: Math.min((source.pruneHold?.retryMs ?? FIRST_RETRY_MS / 2) * 2, MAX_RETRY_MS),
  };
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
    wakeClaimants(object.key, deps);
    metrics.wrote('pruned');
    const { sha, author } = source.rendered!.commit;
    audit(log, { source: source.key, commit: sha, author, object: object.identity, action: 'pruned' });
  } catch (error) {
    signal.throwIfAborted();
    failed.push(`${describeIdentity(object.identity)}: ${(error as Error).message}`);
  }
}
