import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { Tip } from '../git/remote.ts';
import type { ReconcileDeps } from './deps.ts';
import { isSameRef } from './siblings.ts';
import { triedFailures, type Source } from './source.ts';

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
  const circle = wayBetween(source, source, deps)?.map(({ name }) => name);
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
    const { status, pending, attempt, behind } = other;
    const isTried = attempt?.revision === tip.revision;
    if (status.lastAppliedRevision === tip.revision || (isTried && isHeldBackBy(other, source, deps))) continue;
    if (pending?.revision === tip.revision)
      throw notReady(`waits for the source ${name}, where ${tip.revision} waits: ${pending.reason}`);
    // One that waits itself looks again by itself: to wake it would have it wake this one in turn.
    const unaware = isTried || behind !== undefined ? undefined : other.key;
    throw new DependencyAtWork(other, `has not applied ${tip.revision} yet`, unaware);
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
 * Does the other one only wait for its dependents, this one or one that depends on this one among them: for what they hold, or
 * for them to read the commit before it deletes anything? What moves between them would otherwise stop them all.
 */
function isHeldBackBy(other: Source, source: Source, deps: Deps): boolean {
  if (other.awaitsHeirs && other.awaitsHeirs.revision === other.working) return true;
  const obstacles = obstaclesOf(other, deps);
  const dependents = new Set([...new Set(obstacles.flat())].filter((key) => isDependent(key, other, deps)));
  if (!obstacles.every((holders) => holders.some((key) => dependents.has(key)))) return false;
  return [...dependents].some((key) => key === source.key || isDependent(key, source, deps));
}

/** Of each thing that keeps the source from applying its newest revision: the sources that may let it pass. */
function obstaclesOf(source: Source, { claims }: Deps): string[][] {
  const { result, edgeBlock } = source;
  if (result.kind === 'failed' && result.code === 'EdgeBlocked') {
    const parties = (edgeBlock?.by ?? []).map(({ object, other }) => [object, other]);
    return parties.map((both) => both.flatMap((party) => party?.origin.source ?? []));
  }
  if (result.kind !== 'partly') return [];
  const holderOf = (object: string, code: string) =>
    code === 'OwnedByOtherSource' ? claims.holder(object) : undefined;
  return triedFailures(source).map(([object, { code }]) => [holderOf(object, code)].filter((key) => key !== undefined));
}

/** Does the source of this key depend on the other one, maybe by way of further ones? */
function isDependent(key: string, other: Source, deps: Deps): boolean {
  const source = deps.sources.get(key);
  return source !== undefined && wayBetween(source, other, deps) !== undefined;
}

/** The sources on the shortest way along `dependsOn` from one to another (or back to itself), which begin and end it. */
function wayBetween(start: Source, end: Source, deps: Deps): Source[] | undefined {
  const cameFrom = new Map<Source, Source>();
  const reached = [start];
  for (const at of reached) {
    for (const [, other] of at.spec ? dependenciesOf(at, at.spec, deps) : []) {
      if (other === end) return [...wayTo(at, start, cameFrom), end];
      if (!other || cameFrom.has(other)) continue;
      cameFrom.set(other, at);
      reached.push(other);
    }
  }
  return undefined;
}

function wayTo(end: Source, start: Source, cameFrom: ReadonlyMap<Source, Source>): Source[] {
  const way = [end];
  while (way[0] !== start) way.unshift(cameFrom.get(way[0]!)!);
  return way;
}
