import { durationMs } from '../api/fields.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { Commit, GitCall, Remote, Tip, TreeFile } from '../git/remote.ts';
import type { DeclareSettings } from '../render/declare.ts';
import type { Declared, RenderProblem } from '../render/declared.ts';
import { isPlacedElsewhere } from '../render/placements.ts';
import { render, type RenderResult } from '../render/render.ts';
import { desire } from '../sync/desired.ts';
import { settingsOf, wholeOf } from './applied.ts';
import type { ReconcileDeps } from './deps.ts';
import { recallRevision } from './kept-revision.ts';
import type { Rendered, Source } from './source.ts';

/** A kind came with another scope than the one that its objects were placed by: until then nobody knew it, or it was another one. */
export function isMisplaced({ placedBy }: Rendered, { discovery }: Pick<ReconcileDeps, 'discovery'>): boolean {
  return isPlacedElsewhere(placedBy, scopesIn(discovery));
}

/** The objects at the tip; nothing is read or parsed when neither the tree below the path nor a setting changed since `known`. */
export async function renderAt(
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
