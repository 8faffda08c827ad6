import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { Tip } from '../git/remote.ts';
import type { ReconcileDeps } from './deps.ts';
import { isSameRef } from './siblings.ts';
import type { Source } from './source.ts';

type Deps = Pick<ReconcileDeps, 'sources' | 'claims'>;

/** A source that another one depends on is on its way: nothing is wrong, it is only not that far yet. */
export class DependencyAtWork extends PlumblineError {
  /** `namespace/name` of it, where it has not heard of the commit yet. */
  readonly unaware: string | undefined;

  constructor({ name }: Source, what: string, unaware?: string) {
    super('DependencyNotReady', `waits for the source ${name}, which ${what}`);
    this.unaware = unaware;
  }
}

/** Throws DependencyNotReady while a source in `spec.dependsOn` is missing, or not Ready at its newest spec. */
export function assertDependencies(source: Source, spec: GitOpsSourceSpec, deps: Deps): void {
  const circle = circleThrough(source, deps);
  if (circle) throw notReady(`waits for itself: ${circle.join(' → ')}; take one of them out of spec.dependsOn`);
  for (const [name, other] of dependenciesOf(source, spec, deps)) {
    if (!other) throw notReady(`waits for the source ${name}, which does not exist`);
    const ready = readyOf(other);
    const isReady = ready === 'True' && other.status.observedGeneration === other.generation;
    if (isReady || isHeldBackBy(other, source, deps)) continue;
    const isAtWork = ready !== 'False' && !other.spec?.suspend && other.result.kind !== 'waiting';
    if (isAtWork) throw new DependencyAtWork(other, 'is not Ready yet');
    throw notReady(`waits for the source ${name}, which is not Ready`);
  }
}

/**
 * Of sources that follow the same ref of the same repository, a commit reaches first those that others depend on. Throws
 * DependencyAtWork, or DependencyNotReady when one of them waits for a person or a time.
 */
export function assertDependenciesAt(tip: Tip, source: Source, spec: GitOpsSourceSpec, deps: Deps): void {
  for (const [name, other] of dependenciesOf(source, spec, deps)) {
    if (!other?.spec || other.spec.suspend || !isSameRef(other.spec, spec)) continue;
    if (other.status.lastAppliedRevision === tip.revision || isHeldBackBy(other, source, deps)) continue;
    const { pending, attempt, isBehind } = other;
    if (pending?.revision === tip.revision)
      throw notReady(`waits for the source ${name}, where ${tip.revision} waits: ${pending.reason}`);
    // One that waits itself looks again by itself: to wake it would have it wake this one in turn.
    const isAware = isBehind || attempt?.revision === tip.revision;
    throw new DependencyAtWork(other, `has not applied ${tip.revision} yet`, isAware ? undefined : other.key);
  }
}

function notReady(message: string): PlumblineError {
  return new PlumblineError('DependencyNotReady', message);
}

function dependenciesOf(
  { namespace }: Source,
  { dependsOn = [] }: GitOpsSourceSpec,
  { sources }: Deps,
): [name: string, Source | undefined][] {
  return dependsOn.map(({ name }) => [name, sources.get(`${namespace}/${name}`)]);
}

function readyOf({ status }: Source): string | undefined {
  return status.conditions?.find(({ type }) => type === 'Ready')?.status;
}

/**
 * Does the other one only wait for `source`: for what that holds, or for it to read the commit before something is deleted? What
 * moves from one to the other would otherwise stop both.
 */
function isHeldBackBy(
  { result, failures, edgeBlock, awaitsHeirs, working }: Source,
  { key }: Source,
  { claims }: Deps,
): boolean {
  if (awaitsHeirs && awaitsHeirs.revision === working) return true;
  if (result.kind === 'failed' && result.code === 'EdgeBlocked')
    return (
      edgeBlock?.by.every(({ object, other }) => [object, other].some((party) => party?.origin.source === key)) ?? false
    );
  if (result.kind !== 'partly' || failures.size === 0) return false;
  return [...failures].every(([object, { code }]) => code === 'OwnedByOtherSource' && claims.holder(object) === key);
}

/** The names on the shortest way along `dependsOn` that comes back to the source, which begins and ends it. */
function circleThrough(source: Source, deps: Deps): string[] | undefined {
  const cameFrom = new Map<Source, Source>();
  const reached = [source];
  for (const at of reached) {
    for (const [, other] of at.spec ? dependenciesOf(at, at.spec, deps) : []) {
      if (other === source) return [source.name, ...wayTo(at, source, cameFrom), source.name];
      if (!other || cameFrom.has(other)) continue;
      cameFrom.set(other, at);
      reached.push(other);
    }
  }
  return undefined;
}

function wayTo(end: Source, start: Source, cameFrom: ReadonlyMap<Source, Source>): string[] {
  const names: string[] = [];
  for (let at = end; at !== start; at = cameFrom.get(at)!) names.unshift(at.name);
  return names;
}
