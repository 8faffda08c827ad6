import { APPROVE_PRUNE_ANNOTATION } from '../api/names.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Finding } from '../edge/finding.ts';
import { isOfInterest } from '../edge/gather.ts';
import { sayFinding } from '../edge/verdict.ts';
import { PlumblineError } from '../errors.ts';
import type { Remote } from '../git/remote.ts';
import type { Identity } from '../kube/object.ts';
import type { Desired } from '../sync/desired.ts';
import { isEnforced, isInherited } from './applied.ts';
import { grantable, watchKinds } from './claim.ts';
import type { ReconcileDeps } from './deps.ts';
import { subjectOf } from './drift-record.ts';
import { barredOf } from './edge-rights.ts';
import type { Candidate } from '../gate/candidate.ts';
import type { Overridden } from '../gate/trial.ts';
import { isOnlyRefused, plannedPrune } from './prune.ts';
import { standingRevision, wholeRevision, type Released, type Revision } from './revision.ts';
import type { Rendered, Source } from './source.ts';

/** A revision that may be enforced as far as the edge is concerned. */
export interface Gated extends Revision {
  /** As the gate knows it. */
  readonly candidate: Candidate;
  /** What must be deleted before anything of it is applied. */
  readonly first: readonly Identity[];
}

const FINDINGS_SAID = 3;

/**
 * The gate between what Git declares and the cluster: a revision that would hurt the edge is put aside, with its findings,
 * and the last good one goes on being enforced, with the settings of now where it may. Rejects when there is none. What passed
 * once is never asked again; with other settings of the source, it is another one.
 */
