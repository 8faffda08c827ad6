import { FINALIZER } from '../api/names.ts';
import { durationMs } from '../api/fields.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError, TerminalError } from '../errors.ts';
import { keyOfKind, type WatchedKind } from '../drift/watches.ts';
import type { Tip, Tree } from '../git/remote.ts';
import { describeIdentity } from '../kube/object.ts';
import { render } from '../render/render.ts';
import { desire } from '../sync/desired.ts';
import { RevisionRun } from '../sync/revision.ts';
import { actorFor } from './actor.ts';
import { finalize } from './finalize.ts';
import { historyWith } from './history.ts';
import { prune } from './prune.ts';
import { readRemote } from './remote-secret.ts';
import { failureOf, RunListener } from './run-listener.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Rendered, Source } from './source.ts';

/** Done until something changes, or look again after a while. A thrown error means retry; a TerminalError means stalled. */
export type Outcome = { kind: 'done' } | { kind: 'again'; afterMs: number };

/** How long a run waits for the first lists of its kinds; kinds that cannot be listed are then read object by object. */
const LIST_TIMEOUT_MS = 10_000;

/**
 * Brings one source to where Git and its spec want it: gates with early return, then the way of the data in order. Looks at
 * the present state only; it can be called at any time, as often as one likes, and sends nothing when nothing is to be done.
 */
export async function reconcile(source: Source, deps: ReconcileDeps, signal: AbortSignal): Promise<Outcome> {
  if (source.deleting) return finalize(source, deps, signal);
  const { spec } = source;
  if (!spec) throw invalidSpec(source);
  if (spec.suspend) return suspend(source, deps);
  await ensureFinalizer(source, deps, signal);
  const requested = source.requestedAt;
  assertDependencies(source, spec, deps);

  source.remote = await readRemote(source, spec, deps, signal);
  const { tip, unreachable } = await currentTip(source, spec, deps, signal);
  const rendered = await renderAt(source, spec, tip, deps, signal);
  const isNew = declaresNews(source, rendered);
  await claimAndWatch(source, rendered, deps, signal);
  if (requested !== undefined && !isNew) await verify(source, deps, signal);

  await apply(source, spec, deps, { isNew, retryAll: requested !== undefined }, signal);
  source.judged = true;
  const complete = source.failures.size === 0 && source.unlisted.length === 0 && !unreachable;
  source.pruneHold = complete ? await prune(source, spec, deps, signal) : undefined;
  return settle(source, deps, { requested, unreachable });
}

function invalidSpec(source: Source): TerminalError {
  const problems = source.parsed.ok ? [] : source.parsed.problems;
  return new TerminalError('InvalidSpec', problems.map(({ path, message }) => `${path} ${message}`).join('; '));
}

function suspend(source: Source, deps: ReconcileDeps): Outcome {
  deps.poller.forget(source.key);
  source.result = { kind: 'suspended' };
  source.working = undefined;
  return { kind: 'done' };
}

/** From here on the source may own objects, so its deletion must pass through us. */
async function ensureFinalizer(
  source: Source,
  { api, sourceResource }: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { metadata } = source.resource;
  const finalizers = metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) return;
  const patch = { metadata: { resourceVersion: metadata.resourceVersion, finalizers: [...finalizers, FINALIZER] } };
  const { object } = await api.mergePatch(sourceResource(), source.namespace, source.name, patch, { signal });
  source.resource.metadata = { ...object.metadata, namespace: source.namespace };
}

function assertDependencies(source: Source, spec: GitOpsSourceSpec, { sources }: ReconcileDeps): void {
  for (const { name } of spec.dependsOn ?? []) {
    const other = sources.get(`${source.namespace}/${name}`);
    const ready = other?.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    if (ready && other.status.observedGeneration === other.generation) continue;
    throw new PlumblineError(
      'DependencyNotReady',
      `waits for the source ${name}, which ${other ? 'is not Ready yet' : 'does not exist'}`,
    );
  }
}

/**
 * What the ref names now. When Git cannot be asked, the last applied revision goes on being enforced from the local mirror;
 * `unreachable` is then what the status says in the end.
 */
async function currentTip(
  source: Source,
  spec: GitOpsSourceSpec,
  { git, poller }: ReconcileDeps,
  signal: AbortSignal,
): Promise<{ tip: Tip; unreachable?: unknown }> {
  const remote = source.remote!;
  const timeoutMs = durationMs(spec.timeout);
  const ref = spec.ref ?? { branch: 'main' };
  const follow = (seen: string) =>
    poller.follow(source.key, { remote, ref, intervalMs: durationMs(spec.interval), timeoutMs, seen });
  try {
    const maxAgeMs = source.requestedAt === undefined ? 1_000 : 0;
    const tip = await git.resolve(remote, ref, { signal, timeoutMs, maxAgeMs });
    follow(tip.commit);
    return { tip };
  } catch (error) {
    signal.throwIfAborted();
    follow((error as { code?: string }).code ?? 'failed');
    const tip = source.rendered?.tip ?? lastApplied(source);
    if (!tip || error instanceof TerminalError) throw error;
    return { tip, unreachable: error };
  }
}

