import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Tip } from '../git/remote.ts';
import type { ReconcileDeps } from './deps.ts';
import { isSameTeam } from './inheritance.ts';
import { plannedPrune } from './prune.ts';
import type { Source } from './source.ts';

/** So long what would be deleted waits for those who may declare it now. */
const PATIENCE_MS = 30_000;

/** Do both follow the same ref of the same repository? */
export function isSameRef(a: GitOpsSourceSpec, b: GitOpsSourceSpec): boolean {
  const refOf = ({ ref = { branch: 'main' } }: GitOpsSourceSpec) => JSON.stringify(ref);
  return a.url === b.url && refOf(a) === refOf(b);
}

/**
 * Would the source delete what another one of its namespace may declare in the same commit of the same repository? That one has
 * to read the commit first: then it inherits what moves to it. Wakes those that have not heard of the commit, and remembers
 * with the source since when it waits.
 */
export function awaitsHeirs(source: Source, spec: GitOpsSourceSpec, deps: ReconcileDeps): boolean {
  const { awaitsHeirs: before, rendered } = source;
  source.awaitsHeirs = undefined;
  const unread = isPruning(source, spec, deps) ? unreadSiblings(source, spec, deps) : [];
  const now = deps.clock.elapsed();
  const { revision } = rendered!.tip;
  const since = before?.revision === revision ? before.since : now;
  if (unread.length === 0 || now - since > PATIENCE_MS) return false;
  source.awaitsHeirs = { revision, since };
  for (const { key, working } of unread) if (working === undefined) deps.wake(key);
  return true;
}

function isPruning(source: Source, spec: GitOpsSourceSpec, deps: ReconcileDeps): boolean {
  if (!spec.prune) return false;
  const plan = plannedPrune(source, spec, source.rendered!, deps);
  return plan.blocked !== undefined || plan.delete.some((stage) => stage.length > 0);
}

function unreadSiblings(source: Source, spec: GitOpsSourceSpec, { sources }: ReconcileDeps): Source[] {
  const { tip } = source.rendered!;
  return [...sources.values()].filter((other) => {
    if (other === source || other.deleting || !other.spec || other.spec.suspend) return false;
    return isSameTeam(other.key, source.key) && isSameRef(other.spec, spec) && isYetToRead(other, tip);
  });
}

/** Does it come to the commit by itself? Not when it failed there, or waits for another source, a window or an approval. */
function isYetToRead({ rendered, attempt, working, result }: Source, { revision }: Tip): boolean {
  if (rendered?.tip.revision === revision) return false;
  if (attempt?.revision === revision) return working === revision;
  return result.kind !== 'failed' || result.code !== 'DependencyNotReady';
}
