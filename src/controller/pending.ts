import type { GitOpsSourceStatus } from '../api/source.ts';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import type { Desired } from '../sync/desired.ts';
import type { Hold } from '../sync/hold.ts';
import type { PrunePlan } from '../sync/prune-guard.ts';
import { named } from './shown-drift.ts';

/** `status.pending`. */
export type Pending = NonNullable<GitOpsSourceStatus['pending']>;

export interface PendingInput {
  readonly revision: string;
  readonly hold: Hold;
  /** What it declares. */
  readonly desired: readonly Desired[];
  /** By key, the digests of what is enforced meanwhile. */
  readonly enforced: ReadonlyMap<string, string>;
  /** Is this object there, and the source's? */
  readonly isLive: (key: string) => boolean;
  readonly prune: PrunePlan;
  readonly findings: Pending['findings'];
}

/** What a revision that waits would do: beside what is enforced now, for that is how the cluster is kept until then. */
export function pendingOf({ revision, hold, desired, enforced, isLive, prune, findings }: PendingInput): Pending {
  const changed = desired.filter(({ key, digest }) => enforced.get(key) !== digest);
  const writes = changed.map(({ key, identity, file, line }) => {
    const action = isLive(key) || enforced.has(key) ? ('configure' as const) : ('create' as const);
    return { ...named(identity), file, line, action };
  });
  const deletes = prune.delete.flat().map(({ identity }) => ({ ...named(identity), action: 'prune' as const }));
  const created = writes.filter(({ action }) => action === 'create').length;
  return {
    revision,
    reason: hold.reason,
    ...until(hold),
    create: created,
    configure: writes.length - created,
    prune: deletes.length,
    ...(prune.blocked && { pruneBlocked: prune.blocked.message }),
    objects: [...writes, ...deletes].slice(0, STATUS_LIMITS.pendingObjects),
    findings: findings.slice(0, STATUS_LIMITS.pendingFindings),
  };
}

function until(hold: Hold): { until?: string } {
  if (hold.reason !== 'WaitingForWindow') return {};
  const { until: at, atLeast } = hold.opening;
  // When it opens at a time that nobody has looked at yet, a time would be a promise.
  return at === Infinity || atLeast ? {} : { until: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z') };
}
