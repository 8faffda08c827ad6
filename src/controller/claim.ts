import { keyOfKind, type WatchedKind } from '../drift/watches.ts';
import { PlumblineError } from '../errors.ts';
import { describeIdentity, groupOf } from '../kube/object.ts';
import type { Desired } from '../sync/desired.ts';
import type { ReconcileDeps } from './deps.ts';
import { failureOf } from './run-listener.ts';
import type { Rendered, Source } from './source.ts';

/** How long a run waits for the first lists of its kinds; kinds that cannot be listed are then read object by object. */
export const LIST_TIMEOUT_MS = 10_000;

/**
 * From here on these objects are this source's to keep, and watched. Another source that declares one of them, or whose live
 * objects they prove to be, holds it: that is a failure that names the holder, never an overwrite.
 */
export async function claimAndWatch(
  source: Source,
  rendered: Rendered,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { watches, discovery, status } = deps;
  const unscanned = await recoverInventory(source, deps, signal);
  source.kinds = await kindsToWatch(source, rendered.desired, deps, signal);
  watches.want(source.key, source.kinds);
  const served = source.kinds.filter(({ apiVersion, kind }) => discovery.cached(apiVersion, kind));
  const silent = source.kinds.filter(
    ({ apiVersion, kind }) =>
      !discovery.cached(apiVersion, kind) && discovery.presence(groupOf(apiVersion), kind) === 'unknown',
  );
  source.unlisted = [...(await watches.unlisted(served, LIST_TIMEOUT_MS, signal)), ...silent, ...unscanned];

  source.rendered = rendered;
  claim(source, rendered.desired, deps);
  // A kind is in the stored inventory before its first object is applied: whatever crashes when, it is looked for.
  const stored = new Set((source.status.inventory?.kinds ?? []).map(({ group, kind }) => `${group}/${kind}`));
  const isAnnounced = rendered.desired.every(({ identity }) => stored.has(`${identity.group}/${identity.kind}`));
  if (isAnnounced || (await status.flush(source))) return;
  throw new PlumblineError(
    'InventoryNotStored',
    'could not write into the status which kinds will be managed; nothing is applied before that',
  );
}

/** What a source whose status was lost manages, from the objects themselves. Returns the kinds that could not be asked. */
export async function recoverInventory(
  source: Source,
  { scan }: ReconcileDeps,
  signal: AbortSignal,
): Promise<readonly WatchedKind[]> {
  if (!source.inventoryLost) return [];
  const { bySource, unlisted } = await scan.run(signal);
  const kinds = [...(bySource.get(source.key) ?? [])];
  source.status = { ...source.status, inventory: { count: kinds.reduce((sum, { count }) => sum + count, 0), kinds } };
  source.inventoryLost = unlisted.length > 0;
  return unlisted;
}

async function kindsToWatch(
  source: Source,
  desired: readonly Desired[],
  { discovery }: ReconcileDeps,
  signal: AbortSignal,
): Promise<WatchedKind[]> {
  const kinds = new Map<string, WatchedKind>();
  const declared = new Set<string>();
  for (const { apiVersion, identity } of desired) {
    const { group, kind } = identity;
    declared.add(`${group}/${kind}`);
    kinds.set(keyOfKind({ apiVersion, kind }), { apiVersion, kind });
  }
  // Kinds that are no longer declared may hold objects to prune; any served version will do for them.
  for (const { group, kind } of source.status.inventory?.kinds ?? []) {
    if (declared.has(`${group}/${kind}`)) continue;
    const resource = await discovery.preferred(group, kind, signal).catch(() => undefined);
    // An API that is down is not gone: it is watched as soon as it speaks again.
    const isSilent = !resource && discovery.presence(group, kind) === 'unknown';
    const apiVersion = resource?.apiVersion ?? (isSilent ? discovery.preferredVersion(group) : undefined);
    if (apiVersion !== undefined) kinds.set(keyOfKind({ apiVersion, kind }), { apiVersion, kind });
  }
  return [...kinds.values()];
}

function claim(source: Source, desired: readonly Desired[], deps: ReconcileDeps): void {
  const { claims, live, sources } = deps;
  const before = new Set(claims.of(source.key).keys());
  const conflicts = claims.claim(source.key, desired, {
    foreignOwner: (object) => {
      const owner = live.get(object.key)?.source;
      const other = owner !== undefined && owner !== source.key ? sources.get(owner) : undefined;
      if (!other || other.deleting) return undefined;
      // A source that was never rendered in this process may still declare it; one that was and does not has let it go.
      return other.rendered && object.policy.adopt ? undefined : other.key;
    },
    isHollow: (key, holder) => live.get(key)?.source !== holder && sources.get(holder)?.failures.has(key) === true,
  });
  for (const { desired: object, holder } of conflicts) {
    const message = `${describeIdentity(object.identity)} belongs to the source ${holder}; it is not overwritten`;
    const error = new PlumblineError('OwnedByOtherSource', message, { object: object.identity });
    source.failures.set(object.key, failureOf(object, error, source.failures.get(object.key), deps));
  }
  const held = claims.of(source.key);
  const refused = new Set(conflicts.map(({ desired: object }) => object.key));
  for (const key of source.failures.keys()) if (!held.has(key) && !refused.has(key)) source.failures.delete(key);
  for (const key of source.drift.keys()) if (!held.has(key)) source.drift.delete(key);
  for (const key of before) if (!held.has(key)) wakeClaimants(key, deps);
}

/** An object that was let go or is gone: whoever was refused it may try again. */
export function wakeClaimants(key: string, { sources, wake }: Pick<ReconcileDeps, 'sources' | 'wake'>): void {
  for (const other of sources.values()) {
    const failure = other.failures.get(key);
    if (failure?.code !== 'OwnedByOtherSource') continue;
    failure.retryAt = 0;
    wake(other.key);
  }
}
