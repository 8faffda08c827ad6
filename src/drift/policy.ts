import type { Identity, KubeObject } from '../kube/object.ts';
import { FOREIGN_MANAGERS } from './foreign-defaults.ts';
import { ignoredFor, type IgnoreRule } from './ignore.ts';
import { AUTOSCALED, type Concession } from './surrender.ts';

/** `spec.drift` of a source, as far as it says what counts as drift. */
export interface DriftPolicy {
  readonly ignore?: readonly IgnoreRule[] | undefined;
  readonly foreignFields: ForeignFields;
  readonly allowManagers?: readonly string[] | undefined;
}

/** What happens to fields that others own and nobody declared. */
export type ForeignFields = 'Leave' | 'Report' | 'Remove';

export const DEFAULT_POLICY: DriftPolicy = { foreignFields: 'Leave' };

/** Nothing is ignored, and nobody wants to hear of what others add. */
export function isLax({ ignore = [], foreignFields }: DriftPolicy): boolean {
  return ignore.length === 0 && foreignFields === 'Leave';
}

/** What a policy means for one object. */
export interface ObjectPolicy {
  /** Who may take which declared fields. */
  readonly concessions: readonly Concession[];
  /** Declared paths that are given up for good. */
  readonly ignored: readonly string[];
  readonly foreignFields: ForeignFields;
  /** What others may have beside what is declared, whatever `foreignFields` says. */
  readonly tolerated: readonly Concession[];
}

const ONLY_AUTOSCALED: readonly Concession[] = [AUTOSCALED];

/** Cheap enough to be asked with each event: nothing of it is kept with the object. */
export function policyFor(
  { ignore = [], foreignFields: wish, allowManagers = [] }: DriftPolicy,
  { identity, policy }: { readonly identity: Identity; readonly policy: { readonly ssa: string } },
  declared: KubeObject,
): ObjectPolicy {
  // Its manifest says that others have a part in the object.
  const foreignFields = policy.ssa === 'Merge' ? 'Leave' : wish;
  const { paths, concessions } = ignoredFor(identity, declared.metadata.labels ?? {}, ignore);
  if (foreignFields === 'Leave' && concessions.length === 0)
    return { concessions: ONLY_AUTOSCALED, ignored: paths, foreignFields, tolerated: [] };
  const tolerated = [
    { managers: [...FOREIGN_MANAGERS, ...allowManagers] },
    AUTOSCALED,
    ...concessions,
    ...(paths.length > 0 ? [{ managers: ['*'], paths }] : []),
  ];
  return { concessions: [AUTOSCALED, ...concessions], ignored: paths, foreignFields, tolerated };
}
