import type { GitOpsSourceStatus } from '../api/source.ts';
import { keyOfKind, type WatchedKind } from '../drift/watches.ts';
import { PlumblineError } from '../errors.ts';
import { describeIdentity, groupOf } from '../kube/object.ts';
import type { ClaimRules } from '../sync/claims.ts';
import { isKept, type Desired } from '../sync/desired.ts';
import { inParallel } from '../concurrency/parallel.ts';
import { orderFor } from './actor.ts';
import type { ReconcileDeps } from './deps.ts';
import { noteFailure } from './failure.ts';
import { inheritsFrom, isSameTeam } from './inheritance.ts';
import type { Rendered, Source } from './source.ts';

/** How long a run waits for the first lists of its kinds; kinds that cannot be listed are then read object by object. */
export const LIST_TIMEOUT_MS = 10_000;
const WIDTH = 16;
/** A source that lost a claim which it had not made good asks again after the other one has tried. */
const DISPLACED_MS = 1_000;

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
  const { status } = deps;
  await watchKinds(source, rendered, deps, signal);
  source.rendered = rendered;
  if (source.ahead?.desired === rendered.desired) source.ahead = undefined;
  source.expected = undefined;
  const unjudged = new Set(
    grantable(source, deps.edge.withheld({ source: source.key, desired: rendered.desired }), deps),
  );
  const judged = unjudged.size === 0 ? rendered.desired : rendered.desired.filter((object) => !unjudged.has(object));
  const conflicts = claim(source, judged, [...unjudged, ...(source.ahead?.desired ?? [])], deps);
  await inParallel(unjudged, WIDTH, (object) => noteUnjudged(source, object, deps, signal));
  await inParallel(conflicts, WIDTH, (conflict) => refuse(source, conflict, deps, signal));
  // A kind is announced before its first object is applied: whatever crashes when, it is looked for.
  const declared = new Set(rendered.desired.map(({ identity }) => `${identity.group}/${identity.kind}`));
  if (isAnnounced(status.stored(source), declared) || (await status.flush(source))) return;
  throw new PlumblineError(
    'InventoryNotStored',
    'could not write into the status which kinds will be managed; nothing is applied before that',
  );
}

/**
 * Would the next start look for these kinds (`group/kind`)? It looks for those that the stored inventory names, and for all
 * there are when none is stored. What a write failed to bring does not count.
 */
function isAnnounced(
  stored: { readonly status: GitOpsSourceStatus | undefined } | undefined,
  kinds: Iterable<string>,
): boolean {
  if (!stored) return false;
  const inventory = stored.status?.inventory;
  if (!inventory) return true;
  const known = new Set(inventory.kinds.map(({ group, kind }) => `${group}/${kind}`));
  return [...kinds].every((kind) => known.has(kind));
}

/** Watches the kinds that the source declares or has; what is live of them is known from here on, but for `unlisted` ones. */
export async function watchKinds(
  source: Source,
  rendered: Rendered,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const { watches, discovery } = deps;
  await recoverInventory(source, deps, signal);
  source.kinds = await kindsToWatch(source, rendered.desired, deps, signal);
  signal.throwIfAborted();
  watches.want(source.key, source.kinds);
  const served = source.kinds.filter(({ apiVersion, kind }) => discovery.cached(apiVersion, kind));
  const silent = source.kinds.filter(
    ({ apiVersion, kind }) =>
      !discovery.cached(apiVersion, kind) && discovery.presence(groupOf(apiVersion), kind) === 'unknown',
  );
  source.unlisted = [...(await watches.unlisted(served, LIST_TIMEOUT_MS, signal)), ...silent];
}

/**
 * What a source whose status was lost manages, from the objects themselves. A kind that cannot be listed now counts as one
 * that it may have: it is watched, so that nothing is pruned before it has been seen.
 */
