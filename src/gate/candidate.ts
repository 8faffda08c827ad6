import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Identity } from '../kube/object.ts';
import type { Desired } from '../sync/desired.ts';

/** A revision of a source that asks to be applied. */
export interface Candidate {
  /** `namespace/name`. */
  readonly source: string;
  /** Equal for the same objects. */
  readonly id: string;
  readonly commit: string;
  readonly edge: GitOpsSourceSpec['edge'];
  /** Everything that it declares. */
  readonly desired: readonly Desired[];
  /** By key: what its ServiceAccount may not write, as far as that was asked (`EdgeDesk.unreviewed`). */
  readonly barred: ReadonlySet<string>;
  /** Of these, what the source may have at this moment. */
  readonly grantable: (desired: readonly Desired[]) => Desired[];
  /** What would be pruned after it, at this moment. */
  readonly pruned: () => Identity[];
}
