import { durationMs } from '../api/fields.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { leavesUnread } from '../git/errors.ts';
import type { Remote, Tip } from '../git/remote.ts';
import type { Hold } from '../sync/hold.ts';
import { enforced, isMadeAsBefore, lastApplied, lastWhole, settingsOf } from './applied.ts';
import { announce } from './claim.ts';
import { assertDependencies, assertDependenciesAt, DependencyAtWork } from './dependencies.ts';
import type { ReconcileDeps } from './deps.ts';
import { expect } from './expected.ts';
import { isMisplaced, renderAt } from './render-at.ts';
import { isAwaited, refOf } from './siblings.ts';
import type { Rendered, Source } from './source.ts';

/** What is to be enforced, and what stands in the way of the newest revision, if anything does. */
export interface Revision {
  rendered: Rendered;
  /** Git cannot be asked, the newest commit cannot be rendered, or another source comes first: `rendered` is the last good one. */
  trouble?: unknown;
  /** What was enforced before it, as far as that is known without asking Git. */
  before?: Rendered | undefined;
}

/** A new revision that is not applied yet, and why. */
export interface Waiting {
  readonly rendered: Rendered;
  readonly hold: Hold;
}

/** What may be enforced now; nothing when the first commit of a source waits, or the one before it cannot be had. */
export type Released =
  (Revision & { readonly waiting?: Waiting }) | { readonly rendered: undefined; readonly waiting: Waiting };

/**
 * The revision to enforce. When Git is unreachable, the newest commit is broken, or a source that this one depends on is not
 * Ready, the last good revision goes on being enforced, after a restart too: from the local mirror. Rejects when there is none.
 * An edit of the source makes another one of the same commit.
 */
export async function readRevision(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Revision> {
  const ahead = readAhead(source, spec, remote, deps, signal);
  source.behind = undefined;
  const { attempt } = source;
  try {
    assertReadiness(source, spec, deps);
    const [tip, before] = await Promise.all([currentTip(source, spec, remote, deps, signal), ahead]);
    assertDependenciesAt(tip, source, spec, deps);
    source.attempt = { revision: tip.revision };
    return { rendered: await renderAt(source, spec, remote, tip, before, deps, signal), before };
  } catch (trouble) {
    signal.throwIfAborted();
    if (source.attempt && source.attempt !== attempt && leavesUnread(trouble)) source.attempt.isUnread = true;
    if (trouble instanceof DependencyAtWork) {
      source.behind = trouble.message;
      if (trouble.unaware !== undefined) deps.wake(trouble.unaware);
    }
    const isWaiting = (trouble as { code?: string }).code === 'DependencyNotReady';
    if (isWaiting && isAwaited(source, deps)) await lookAhead(source, spec, remote, deps, signal);
    const known = await ahead;
    // An edit of the source acts at once, but not before what the source depends on.
    const isKept = !source.rendered || isWaiting;
    const lastGood = known && isKept ? known : await standingRevision(source, spec, remote, deps, signal);
    if (!lastGood || (isWaiting && isEditedMeanwhile(source, lastGood))) throw trouble;
    return { rendered: lastGood, trouble };
  }
}

/** Was the source edited while no operator ran, so that what it declares is not what was applied? What it was is written nowhere. */
function isEditedMeanwhile(source: Source, known: Rendered): boolean {
  return !source.rendered && !isMadeAsBefore(source, known.settings);
}

/**
 * The source waits for another one, and a third one waits to hear what this one declares in the newest commit before it deletes
 * anything. Never rejects: what cannot be read says nothing.
 */
async function lookAhead(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { working, ahead } = source;
  try {
    const call = { signal, timeoutMs: durationMs(spec.timeout), maxAgeMs: 1_000 };
    const tip = await deps.git.resolve(remote, refOf(spec), call);
    announce(source, await renderAt(source, spec, remote, tip, ahead ?? source.rendered, deps, signal), deps);
  } catch {
    signal.throwIfAborted();
  } finally {
    source.working = working;
  }
}

/** Before those that it depends on are Ready, nothing in Git is news: they wake the source, and the poller must not. */
function assertReadiness(source: Source, spec: GitOpsSourceSpec, deps: ReconcileDeps): void {
  try {
    assertDependencies(source, spec, deps);
  } catch (trouble) {
    deps.poller.forget(source.key);
    throw trouble;
  }
}

/**
 * What is known of the source before Git has answered. After a restart that is what was applied last, from the local mirror:
 * mostly Git still names it, and reading it takes longer than asking. Never rejects.
 */
async function readAhead(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Rendered | undefined> {
  const tip = lastApplied(source);
  if (source.rendered || !tip) return source.rendered;
  try {
    const isHere = await deps.git.holds(remote, tip, { signal, timeoutMs: durationMs(spec.timeout) });
    if (!isHere) return undefined;
    const rendered = await renderAt(source, spec, remote, tip, undefined, deps, signal);
    await expect(source, spec, rendered, deps, signal);
    return rendered;
  } catch {
    return undefined;
  } finally {
    source.endReadAhead();
  }
}

/** The one that is enforced, or was when the process ended; undefined when it is not to be had. */
export async function lastGoodRevision(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Rendered | undefined> {
  if (source.rendered) return source.rendered;
  const tip = lastApplied(source);
  if (!tip) return undefined;
  try {
    return await renderAt(source, spec, remote, tip, undefined, deps, signal);
  } catch {
    // Not in the mirror, or no longer readable with these settings: the first error says what to mend.
    signal.throwIfAborted();
    return undefined;
  }
}

/**
 * What was let through last, with the settings of now: what is enforced while a newer commit waits, or cannot be read. Where it is not to be had
 * with these settings, as it was; undefined after a restart that brought nothing back.
 */
export async function standingRevision(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Rendered | undefined> {
  const { rendered } = source;
  const tip = enforced(source);
  const isSame = rendered?.settings === settingsOf(source, spec) && !isMisplaced(rendered, deps);
  if (isSame || !tip) return rendered;
  try {
    return await renderAt(source, spec, remote, tip, undefined, deps, signal);
  } catch {
    signal.throwIfAborted();
    return rendered;
  }
}

/** After a restart: what was applied whole before the last one that was let through; undefined when there is none, or it is not to be had. */
export async function wholeRevision(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Rendered | undefined> {
  const tip = lastWhole(source);
  if (source.rendered || !tip) return undefined;
  try {
    return await renderAt(source, spec, remote, tip, undefined, deps, signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** What the ref names now; from here on the poller wakes the source when that changes. */
async function currentTip(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  { git, poller }: ReconcileDeps,
  signal: AbortSignal,
): Promise<Tip> {
  const timeoutMs = durationMs(spec.timeout);
  const ref = refOf(spec);
  const follow = (seen: string) =>
    poller.follow(source.key, { remote, ref, intervalMs: durationMs(spec.interval), timeoutMs, seen });
  try {
    const maxAgeMs = source.requests.length === 0 ? 1_000 : 0;
    const tip = await git.resolve(remote, ref, { signal, timeoutMs, maxAgeMs });
    follow(tip.commit);
    return tip;
  } catch (error) {
    signal.throwIfAborted();
    follow((error as { code?: string }).code ?? 'failed');
    throw error;
  }
}
