import type { GitOpsSourceSpec } from '../api/source.ts';
import { inParallel } from '../concurrency/parallel.ts';
import type { Remote } from '../git/remote.ts';
import { isConflict, isTransient } from '../kube/errors.ts';
import { describeIdentity } from '../kube/object.ts';
import { isKept, type Desired } from '../sync/desired.ts';
import { orderFor } from './actor.ts';
import { declaresNews } from './applied.ts';
import { watchKinds } from './claim.ts';
import type { ReconcileDeps } from './deps.ts';
import { lastGoodRevision, type Revision } from './revision.ts';
import type { Source } from './source.ts';

const WIDTH = 16;

/**
 * What lost the proof of its source (the annotation) while nobody put it back, and now leaves Git, would stay as nobody's.
 * The proof says two things, the source and the object's own identity, and both are still to be had: the labels that we wrote
 * name the source, and the revision before this one names the object. So the proof is put back where the object is to be
 * pruned; everything that follows knows it again, after a restart too. A copy is another object, which no revision declared.
 */
export async function restoreProofs(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  { rendered, before }: Revision,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!spec.prune || !(source.superseded || declaresNews(source, rendered))) return;
  await watchKinds(source, rendered, deps, signal);
  const unproven = new Set<string>();
  for (const { key, pruneDisabled } of deps.live.of(undefined)) if (!pruneDisabled) unproven.add(key);
  // Mostly there is none, and the revision need not be walked through.
  if (unproven.size > 0) for (const { key } of rendered.desired) unproven.delete(key);
  const isAllKnown = source.unlisted.length === 0;
  if (unproven.size > 0 || !isAllKnown) {
    source.superseded ??= before ?? (await lastGoodRevision(source, spec, remote, deps, signal));
    const left = source.superseded?.desired.filter((object) => unproven.has(object.key) && isKept(object)) ?? [];
    await inParallel(left, WIDTH, (object) => restoreProof(source, spec, object, deps, signal));
  }
  if (isAllKnown) source.superseded = undefined;
}

async function restoreProof(
  source: Source,
  spec: GitOpsSourceSpec,
  object: Desired,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  try {
    await deps.writer.prove(orderFor(source, spec, deps), object, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isTransient(error) || isConflict(error)) throw error;
    // What the API server refuses must not keep the new revision from being applied.
    const said = `${describeIdentity(object.identity)} lost the proof that it belongs to ${source.key}, which could not be put back; it stays`;
    deps.log.warn({ source: source.key, error }, said);
  }
}
