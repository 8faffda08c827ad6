// What a round of a fault run consists of.
import { victimOf, type Declared, type Fact, type Key, type SourceName } from './declared.ts';
import type { ApiRule, WatchFault } from './proxy.ts';

/** Edits that contradict Git; under Prevent the API server refuses each of them. `remake`: deleted and, at once, created again by hand. */
export const EDITS = ['value', 'delete', 'remake', 'unlabel', 'relabel', 'unproven', 'thief', 'unmanaged'] as const;
/** Edits that add what Git does not declare: an annotation, a field. */
export const ADDITIONS = ['note', 'extra'] as const;
export type EditHow = (typeof EDITS)[number] | (typeof ADDITIONS)[number];

export const GIT_FAULTS = ['reset', 'hang', 'slow', 'unavailable', 'truncated', 'stalled', 'corrupt', 'gone'] as const;
export type GitFaultName = (typeof GIT_FAULTS)[number];

/** `rewrite` replaces the last commit; `forget` does so and removes the old one from the server. */
export type PushHow = 'commit' | 'rewrite' | 'forget';

export type DeletionPolicy = 'Delete' | 'Orphan';
export type Mode = 'Heal' | 'Report' | 'Prevent';
export type ForeignFields = 'Leave' | 'Report' | 'Remove';

/** What keeps the newest commit of a source from being applied. */
export type Lag = OwnLag | 'DependencyNotReady';
/** What it has of itself, and not from those that it depends on. */
export type OwnLag = 'WaitingForApproval' | 'WaitingForWindow' | 'EdgeBlocked';

export interface Edit {
  do: 'edit';
  key: Key;
  how: EditHow;
  /** By somebody of the break-glass group. */
  glass?: true;
  /** Prevent is known to be in force, or to be over; without it both may be. */
  must?: 'be refused' | 'pass';
}

export type Action =
  | { do: 'push'; how: PushHow; put: [SourceName, Key, string][]; drop: [SourceName, Key][] }
  | { do: 'break'; source: SourceName }
  | Edit
  | { do: 'source'; source: SourceName; how: 'suspend' | 'resume' | 'request' }
  | { do: 'mode'; source: SourceName; mode: Mode }
  | { do: 'foreign'; source: SourceName; policy: ForeignFields }
  /** From now on new commits of the source wait; done when the operator has seen it. */
  | { do: 'hold'; source: SourceName; for: 'approval' | 'window' }
  /** `approve` and `syncNow` let the newest commit through, `open` all of them. */
  | { do: 'release'; source: SourceName; how: 'approve' | 'syncNow' | 'open' }
  /** Drift is only reported from now on; done when the operator has seen it. */
  | { do: 'closeHealing'; source: SourceName }
  /** This edit must have been reported, and not healed. */
  | { do: 'unhealed'; source: SourceName; key: Key }
  | { do: 'openHealing'; source: SourceName; how: 'healNow' | 'open' }
  /** From now on it waits for another source, or for none; done when the operator has seen it, unless for none. */
  | { do: 'depend'; source: SourceName; on: SourceName | undefined }
  | { do: 'recreate'; source: SourceName; deletionPolicy: DeletionPolicy }
  | { do: 'rotate'; first: 'server' | 'secret' }
  /** `lost`: the pod is replaced by another one, which has none of the mirrors on disk. */
  | { do: 'kill'; cache: 'kept' | 'lost' }
  | { do: 'start' }
  | { do: 'freeze'; ms: number }
  | { do: 'clock'; offsetMs: number }
  | { do: 'git'; fault: GitFaultName; ms: number }
  | { do: 'api'; rule: ApiRule }
  | { do: 'watches'; fault: WatchFault }
  | { do: 'restart' }
  | { do: 'depose' };

/** What is done, and how long nothing is done after it. */
export type Step = Action & { pauseMs: number };

/** How a source must stand at the end of a round. */
export interface Standing {
  /** What must be live: the newest commit, or the one before those that lag. */
  live: Declared;
  /** What its newest commit let go, and is still its own: the newest commit of another one declares it, and lags. */
  left: ReadonlySet<Key>;
  lag?: Lag;
  ownLag?: OwnLag;
  /** It had nothing new to apply since the one that it depends on is not Ready, so it may not know. */
  mayBeUnaware: boolean;
  mode: Mode;
  foreignFields: ForeignFields;
}

export interface Round {
  steps: Step[];
  standings: Record<SourceName, Standing>;
  /** Objects that nothing in this round gives a reason to delete. */
  kept: Set<Key>;
  /** Whose proof was taken off at some time: what leaves Git before it is back is nobody's, and stays, if it lost its labels too. */
  unproven: ReadonlySet<Key>;
  /** Of these, what is nobody's with its labels too: nobody knows any more that its source declared it. */
  forsaken: ReadonlySet<Key>;
  /** What only commits declared that were never let through: nobody may have seen it. */
  never: Fact[];
}

/** For the sums of a report. */
export function nameOf(step: Step): string {
  if (step.do === 'edit')
    return `edit ${step.how}${step.glass ? ', break-glass' : step.must ? `, must ${step.must}` : ''}`;
  if (step.do === 'push') return step.put.some(([, key]) => victimOf(key)) ? 'push of a collision' : 'push';
  if (step.do === 'git') return `git ${step.fault}`;
  if (step.do === 'kill') return `kill, cache ${step.cache}`;
  if (step.do === 'mode') return `mode ${step.mode}`;
  if (step.do === 'foreign') return `foreign ${step.policy}`;
  if (step.do === 'hold') return `hold for ${step.for}`;
  if (step.do === 'depend') return step.on ? 'depend' : 'depend no more';
  if (step.do === 'recreate') return `recreate ${step.deletionPolicy}`;
  return 'how' in step ? `${step.do} ${step.how}` : step.do;
}
