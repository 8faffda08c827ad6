import { APPROVE_PRUNE_ANNOTATION, PRUNE_ANNOTATION, RECONCILE_ANNOTATION } from '../api/names.ts';
import { describeIdentity, type Identity } from '../kube/object.ts';
import { deletionStages, isCrd } from './stages.ts';
import { plural } from '../plural.ts';

/** One live object that proves to be the source's (`LiveObjects.of`); copied labels alone never bring an object here. */
export interface PruneCandidate {
  /** identityKey(identity). */
  readonly key: string;
  readonly identity: Identity;
  /** `plumbline.dev/prune: disabled` on the live object. */
  readonly pruneDisabled: boolean;
  /** `plumbline.dev/reconcile: disabled` on the live object: nothing of it is touched. */
  readonly reconcileDisabled: boolean;
  readonly deleting: boolean;
}

/** `spec.pruneGuard`. A prune above either needs approval. */
export interface PruneGuard {
  /** Objects; absent: no such limit. */
  readonly maxCount?: number | undefined;
  /** Of the objects that the source has live; default 50. Counts when there are more than 10 of them. */
  readonly maxPercent?: number | undefined;
}

export interface PruneInput<T extends PruneCandidate = PruneCandidate> {
  /** identityKey of everything that the revision declares. */
  readonly declaredKeys: ReadonlySet<string>;
  readonly live: readonly T[];
  /** `spec.prune`. */
  readonly enabled: boolean;
  readonly guard?: PruneGuard | undefined;
  /** `branch@sha1:<hex>`. */
  readonly revision: string;
  /** Value of the approval annotation: the revision, or its commit id. */
  readonly approvedRevision?: string | undefined;
  /** Nothing that the path holds was left out: no file failed, and the path exists. */
  readonly renderComplete: boolean;
  /** Every kind was listed; nothing is hidden by an API that is down. */
  readonly listComplete: boolean;
  /** Every declared object is applied and the edge gate passed. */
  readonly applied: boolean;
}

export type KeepReason =
  /** `plumbline.dev/prune: disabled` on the live object. */
  | 'PruneDisabled'
  /** `plumbline.dev/reconcile: disabled` on the live object. */
  | 'ReconcileDisabled'
  /** `default` and `kube-*` namespaces are never deleted. */
  | 'SystemNamespace'
  /** Namespace, CRD or PVC: takes data with it, so it waits for approval. */
  | 'NeedsApproval'
  /** The guard holds the whole prune. */
  | 'Guarded';

export interface PruneBlock {
  readonly reason: 'PruneBlocked' | 'PruneNotSafe';
  readonly message: string;
}

export interface PrunePlan<T extends PruneCandidate = PruneCandidate> {
  /** Stage by stage, in the order of deletion. Ownership is checked again right before each delete, by who carries it out. */
  readonly delete: readonly (readonly T[])[];
  readonly keep: readonly { readonly identity: Identity; readonly why: KeepReason }[];
  /** Something waits for a person (PruneBlocked) or for a later round (PruneNotSafe). Objects in `delete` may go all the same. */
  readonly blocked?: PruneBlock;
}

const DEFAULT_MAX_PERCENT = 50;
/** Up to this many objects a percentage says nothing: one of two is half. */
const FREE_COUNT = 10;
const SHOWN_NAMES = 5;

/** Decides what may be deleted after a revision: what is live and ours, and not declared. */
export function prunePlan<T extends PruneCandidate>(input: PruneInput<T>): PrunePlan<T> {
  const { declaredKeys, live } = input;
  const extra = live.filter(({ key, deleting }) => !deleting && !declaredKeys.has(key));
  if (!input.enabled || extra.length === 0) return { delete: [], keep: [] };
  const unsafe = whyUnsafe(input);
  if (unsafe) return { delete: [], keep: [], blocked: { reason: 'PruneNotSafe', message: unsafe } };

  const kept = new Map<T, KeepReason>();
  for (const object of extra) {
    const why = whyKept(object);
    if (why) kept.set(object, why);
  }
  const free = extra.filter((object) => !kept.has(object));
  return isApproved(input) ? planned(free, kept) : guarded(input, free, kept);
}

function planned<T extends PruneCandidate>(
  objects: readonly T[],
  kept: ReadonlyMap<T, KeepReason>,
  blocked?: PruneBlock,
): PrunePlan<T> {
  const keep = [...kept].map(([{ identity }, why]) => ({ identity, why }));
  return { delete: deletionStages(objects), keep, ...(blocked && { blocked }) };
}