export async function passEdge(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  revision: Released & Revision,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Gated> {
  const { edge, metrics } = deps;
  const candidate = await candidateOf(source, spec, revision.rendered, deps, signal);
  const isNew = !edge.isKnown(candidate);
  // What is live must be known to tell what will be pruned.
  if (isNew) await watchKinds(source, revision.rendered, deps, signal);
  const isLastGood = revision.trouble !== undefined || revision.waiting !== undefined;
  const isOld = isLastGood && isEnforced(source, revision.rendered);
  if (isOld || passedBefore(source, revision.rendered, candidate)) {
    edge.withdraw(source.key);
    edge.enforce(candidate);
    // A process before this one may have told of a commit that was stopped and is the newest one no more.
    if (revision.trouble === undefined && !edge.has(source.key)) forgetBlock(source);
    return { ...revision, candidate, first: [] };
  }
  let trouble: unknown;
  try {
    const decision = await edge.admit(candidate, signal);
    // Nothing is pruned before the newest commit is known, so what must come after a prune has to wait.
    if (revision.trouble !== undefined && (decision.kind !== 'passed' || decision.first.length > 0))
      throw revision.trouble;
    if (decision.kind === 'passed') {
      if (source.edgeBlock || !edge.has(source.key)) forgetBlock(source);
      const { first, overridden = [] } = decision;
      if (isNew) metrics.edgeJudged(overridden.length > 0 ? 'overridden' : 'passed');
      for (const one of overridden) sayOverridden(one, deps);
      return { ...revision, candidate, first };
    }
    metrics.edgeJudged('blocked');
    const blocked = blockedBy(source, revision.rendered, decision.by);
    source.edgeBlock = { revision: revision.rendered.tip.revision, by: decision.by, message: blocked.message };
    wakeThoseInTheWay(source, decision.by, deps);
    trouble = blocked;
  } catch (error) {
    signal.throwIfAborted();
    trouble = error;
  }
  for await (const rendered of standingRevisions(source, spec, remote, deps, signal)) {
    const standing = await candidateOf(source, spec, rendered, deps, signal);
    if (isEnforced(source, rendered)) edge.enforce(standing);
    else if (!(await mayStand(standing, candidate, deps, signal))) continue;
    return { rendered, trouble, candidate: standing, first: [] };
  }
  throw trouble;
}

/**
 * What may stand while the newest revision does not pass: the one before it as the source is now, else as it was. After a restart that one may
 * be half applied, and not pass either: then what was applied whole before it.
 */
async function* standingRevisions(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  deps: ReconcileDeps,
  signal: AbortSignal,
): AsyncIterable<Rendered> {
  const asItWas = source.rendered;
  const asItIs = await standingRevision(source, spec, remote, deps, signal);
  if (asItIs) yield asItIs;
  if (asItWas && asItWas !== asItIs) yield asItWas;
  const whole = await wholeRevision(source, spec, remote, deps, signal);
  if (whole) yield whole;
}

/**
 * The source was edited, so what was applied last may be another thing now. It may not when it is what did not pass just now, nor when it
 * cannot be judged.
 */
async function mayStand(
  standing: Candidate,
  stopped: Candidate,
  { edge }: ReconcileDeps,
  signal: AbortSignal,
): Promise<boolean> {
  if (standing.id === stopped.id) return false;
  try {
    return await edge.reinstate(standing, signal);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/**
 * A run ended over something else than a verdict, so what was stopped before it is not applied now whoever passes with it: it
 * must let nobody pass. And of a revision that is not the newest one any more, nobody must read.
 */
export function withdrawStopped(source: Source, { edge }: Pick<ReconcileDeps, 'edge'>): void {
  edge.withdraw(source.key);
  if (source.attempt && source.edgeBlock?.revision !== source.attempt.revision) forgetBlock(source);
}

/** What was stopped is not asked for any more. */
export function forgetBlock(source: Source): void {
  source.edgeBlock = undefined;
  // Of a source that never had anything on the edge nobody would tell.
  source.edge ??= null;
}

/** It stands already, and nothing goes with it: there is nothing to be asked. */
function passedBefore(source: Source, rendered: Rendered, { pruned }: Candidate): boolean {
  return isInherited(source, rendered) && pruned().length === 0;
}

/** What would stop the revision, were it applied now. Nothing is let in. */
export async function edgeObjections(
  source: Source,
  spec: GitOpsSourceSpec,
  rendered: Rendered,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  return deps.edge.foresee(await candidateOf(source, spec, rendered, deps, signal), signal);
}

async function candidateOf(
  source: Source,
  spec: GitOpsSourceSpec,
  rendered: Rendered,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Candidate> {
  const approved = source.resource.metadata.annotations?.[APPROVE_PRUNE_ANNOTATION];
  const { desired } = rendered;
  // What is pruned beside it is part of what is judged.
  const id = JSON.stringify([rendered.treeId, rendered.settings, spec.prune, spec.pruneGuard, approved]);
  const isRefused = ({ key }: Desired) => source.failures.get(key)?.code === 'ApiForbidden';
  const unreviewed = deps.edge.unreviewed({ source: source.key, id, desired }, isRefused);
  const barred = await barredOf(source, spec, unreviewed, deps, signal);
  return {
    source: source.key,
    id,
    commit: rendered.tip.commit,
    edge: spec.edge,
    desired,
    barred,
    grantable: (some) => grantable(source, some, deps).filter(({ key }) => !barred.has(key)),
    pruned: () => {
      const objects = plannedPrune(source, spec, rendered, deps).delete.flat();
      return objects.map(({ identity }) => identity).filter(isOfInterest);
    },
  };
}

/** What stops the source may be about to go, as soon as its owner hears that somebody waits for it (`letGo`). */
function wakeThoseInTheWay({ key }: Source, by: readonly Finding[], { sources, wake }: ReconcileDeps): void {
  const owners = new Set(by.flatMap(({ object, other }) => [object.origin.source, other?.origin.source]));
  for (const owner of owners) {
    const other = owner === undefined || owner === key ? undefined : sources.get(owner);
    if (other && isOnlyRefused(other)) wake(other.key);
  }
}

function blockedBy(source: Source, { tip }: Rendered, by: readonly Finding[]): PlumblineError {
  const [first] = by;
  const said = by.slice(0, FINDINGS_SAID).map((finding) => sayFinding(finding, source.key));
  const more = by.length > said.length ? ` … and ${by.length - said.length} more` : '';
  const own = [first?.object, first?.other].find((party) => party?.origin.source === source.key);
  return new PlumblineError('EdgeBlocked', `${tip.revision} would hurt the edge: ${said.join(' ')}${more}`, {
    ...(own && { object: { kind: own.kind, namespace: own.namespace, name: own.name } }),
    ...(own?.origin.file !== undefined && { file: own.origin.file }),
    ...(own?.origin.line !== undefined && { line: own.origin.line }),
  });
}

/** Somebody answers for it, so it is written down who and why: of each gateway, and of whom that passed together. */
function sayOverridden(
  { candidate, policy, reason, by }: Overridden,
  { log, events, sources }: Pick<ReconcileDeps, 'log' | 'events' | 'sources'>,
): void {
  const { source, commit } = candidate;
  const rules = [...new Set(by.map(({ rule }) => rule))].join(', ');
  const message = `the EdgePolicy ${policy} lets this commit pass although it would be stopped (${rules}): ${reason}`;
  log.audit({ audit: true, source, commit, policy, reason, rules }, message);
  const known = sources.get(source);
  if (known) events.record(subjectOf(known), { type: 'Warning', reason: 'EdgeOverridden', message, commit });
}
