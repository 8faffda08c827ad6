import type { GitOpsSourceSpec } from '../api/source.ts';
import type { RefSelector, Tip } from '../git/remote.ts';
import type { ReconcileDeps } from './deps.ts';
import { teamOf } from './inheritance.ts';
import { plannedPrune } from './prune.ts';
import { readRemote } from './remote-secret.ts';
import type { Source } from './source.ts';

/** So long what would be deleted waits for those who may declare it now. */
const PATIENCE_MS = 30_000;
/** Until it is looked again whether they have. */
export const HEIRS_MS = 500;

/** What a source that is deleted asks Git waits no longer: its deletion never hangs. */
const ASK_MS = 5_000;

export function refOf({ ref = { branch: 'main' } }: GitOpsSourceSpec): RefSelector {
  return ref;
}

/** Do both follow the same ref of the same repository? */
export function isSameRef(a: GitOpsSourceSpec, b: GitOpsSourceSpec): boolean {
  return a.url === b.url && JSON.stringify(refOf(a)) === JSON.stringify(refOf(b));
}

/**
 * Would the source delete what another one of its namespace may declare, of which it is not known yet: because it has to read
 * the same commit of the same repository first, or has not run since it was edited, or since the start? Then it inherits what is
 * declared by it. Wakes those that have not heard of the commit, and remembers with the source since when it waits.
 */
export function awaitsHeirs(source: Source, spec: GitOpsSourceSpec, deps: ReconcileDeps): boolean {
  const { tip } = source.rendered!;
  const unread = isPruning(source, spec, deps) ? unreadSiblings(source, spec, tip, deps) : [];
  return awaits(source, tip.revision, unread, deps);
}

/**
 * As `awaitsHeirs`, of a source whose objects are to be deleted with it: what left it with the commit right before that may not
 * have been read by anybody.
 */
export async function leavesToHeirs(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const tip = await newestTip(source, spec, deps, signal);
  return awaits(source, 'deletion', unreadSiblings(source, spec, tip, deps), deps);
}

/** undefined where no other source follows the ref, or Git cannot be asked. */
async function newestTip(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Tip | undefined> {
  if (!siblingsOf(source, deps).some((other) => isSameRef(other.spec!, spec))) return undefined;
  try {
    const remote = await readRemote(source, spec, deps, signal);
    return await deps.git.resolve(remote, refOf(spec), { signal, timeoutMs: ASK_MS, maxAgeMs: HEIRS_MS });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** `end`: after what the objects are deleted. */
function awaits(source: Source, end: string, unread: readonly Source[], deps: ReconcileDeps): boolean {
  const { awaitsHeirs: before } = source;
  source.awaitsHeirs = undefined;
  const now = deps.clock.elapsed();
  const since = before?.revision === end ? before.since : now;
  if (unread.length === 0 || now - since > PATIENCE_MS) return false;
  source.awaitsHeirs = { revision: end, since };
  for (const { key, working } of unread) if (working === undefined) deps.wake(key);
  return true;
}

function isPruning(source: Source, spec: GitOpsSourceSpec, deps: ReconcileDeps): boolean {
  if (!spec.prune) return false;
  const plan = plannedPrune(source, spec, source.rendered!, deps);
  return plan.blocked !== undefined || plan.delete.some((stage) => stage.length > 0);
}

function unreadSiblings(source: Source, spec: GitOpsSourceSpec, tip: Tip | undefined, deps: ReconcileDeps): Source[] {
  return siblingsOf(source, deps).filter(
    (other) => isYetToRun(other) || (tip !== undefined && isSameRef(other.spec!, spec) && isYetToRead(other, tip)),
  );
}

/** The others of its namespace that are at work. */
function siblingsOf(source: Source, deps: Pick<ReconcileDeps, 'sources'>): Source[] {
  return teamOf(source, deps).filter(({ deleting, spec }) => !deleting && spec && !spec.suspend);
}

/** Has it not claimed anything in this process as it is now, and is about to? */
function isYetToRun({ result, behind, judged, triedGeneration, generation }: Source): boolean {
  const isTried = judged && triedGeneration === generation;
  return result.kind === 'pending' && behind === undefined && !isTried;
}

/** Does nobody know yet what it declares at the commit? One that failed there for what is in it cannot say. */
function isYetToRead({ rendered, ahead, attempt, working }: Source, { revision }: Tip): boolean {
  if (rendered?.tip.revision === revision || ahead?.tip.revision === revision) return false;
  return attempt?.revision !== revision || attempt.isUnread === true || working === revision;
}

/** Does another one of its namespace wait for it to say what it declares? */
export function isAwaited(source: Source, deps: Pick<ReconcileDeps, 'sources'>): boolean {
  return teamOf(source, deps).some(({ awaitsHeirs }) => awaitsHeirs !== undefined);
}
