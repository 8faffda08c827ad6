import { APPROVE_PRUNE_ANNOTATION, FINALIZER, NAME_LABEL } from '../api/names.ts';
import { PlumblineError } from '../errors.ts';
import { isConflict, isGone } from '../kube/errors.ts';
import { describeIdentity, type Identity } from '../kube/object.ts';
import { audit } from '../report/log.ts';
import { deletionStages } from '../sync/stages.ts';
import { inParallel } from '../concurrency/parallel.ts';
import { isApproved, keepsOnDelete } from '../sync/prune-guard.ts';
import { sighted } from '../sync/sighting.ts';
import { findUnlabelled } from '../sync/unlabelled.ts';
import type { Actor } from '../sync/actor.ts';
import { actorFor } from './actor.ts';
import { recoverInventory, wakeClaimants } from './claim.ts';
import type { ReconcileDeps } from './deps.ts';
import { subjectOf } from './drift-record.ts';
import type { Outcome } from './outcome.ts';
import { loosen } from './prevent.ts';
import { leavesToHeirs, HEIRS_MS } from './siblings.ts';
import type { Source } from './source.ts';

const WIDTH = 16;
/** Deleting a source never hangs: what cannot be deleted within this many attempts is left in place, and said. */
const ATTEMPTS = 5;
const AGAIN_MS = 2_000;

/**
 * The end of a source: its objects follow `deletionPolicy`, then the finalizer goes. Uninstalling Plumbline is not deleting
 * a source: when our own CRD, or the source's namespace, is going, everything stays in place.
 */
export async function finalize(source: Source, deps: ReconcileDeps, signal: AbortSignal): Promise<Outcome> {
  const { poller, claims, watches, edge } = deps;
  poller.forget(source.key);
  edge.withdraw(source.key);
  await loosen(source, deps);
  // From here on nothing of it is healed, and others that declare it too may have it.
  for (const key of claims.release(source.key)) wakeClaimants(key, source, deps);
  if (!(source.resource.metadata.finalizers ?? []).includes(FINALIZER)) return { kind: 'done' };
  if (await isUninstall(source, deps, signal))
    return release(source, deps, signal, 'Plumbline or the namespace is being removed: all managed objects stay');
  const policy = source.spec?.deletionPolicy ?? 'Orphan';
  if (policy === 'Orphan' || source.spec?.prune === false)
    return release(source, deps, signal, 'its managed objects stay, as deletionPolicy or prune says');

  const isWaiting = source.deletions === 0 && source.spec && (await leavesToHeirs(source, source.spec, deps, signal));
  if (isWaiting) return { kind: 'again', afterMs: HEIRS_MS };
  const { left, kept } = await deleteObjects(source, deps, signal);
  source.deletions += 1;
  if (left.length > 0 && source.deletions < ATTEMPTS) return { kind: 'again', afterMs: AGAIN_MS };
  watches.want(source.key, []);
  const staying = [...left, ...kept];
  const names = staying.slice(0, 5).join('; ');
  return release(
    source,
    deps,
    signal,
    staying.length === 0 ? 'its managed objects are deleted' : `${staying.length} managed objects stay: ${names}`,
    staying.length > 0,
  );
}

async function isUninstall(
  source: Source,
  { api, discovery, sourceResource, uninstall }: ReconcileDeps,
  signal: AbortSignal,
): Promise<boolean> {
  if (uninstall.begun) return true;
  const { group, plural } = sourceResource();
  const crds = await discovery.preferred('apiextensions.k8s.io', 'CustomResourceDefinition', signal);
  const namespaces = await discovery.resource('v1', 'Namespace', signal);
  const isGoing = async (resource: typeof crds, name: string) => {
    if (!resource) return true;
    try {
      return (
        (await api.get(resource, '', name, { metadataOnly: true, signal })).metadata.deletionTimestamp !== undefined
      );
    } catch (error) {
      if (isGone(error)) return true;
      throw error;
    }
  };
  return (await isGoing(crds, `${plural}.${group}`)) || isGoing(namespaces, source.namespace);
}

interface Removed {
  left: string[];
  kept: string[];
}