export async function recoverInventory(source: Source, { scan }: ReconcileDeps, signal: AbortSignal): Promise<void> {
  if (!source.inventoryLost) return;
  const { bySource, unlisted } = await scan.run(signal);
  const kinds = [...(bySource.get(source.key) ?? [])];
  const isFound = (missed: (typeof unlisted)[number]) =>
    kinds.some(({ group, kind }) => group === missed.group && kind === missed.kind);
  kinds.push(...unlisted.filter((missed) => !isFound(missed)).map((missed) => ({ ...missed, count: 0 })));
  source.status = { ...source.status, inventory: { count: kinds.reduce((sum, { count }) => sum + count, 0), kinds } };
  source.inventoryLost = false;
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

interface Conflict {
  desired: Desired;
  holder: string;
}

/** What `claimAndWatch` would let the source have at this moment. */
export function grantable(source: Source, desired: readonly Desired[], deps: ReconcileDeps): Desired[] {
  return deps.claims.grantable(source.key, desired, rulesFor(source, deps));
}

function rulesFor(source: Source, { live, sources, wake }: ReconcileDeps): ClaimRules {
  const adopts = ({ policy }: Desired, other: string) => policy.adopt || inheritsFrom(source, other);
  return {
    foreignOwner: (object) => {
      const now = live.get(object.key);
      const other = now?.source !== undefined && now.source !== source.key ? sources.get(now.source) : undefined;
      if (!other) return undefined;
      // Otherwise a declaration that can never be applied would keep other people's objects from being deleted.
      if (!now?.pruneDisabled && !isSameTeam(source.key, other.key)) return other.key;
      if (other.deleting) return undefined;
      // A source that was never rendered in this process may still declare it; one that was and does not has let it go.
      return other.rendered && adopts(object, other.key) ? undefined : other.key;
    },
    isHollow: (key, holder) => {
      const other = sources.get(holder);
      return live.get(key)?.source !== holder && (!other?.applying || other.failures.has(key));
    },
    mayInherit: (object, holder) => isSameTeam(source.key, holder) && adopts(object, holder),
    displaced: (holder, desired) => {
      const { key } = desired;
      const other = sources.get(holder);
      // It may have been on its way to put it back; a failure is tried again anyway, and what is never written is not missed.
      const isMissed = isKept(desired) && other?.result.kind !== 'failed' && !other?.failures.has(key);
      if (isMissed) wake(holder, DISPLACED_MS);
    },
  };
}

/**
 * The newest commit was read, and what it declares must not be deleted by others of the namespace that let it go, whatever
 * keeps it from being applied: it is handed over when it is let through. While the newest commit cannot be read, what the one
 * before it declared holds.
 */
export function announce(source: Source, newest: Rendered, deps: ReconcileDeps): void {
  const { claims } = deps;
  const enforced = source.rendered?.desired;
  source.ahead = newest.desired === enforced ? undefined : newest;
  if (!source.ahead) return;
  const inherited = claims.inheritance(source.key);
  const declared = new Set(inherited.length > 0 ? enforced?.map(({ key }) => key) : []);
  const still = inherited.filter((key) => declared.has(key));
  const coming = inheritable(source, newest.desired, deps).map(({ key }) => key);
  for (const key of claims.inherit(source.key, [...still, ...coming])) wakeClaimants(key, source, deps);
}

/** What of this another source has that would hand it over. */
function inheritable(source: Source, desired: readonly Desired[], deps: ReconcileDeps): Desired[] {
  const { claims, live } = deps;
  const rules = rulesFor(source, deps);
  return desired.filter((object) => {
    const owner = live.get(object.key)?.source ?? claims.holder(object.key);
    return owner !== undefined && owner !== source.key && rules.mayInherit(object, owner);
  });
}

/** `later`: what the source takes as it is once it may, and which is therefore not deleted meanwhile. */
function claim(
  source: Source,
  desired: readonly Desired[],
  later: readonly Desired[],
  deps: ReconcileDeps,
): Conflict[] {
  const { claims } = deps;
  const before = new Set(claims.of(source.key).keys());
  const inherited = claims.inheritance(source.key);
  const rules = rulesFor(source, deps);
  const conflicts = claims.claim(source.key, desired, rules, inheritable(source, later, deps));
  const held = claims.of(source.key);
  const refused = new Set(conflicts.map(({ desired: object }) => object.key));
  for (const key of source.failures.keys()) {
    const isGranted = held.has(key) && !before.has(key) && isRefused(source, key);
    if (isGranted || (!held.has(key) && !refused.has(key))) source.failures.delete(key);
  }
  for (const known of [source.drift, source.foreign, source.ignored])
    for (const key of known.keys()) if (!held.has(key)) known.delete(key);
  const inherits = new Set(claims.inheritance(source.key));
  const waivers = inherited.filter((key) => !inherits.has(key));
  for (const key of [...before, ...waivers]) if (!held.has(key)) wakeClaimants(key, source, deps);
  return conflicts;
}

/**
 * Says why the source may not have an object. That it exists and whose it is, is told only to those who may read it: others
 * get the answer that they would get of an object that is not there.
 */
async function refuse(
  source: Source,
  { desired, holder }: Conflict,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  if (isTold(source, desired, ['OwnedByOtherSource', 'ApiForbidden'], deps)) return;
  const message = `belongs to the source ${holder}, and is not overwritten: remove it from one of the two`;
  const owned = new PlumblineError('OwnedByOtherSource', message, { object: desired.identity });
  const read = () => deps.writer.read(orderFor(source, source.spec!, deps), desired, signal);
  const error = isSameTeam(source.key, holder) ? owned : await refusalOr(owned, read, signal);
  noteFailure(source, desired, error, deps);
}

/**
 * When the gate of the edge looked at the revision, the source could not have the object, and it was not looked at. Where the
 * ServiceAccount may not write it, that is what people must hear.
 */
async function noteUnjudged(source: Source, desired: Desired, deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  if (isTold(source, desired, ['EdgeUnjudged', 'ApiForbidden', 'NamespaceTerminating'], deps)) return;
  const object = desired.identity;
  const message = `${describeIdentity(object)} could not be had when the gate of the edge judged this, and waits until it is judged`;
  const unjudged = new PlumblineError('EdgeUnjudged', message, { object });
  const rehearse = () => deps.writer.rehearse(orderFor(source, source.spec!, deps), desired, signal);
  noteFailure(source, desired, await refusalOr(unjudged, rehearse, signal), deps);
}

/** What the API server has against the source comes before what we have to say. */
async function refusalOr(own: PlumblineError, ask: () => Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  try {
    await ask();
    return own;
  } catch (refusal) {
    signal.throwIfAborted();
    return refusal;
  }
}

/** Was it said of this very declaration, and is it not yet time to try again? */
function isTold(
  source: Source,
  { key, digest }: Desired,
  codes: readonly string[],
  { clock }: Pick<ReconcileDeps, 'clock'>,
): boolean {
  const known = source.failures.get(key);
  return (
    known !== undefined && codes.includes(known.code) && known.digest === digest && known.retryAt > clock.elapsed()
  );
}

/** What the source let go, or is gone: whoever was refused it may try again, and whose it still is may prune it. */
export function wakeClaimants(
  key: string,
  source: Pick<Source, 'key'>,
  { sources, live, wake }: Pick<ReconcileDeps, 'sources' | 'live' | 'wake'>,
): void {
  const owner = live.get(key)?.source;
  if (owner !== undefined && owner !== source.key && sources.get(owner)?.judged) wake(owner);
  for (const other of sources.values()) {
    if (!isRefused(other, key)) continue;
    other.failures.get(key)!.retryAt = 0;
    wake(other.key);
  }
}

/** Was the source told that the object belongs to another one? */
export function isRefused({ failures }: Source, key: string): boolean {
  return failures.get(key)?.code === 'OwnedByOtherSource';
}
