import { durationMs } from '../api/fields.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { Commit, GitCall, Remote, Tip, TreeFile } from '../git/remote.ts';
import type { DeclareSettings } from '../render/declare.ts';
import type { Declared, RenderProblem } from '../render/declared.ts';
import { isPlacedElsewhere } from '../render/placements.ts';
import { render, type RenderResult } from '../render/render.ts';
import { desire } from '../sync/desired.ts';
import { announce } from './claim.ts';
import { assertDependencies, assertDependenciesAt, DependencyAtWork } from './dependencies.ts';
import type { ReconcileDeps } from './deps.ts';
import { expect } from './expected.ts';
import { recallRevision, wholeOf } from './kept-revision.ts';
import { isAwaited } from './siblings.ts';
import type { Rendered, Source } from './source.ts';

/** What is to be enforced, and what stands in the way of the newest revision, if anything does. */
export interface Revision {
  rendered: Rendered;
  /** Git cannot be asked, the newest commit cannot be rendered, or another source comes first: `rendered` is the last good one. */
  trouble?: unknown;
  /** What was enforced before it, as far as that is known without asking Git. */
  before?: Rendered | undefined;
}

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
  try {
    assertReadiness(source, spec, deps);
    const [tip, before] = await Promise.all([currentTip(source, spec, remote, deps, signal), ahead]);
    assertDependenciesAt(tip, source, spec, deps);
    source.attempt = { revision: tip.revision };
    return { rendered: await renderAt(source, spec, remote, tip, before, deps, signal), before };
  } catch (trouble) {
    signal.throwIfAborted();
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
    if (!lastGood) throw trouble;
    return { rendered: lastGood, trouble };
  }
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

