import { isApproved } from './prune-guard.ts';
import type { Opening } from './windows.ts';

/** Why a new commit is not applied at this moment. */
export type Hold =
  | { readonly reason: 'WaitingForApproval' }
  /** `opening` says until when. */
  | { readonly reason: 'WaitingForWindow'; readonly opening: Opening };

export interface HoldInput {
  /** `branch@sha1:<hex>`. */
  readonly revision: string;
  /** `spec.sync`. */
  readonly sync: 'Auto' | 'Manual';
  /** Value of plumbline.dev/approve. */
  readonly approved: string | undefined;
  /** Value of plumbline.dev/syncNow. */
  readonly syncNow: string | undefined;
  /** Of the windows for sync, now. */
  readonly opening: Opening;
}

/** An approval says that the commit may be applied, a window when: with both, an approved commit waits for the window. */
export function holdOf({ revision, sync, approved, syncNow, opening }: HoldInput): Hold | undefined {
  if (sync === 'Manual' && !isApproved({ approvedRevision: approved, revision })) {
    return { reason: 'WaitingForApproval' };
  }
  if (opening.open || isApproved({ approvedRevision: syncNow, revision })) return undefined;
  return { reason: 'WaitingForWindow', opening };
}