function lastApplied({ status }: Source): Tip | undefined {
  const revision = status.lastAppliedRevision;
  const commit = revision && /(?:^|@)sha1:([0-9a-f]{40})$/.exec(revision)?.[1];
  return commit ? { commit, revision } : undefined;
}

/** The objects at the tip; nothing is read or parsed when neither the tree below the path nor a setting changed. */
async function renderAt(
  source: Source,
  spec: GitOpsSourceSpec,
  tip: Tip,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Rendered> {
  const { git, discovery } = deps;
  const call = { signal, timeoutMs: durationMs(spec.timeout) };
  if (source.rendered?.tip.commit === tip.commit && source.rendered.key.endsWith(settingsKey(source, spec)))
    return source.rendered;
  if (source.status.lastAppliedRevision !== tip.revision) {
    source.working = tip.revision;
  }
  const tree: Tree = await git.tree(source.remote!, tip, spec.path, call);
  const key = `${tree.treeId} ${settingsKey(source, spec)}`;
  if (source.rendered?.key === key) return (source.rendered = { ...source.rendered, tip, commit: tree.commit });
  const once = () =>
    render({
      files: tree.files,
      read: (oids) => git.read(source.remote!, tip, oids, call),
      selection: { path: spec.path, include: spec.include ?? [], exclude: spec.exclude ?? [] },
      settings: {
        source: { namespace: source.namespace, name: source.name },
        ...(spec.targetNamespace !== undefined && { targetNamespace: spec.targetNamespace }),
        ...(spec.commonMetadata && { commonMetadata: spec.commonMetadata }),
        scopeOf: (group, kind) => {
          const resource = discovery.cachedPreferred(group, kind);
          return resource && (resource.namespaced ? 'Namespaced' : 'Cluster');
        },
      },
      cache: source.cache,
      signal,
    });
  let result = await once();
  if (result.unknownKinds.length > 0) {
    const known = await Promise.all(
      result.unknownKinds.map(({ group, kind }) => discovery.preferred(group, kind, signal)),
    );
    if (known.some(Boolean)) result = await once();
  }
  if (result.problems.length > 0) throw buildFailed(tip, result.problems);
  if (result.declared.length === 0 && (source.status.inventory?.count ?? 0) > 0) {
    throw new PlumblineError(
      'EmptyRevision',
      `${tip.revision} declares not one object below "${spec.path || '.'}"; what was applied stays`,
    );
  }
  const rules = spec.drift.ignore ?? [];
  return {
    tip,
    commit: tree.commit,
    key,
    desired: result.declared.map((object) => desire(object, rules)),
    ignoredFiles: result.ignored,
  };
}

function settingsKey(
  source: Source,
  { path, include, exclude, targetNamespace, commonMetadata, drift }: GitOpsSourceSpec,
): string {
  return JSON.stringify([source.key, path, include, exclude, targetNamespace, commonMetadata, drift.ignore]);
}

function buildFailed(
  tip: Tip,
  problems: readonly { code: string; file: string; line?: number; message: string }[],
): PlumblineError {
  const said = problems
    .slice(0, 10)
    .map(({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${message}`);
  const more = problems.length > said.length ? ` … and ${problems.length - said.length} more` : '';
  const [first] = problems;
  const code = problems.every((problem) => problem.code === first!.code) ? first!.code : 'BuildFailed';
  return new PlumblineError(code, `${tip.revision}: ${said.join('; ')}${more}`, {
    file: first!.file,
    ...(first!.line !== undefined && { line: first!.line }),
  });
}

/** From here on these objects are this source's to keep; another source that declares one of them is told. */
async function claimAndWatch(
  source: Source,
  rendered: Rendered,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { claims, live, watches, sources, discovery, status } = deps;
  const kinds = new Map<string, WatchedKind>();
  for (const { apiVersion, identity } of rendered.desired)
    kinds.set(keyOfKind({ apiVersion, kind: identity.kind }), { apiVersion, kind: identity.kind });
  const declaredGroupKinds = new Set(rendered.desired.map(({ identity }) => `${identity.group}/${identity.kind}`));
  // Kinds that are no longer declared may hold objects to prune; any served version will do for them.
  for (const { group, kind } of source.status.inventory?.kinds ?? []) {
    if (declaredGroupKinds.has(`${group}/${kind}`)) continue;
    const resource = await discovery.preferred(group, kind, signal).catch(() => undefined);
    if (resource) kinds.set(keyOfKind(resource), { apiVersion: resource.apiVersion, kind });
  }
  source.kinds = [...kinds.values()];
  watches.want(source.key, source.kinds);
  source.unlisted = await watches.unlisted(
    source.kinds.filter(({ apiVersion, kind }) => discovery.cached(apiVersion, kind)),
    LIST_TIMEOUT_MS,
    signal,
  );

  source.rendered = rendered;
  const conflicts = claims.claim(source.key, rendered.desired, (object) => {
    const owner = live.get(object.key)?.source;
    const other = owner !== undefined && owner !== source.key ? sources.get(owner) : undefined;
    if (!other || other.deleting) return undefined;
    // A source that was never rendered in this process may still declare it; one that was and does not has let it go.
    return other.rendered && object.policy.adopt ? undefined : other.key;
  });
  for (const { desired, holder } of conflicts) {
    const error = new PlumblineError(
      'OwnedByOtherSource',
      `${describeIdentity(desired.identity)} belongs to the source ${holder}; it is not overwritten`,
      { object: desired.identity },
    );
    source.failures.set(desired.key, failureOf(desired, error, source.failures.get(desired.key), deps));
  }
  const declared = claims.of(source.key);
  const conflicting = new Set(conflicts.map(({ desired }) => desired.key));
  for (const key of source.failures.keys())
    if (!declared.has(key) && !conflicting.has(key)) source.failures.delete(key);
  for (const key of source.drift.keys()) if (!declared.has(key)) source.drift.delete(key);
  await announceKinds(source, declaredGroupKinds, status);
}

/** A kind is in the stored inventory before its first object is applied: whatever crashes when, it is looked for. */
async function announceKinds(
  source: Source,
  declared: ReadonlySet<string>,
  status: ReconcileDeps['status'],
): Promise<void> {
  const stored = new Set((source.status.inventory?.kinds ?? []).map(({ group, kind }) => `${group}/${kind}`));
  if ([...declared].some((kind) => !stored.has(kind))) await status.flush(source);
}

/** Is there something to apply that was not applied before? What differs otherwise is drift. */
function declaresNews({ appliedKey, status, firstObserved, generation }: Source, { key, tip }: Rendered): boolean {
  if (appliedKey !== undefined) return appliedKey !== key;
  return status.lastAppliedRevision !== tip.revision || firstObserved !== generation;
}

/** Somebody asked for a look at everything: what is live is listed anew and judged, from scratch. */
async function verify(source: Source, { watches }: ReconcileDeps, signal: AbortSignal): Promise<void> {
  source.unlisted = await watches.relist(source.kinds, LIST_TIMEOUT_MS, signal);
}

async function apply(
  source: Source,
  spec: GitOpsSourceSpec,
  deps: ReconcileDeps,
  run: { isNew: boolean; retryAll: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { claims, clock } = deps;
  const desired = [...claims.of(source.key).values()];
  const held = new Set<string>();
  for (const [key, failure] of source.failures) {
    const same = claims.desired(key)?.digest === failure.digest;
    if (same && !run.retryAll && !run.isNew && failure.retryAt > clock.elapsed()) held.add(key);
  }
  const actor = await actorFor(source, spec, deps, signal, { check: run.isNew || run.retryAll });
  const listener = new RunListener(source, spec, deps, run.isNew);
  await new RevisionRun(deps, {
    actor,
    desired,
    held,
    atomic: spec.atomic,
    leaveDrift: (object) => listener.leaveDrift(object),
    listener,
    signal,
  }).run();
  listener.done();
}

/** Says what came out of it, and when to look again. */
function settle(
  source: Source,
  deps: ReconcileDeps,
  { requested, unreachable }: { requested: string | undefined; unreachable: unknown },
): Outcome {
  const { clock } = deps;
  const { tip } = source.rendered!;
  const whole = source.failures.size === 0;
  source.working = undefined;
  if (requested !== undefined) source.status = { ...source.status, lastHandledReconcileAt: requested };
  if (whole && source.status.lastAppliedRevision !== tip.revision) source.appliedAt = clock.elapsed();
  if (whole) {
    source.appliedKey = source.rendered!.key;
    source.status = { ...source.status, lastAppliedRevision: tip.revision };
  }
  source.status = {
    ...source.status,
    history: historyWith(
      source.status.history ?? [],
      tip.revision,
      whole ? 'Applied' : 'Failed',
      new Date(clock.now()),
    ),
  };
  source.result = whole ? { kind: 'applied' } : { kind: 'partly' };
  // The cached revision is enforced; that Git cannot be read is what people must hear.
  if (unreachable) throw unreachable;
  const retryAt = Math.min(...[...source.failures.values()].map((failure) => failure.retryAt));
  return retryAt < Infinity ? { kind: 'again', afterMs: Math.max(0, retryAt - clock.elapsed()) } : { kind: 'done' };
}
