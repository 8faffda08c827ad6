import type { KubeObject } from '../kube/object.ts';
import { differences } from './compare.ts';
import { formatPath, isBelow, parsePath, unionOf, type FieldPath } from './fields.ts';
import { told, type DriftedField } from './explain.ts';
import { rewritten } from './notation.ts';
import { reach } from './surrender.ts';

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
  const trie = unionOf(entries.flatMap(({ fieldsV1 }) => (fieldsV1 ? [fieldsV1] : [])));
  const given = { managers: [], paths: paths.filter((path) => parsePath(path)) };
  const held = surrendered.map(formatPath);
  const isIgnored = (path: FieldPath): boolean =>
    held.some((above) => isBelow(formatPath(path), above)) ||
    (given.paths.length > 0 && reach(given, whole, path) === 'all');
  return rewritten(differences(whole, live, trie).filter(({ path }) => isIgnored(path))).map((difference) =>
    told(difference, entries),
  );
}