function guarded<T extends PruneCandidate>(
  input: PruneInput<T>,
  free: readonly T[],
  kept: Map<T, KeepReason>,
): PrunePlan<T> {
  const exceeded = exceededLimit(input, free.length);
  if (exceeded) {
    for (const object of free) kept.set(object, 'Guarded');
    const message = `${exceeded}: ${named(free)}. ${howToApprove(input)}`;
    return planned([], kept, { reason: 'PruneBlocked', message });
  }
  const precious = free.filter(isPrecious);
  for (const object of precious) kept.set(object, 'NeedsApproval');
  const rest = free.filter((object) => !kept.has(object));
  if (precious.length === 0) return planned(rest, kept);
  const message = `deleting ${named(precious)} takes what is inside with it. ${howToApprove(input)}`;
  return planned(rest, kept, { reason: 'PruneBlocked', message });
}

/** Conditions under which "not declared" proves nothing. */
function whyUnsafe({ declaredKeys, renderComplete, listComplete, applied }: PruneInput): string | undefined {
  if (declaredKeys.size === 0) return 'the path declares no object at all; nothing is pruned from an empty path';
  if (!renderComplete) return 'not every file could be read; nothing is pruned until all can';
  if (!listComplete) return 'not every kind could be listed; nothing is pruned until all can';
  if (!applied) return 'the revision is not applied whole; nothing is pruned until it is';
  return undefined;
}

function whyKept({
  identity,
  pruneDisabled,
  reconcileDisabled,
}: Omit<PruneCandidate, 'deleting'>): 'PruneDisabled' | 'ReconcileDisabled' | 'SystemNamespace' | undefined {
  if (pruneDisabled) return 'PruneDisabled';
  if (reconcileDisabled) return 'ReconcileDisabled';
  const isSystem = isNamespace(identity) && (identity.name === 'default' || identity.name.startsWith('kube-'));
  return isSystem ? 'SystemNamespace' : undefined;
}

/**
 * Why an object stays although its source is deleted with `deletionPolicy: Delete`; undefined: it goes. For people. The same
 * opt-outs as for pruning; what takes data with it goes only when `approved` (the source carries the approval annotation).
 */
export function keepsOnDelete(object: Omit<PruneCandidate, 'deleting'>, approved = false): string | undefined {
  const why = whyKept(object);
  if (why === 'PruneDisabled') return `${PRUNE_ANNOTATION} is disabled`;
  if (why === 'ReconcileDisabled') return `${RECONCILE_ANNOTATION} is disabled`;
  if (why === 'SystemNamespace') return 'namespaces of the system are never deleted';
  if (approved || !isPrecious(object)) return undefined;
  return `needs approval by ${APPROVE_PRUNE_ANNOTATION}, because it takes what is inside with it`;
}

function isNamespace({ group, kind }: Identity): boolean {
  return group === '' && kind === 'Namespace';
}

function isPrecious({ identity }: Pick<PruneCandidate, 'identity'>): boolean {
  return (
    isNamespace(identity) || isCrd(identity) || (identity.group === '' && identity.kind === 'PersistentVolumeClaim')
  );
}

/** Bound to one revision: an approval that is left behind must not approve the next mistake. */
export function isApproved({ approvedRevision, revision }: Pick<PruneInput, 'approvedRevision' | 'revision'>): boolean {
  if (!approvedRevision) return false;
  return approvedRevision === revision || approvedRevision === commitOf(revision);
}

function commitOf(revision: string): string {
  return revision.slice(revision.lastIndexOf(':') + 1);
}

function exceededLimit({ live, guard = {} }: PruneInput, count: number): string | undefined {
  const total = live.filter(({ deleting }) => !deleting).length;
  const { maxCount, maxPercent = DEFAULT_MAX_PERCENT } = guard;
  if (maxCount !== undefined && count > maxCount)
    return `${plural(count, 'object')} would be deleted, spec.pruneGuard.maxCount is ${maxCount}`;
  if (total <= FREE_COUNT || count * 100 <= total * maxPercent) return undefined;
  return `${count} of ${total} objects would be deleted, more than ${maxPercent} %`;
}

function named(objects: readonly PruneCandidate[]): string {
  const names = objects.slice(0, SHOWN_NAMES).map(({ identity }) => describeIdentity(identity));
  const more = objects.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function howToApprove({ revision }: PruneInput): string {
  return `To approve: annotate the source with ${APPROVE_PRUNE_ANNOTATION}=${revision}`;
}