/** Is this the commit that is enforced now, or was when the process ended? */
export function isOfCommit(source: Source, { commit }: Tip): boolean {
  return enforced(source)?.commit === commit;
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

function refOf({ ref = { branch: 'main' } }: GitOpsSourceSpec) {
  return ref;
}

function enforced(source: Source): Tip | undefined {
  return source.rendered?.tip ?? lastApplied(source);
}

/** What was let through and is not applied whole yet comes before what was. */
export function lastApplied({ status }: Source): Tip | undefined {
  const revision = status.lastReleasedRevision ?? status.lastAppliedRevision;
  const commit = revision && /(?:^|@)sha1:([0-9a-f]{40})$/.exec(revision)?.[1];
  return commit ? { commit, revision } : undefined;
}

/** Is there something to apply that was not applied before? What differs otherwise is drift. */
export function declaresNews(source: Source, { treeId, settings, tip }: Rendered): boolean {
  const { appliedKey, status, appliedSpec } = source;
  if (appliedKey !== undefined) return appliedKey !== wholeOf({ treeId, settings });
  if (status.lastAppliedRevision !== tip.revision) return true;
  return appliedSpec === undefined || settingsOf(source, appliedSpec) !== settings;
}

/** Is this what is enforced already, or was when the process ended? Other settings make other objects of the same commit. */
export function isEnforced(source: Source, { treeId, settings, tip }: Rendered): boolean {
  const { rendered, appliedSpec } = source;
  if (rendered) return rendered.treeId === treeId && rendered.settings === settings;
  // Of what was let through and not applied whole, some was not judged: who holds it may have changed, or a right.
  if (source.status.lastAppliedRevision !== tip.revision) return false;
  return appliedSpec !== undefined && settingsOf(source, appliedSpec) === settings;
}

/** Has this process applied whole what is enforced, and as the source is now? */
export function isWhole(source: Source, spec: GitOpsSourceSpec): boolean {
  const { rendered, appliedKey } = source;
  return rendered?.settings === settingsOf(source, spec) && appliedKey === wholeOf(rendered);
}

/** Is what is enforced what was applied whole last, by whatever process, and what the source as it is now makes of it? */
export function isAsApplied(source: Source, spec: GitOpsSourceSpec): boolean {
  const { rendered } = source;
  return rendered?.settings === settingsOf(source, spec) && !declaresNews(source, rendered);
}

/** Has a process before this one applied it whole, as the source is now, and this one nothing yet? */
export function isInherited(source: Source, rendered: Rendered): boolean {
  return source.appliedKey === undefined && !declaresNews(source, rendered);
}

/** A kind came with another scope than the one that its objects were placed by: until then nobody knew it, or it was another one. */
function isMisplaced({ placedBy }: Rendered, { discovery }: Pick<ReconcileDeps, 'discovery'>): boolean {
  return isPlacedElsewhere(placedBy, scopesIn(discovery));
}

/** The objects at the tip; nothing is read or parsed when neither the tree below the path nor a setting changed since `known`. */
async function renderAt(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  tip: Tip,
  known: Rendered | undefined,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Rendered> {
  const settings = settingsOf(source, spec);
  const before = known && !isMisplaced(known, deps) ? known : undefined;
  const sayCommit = (commit: Commit) => {
    if (source.attempt?.revision === tip.revision) source.attempt.commit = commit;
  };
  if (before?.tip.commit === tip.commit && before.settings === settings) {
    sayCommit(before.commit);
    return { ...before, tip };
  }
  if (source.status.lastAppliedRevision !== tip.revision) source.working = tip.revision;
  const call = { signal, timeoutMs: durationMs(spec.timeout) };
  const declare = declareSettings(source, spec, deps);
  const rules = spec.drift.ignore ?? [];
  const desireAll = (declared: readonly Declared[]) => declared.map((object) => desire(object, rules));

  const wanted = { commit: tip.commit, settings, declare };
  const kept = source.cache.isEmpty ? await recallRevision(source, wanted, remote, deps.git, call) : undefined;
  if (kept) {
    const { declared, ...head } = kept;
    sayCommit(head.commit);
    return { tip, settings, ...head, desired: desireAll(declared) };
  }

  const { treeId, commit, files } = await deps.git.tree(remote, tip, spec.path, call);
  sayCommit(commit);
  if (before?.treeId === treeId && before.settings === settings) return { ...before, tip, commit };
  const { declared, placedBy, ignored } = await renderFiles(source, spec, remote, tip, files, declare, deps, call);
  source.cache.whole = wholeOf({ treeId, settings });
  return { tip, commit, treeId, settings, desired: desireAll(declared), placedBy, ignoredFiles: ignored };
}

async function renderFiles(
  source: Source,
  spec: GitOpsSourceSpec,
  remote: Remote,
  tip: Tip,
  files: readonly TreeFile[],
  settings: DeclareSettings,
  { git, discovery, sources }: ReconcileDeps,
  call: GitCall,
): Promise<RenderResult> {
  const once = () =>
    render({
      files,
      read: (oids) => git.read(remote, tip, oids, { ...call, soon: () => soonRead(source, spec, sources) }),
      selection: { path: spec.path, include: spec.include ?? [], exclude: spec.exclude ?? [] },
      settings,
      cache: source.cache,
      signal: call.signal,
    });
  let result = await once();
  // Somebody may have installed the CRD a moment ago.
  const unknown = result.unknownKinds.map(({ group, kind }) => discovery.preferred(group, kind, call.signal));
  if ((await Promise.all(unknown)).some(Boolean)) result = await once();

  if (result.problems.length > 0) throw buildFailed(tip, result.problems);
  if (result.declared.length === 0 && (source.status.inventory?.count ?? 0) > 0) {
    throw new PlumblineError(
      'EmptyRevision',
      `${tip.revision} declares not one object below "${spec.path || '.'}"; what was applied stays`,
    );
  }
  return result;
}

function declareSettings(source: Source, spec: GitOpsSourceSpec, { discovery }: ReconcileDeps): DeclareSettings {
  return {
    source: { namespace: source.namespace, name: source.name },
    ...(spec.targetNamespace !== undefined && { targetNamespace: spec.targetNamespace }),
    ...(spec.commonMetadata && { commonMetadata: spec.commonMetadata }),
    scopeOf: scopesIn(discovery),
  };
}

function scopesIn(discovery: ReconcileDeps['discovery']): DeclareSettings['scopeOf'] {
  return (group, kind) => {
    const resource = discovery.cachedPreferred(group, kind);
    return resource && (resource.namespaced ? 'Namespaced' : 'Cluster');
  };
}

/** The folders of all sources that read the same ref of the same repository with the same rights, whole. */
function soonRead({ namespace }: Source, spec: GitOpsSourceSpec, sources: ReconcileDeps['sources']): string[] {
  const origin = (space: string, { url, ref, secretRef }: GitOpsSourceSpec): string =>
    JSON.stringify([url, ref, secretRef && [space, secretRef.name]]);
  const own = origin(namespace, spec);
  const paths = new Set<string>();
  for (const other of sources.values()) {
    const { suspend, include, exclude, path } = other.spec ?? { suspend: true };
    const isWhole = !suspend && !include?.length && !exclude?.length;
    if (isWhole && origin(other.namespace, other.spec!) === own) paths.add(path);
  }
  return [...paths];
}

/** Everything but the tree that the objects depend on. */
function settingsOf(source: Source, spec: GitOpsSourceSpec): string {
  const { url, path, include, exclude, targetNamespace, commonMetadata, drift } = spec;
  return JSON.stringify([source.key, url, path, include, exclude, targetNamespace, commonMetadata, drift.ignore]);
}

const PROBLEMS_SHOWN = 10;

function buildFailed(tip: Tip, problems: readonly RenderProblem[]): PlumblineError {
  const said = problems
    .slice(0, PROBLEMS_SHOWN)
    .map(({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${message}`);
  const more = problems.length > said.length ? ` … and ${problems.length - said.length} more` : '';
  const [first] = problems as [RenderProblem];
  const code = problems.every((problem) => problem.code === first.code) ? first.code : 'BuildFailed';
  return new PlumblineError(code, `${tip.revision}: ${said.join('; ')}${more}`, {
    file: first.file,
    ...(first.line !== undefined && { line: first.line }),
  });
}
