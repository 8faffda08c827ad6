import type { KubeObject } from '../kube/object.ts';
import { differences } from './compare.ts';
import { formatPath, isWithin, ownedBy, type FieldPath } from './fields.ts';
import { told, type DriftedField } from './explain.ts';
import { rewritten } from './notation.ts';
import { reachOf } from './patterns.ts';

/** What differs from Git without being drift. Values are raw: mask before showing. */
export interface Beside {
  /** Declared fields that are left to others and have another value than in Git. */
  readonly ignored: readonly DriftedField[];
  /** Fields that others added, where the source wants to hear of them. */
  readonly foreign: readonly DriftedField[];
}

export const NOTHING_BESIDE: Beside = { ignored: [], foreign: [] };

/**
 * The fields that are left to others, as far as their values differ from the declared ones. `whole` is the object as Git has
 * it, with what is given up; `paths` are what is given up for good (as in `spec.drift.ignore`), `surrendered` what somebody
 * holds now.
 */
export function ignoredFields(
  whole: KubeObject,
  live: KubeObject,
  { paths, surrendered }: { paths: readonly string[]; surrendered: readonly FieldPath[] },
): DriftedField[] {
  if (paths.length === 0 && surrendered.length === 0) return [];
  const entries = live.metadata.managedFields ?? [];
  const held = new Set(surrendered.map(formatPath));
  const isIgnored = (path: FieldPath): boolean => isWithin(path, held) || reachOf(paths, whole, path) === 'all';
  return rewritten(differences(whole, live, ownedBy(entries)).filter(({ path }) => isIgnored(path))).map((difference) =>
    told(difference, entries),
  );
}