/** Deletes what a fresh list finds. One line each for what is `left` for another attempt and what is `kept` on purpose. */
async function deleteObjects(source: Source, deps: ReconcileDeps, signal: AbortSignal): Promise<Removed> {
  const { claims, live, log, metrics, writer } = deps;
  let actor: Actor;
  try {
    actor = await actorFor(source, source.spec!, deps, signal, { check: true });
  } catch (error) {
    if (error instanceof PlumblineError && error.code === 'ServiceAccountMissing') {
      return { left: [], kept: [error.message] };
    }
    throw error;
  }
  await recoverInventory(source, deps, signal);
  const left = await listAnew(source, deps, signal);
  const kept: string[] = [];
  const { lastAppliedRevision: revision = '' } = source.status;
  const approvedRevision = source.resource.metadata.annotations?.[APPROVE_PRUNE_ANNOTATION];
  const approved = isApproved({ revision, approvedRevision });
  const isFree = (key: string) => (claims.holder(key) ?? claims.heir(key)) === undefined;
  const objects = [...live.of(source.key)].filter(({ key, deleting }) => !deleting && isFree(key));
  for (const stage of deletionStages(objects)) {
    await inParallel(stage, WIDTH, async (object) => {
      const keep = keepsOnDelete(object, approved);
      if (keep) return void kept.push(`${describeIdentity(object.identity)}: ${keep}`);
      try {
        const outcome = await writer.remove(actor, object.identity, { signal });
        // Another source that declares it has just taken it.
        if (outcome === 'changed' && !isFree(object.key)) return;
        if (outcome === 'changed') left.push(`${describeIdentity(object.identity)}: changed meanwhile`);
        if (outcome === 'deleted') {
          wakeClaimants(object.key, source, deps);
          metrics.wrote('pruned');
          audit(log, { source: source.key, object: object.identity, action: 'pruned' });
        }
      } catch (error) {
        signal.throwIfAborted();
        left.push(`${describeIdentity(object.identity)}: ${(error as Error).message}`);
      }
    });
  }
  return { left, kept };
}

/**
 * Every kind that the stored inventory or the last revision names, listed now, objects without our labels too; a kind that
 * cannot be is named in the answer.
 */
async function listAnew(
  source: Source,
  { api, discovery, live }: ReconcileDeps,
  signal: AbortSignal,
): Promise<string[]> {
  const kinds = new Map<string, Pick<Identity, 'group' | 'kind'>>();
  const inventory = source.status.inventory?.kinds ?? [];
  // A first run that was interrupted may have sent what no watch has told yet.
  const objects = [...live.of(source.key), ...(source.rendered?.desired ?? [])];
  for (const { group, kind } of [...inventory, ...objects.map(({ identity }) => identity)]) {
    kinds.set(`${group}/${kind}`, { group, kind });
  }
  await discovery.refresh(signal).catch(() => signal.throwIfAborted());
  const problems: string[] = [];
  await inParallel(kinds.values(), WIDTH, async ({ group, kind }) => {
    const resource = await discovery.preferred(group, kind, signal);
    if (!resource) {
      if (discovery.presence(group, kind) !== 'absent') problems.push(`${kind}: its API does not answer`);
      return;
    }
    try {
      const labelSelector = `${NAME_LABEL}=${source.name}`;
      for await (const { items } of api.list(resource, { labelSelector, metadataOnly: true, signal })) {
        for (const item of items) {
          const seen = sighted(item, undefined, undefined);
          const before = live.get(seen.key);
          live.set(
            before
              ? {
                  ...before,
                  uid: seen.uid,
                  resourceVersion: seen.resourceVersion,
                  deleting: seen.deleting,
                  source: seen.source,
                  pruneDisabled: seen.pruneDisabled,
                  reconcileDisabled: seen.reconcileDisabled,
                }
              : seen,
          );
        }
      }
      const counted = inventory.filter((one) => one.group === group && one.kind === kind);
      await findUnlabelled({ api, live }, source.key, counted, signal);
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`${kind}: ${(error as Error).message}`);
    }
  });
  return problems;
}

async function release(
  source: Source,
  { api, sourceResource, events, log }: ReconcileDeps,
  signal: AbortSignal,
  message: string,
  isWarning = false,
): Promise<Outcome> {
  log.info({ source: source.key }, `the source is deleted; ${message}`);
  if (isWarning) events.record(subjectOf(source), { type: 'Warning', reason: 'Deleting', message });
  const { metadata } = source.resource;
  const finalizers = (metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
  try {
    await api.mergePatch(
      sourceResource(),
      source.namespace,
      source.name,
      { metadata: { resourceVersion: metadata.resourceVersion, finalizers } },
      { signal },
    );
  } catch (error) {
    if (isGone(error)) return { kind: 'done' };
    // Somebody else changed it: the newer one arrives by the watch and brings us back here.
    if (!isConflict(error)) throw error;
    return { kind: 'again', afterMs: 100 };
  }
  return { kind: 'done' };
}
