import type { KubeObject } from '../kube/object.ts';
import { differences, type Difference } from './compare.ts';
import { formatPath, isMap, isWithin, ownedBy, type FieldPath, type FieldStep } from './fields.ts';
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
  const ignoredIn = (difference: Difference): Difference[] => {
    const how = isWithin(difference.path, held) ? 'all' : reachOf(paths, whole, difference.path);
    if (how === 'all') return [difference];
    return how === 'part' ? goneBelow(difference).flatMap(ignoredIn) : [];
  };
  const found = differences(whole, live, ownedBy(entries)).flatMap(ignoredIn);
  return rewritten(found).map((difference) => told(difference, entries));
}

/** The same, one step further down, of a field that is gone with everything below it. */
function goneBelow({ path, declared, live }: Difference): Difference[] {
  const isGone = live === undefined || live === null || (Array.isArray(live) && live.length === 0);
  if (!isGone || typeof declared !== 'object' || declared === null) return [];
  const steps: [FieldStep, unknown][] = Array.isArray(declared)
    ? declared.map((item: unknown, index) => [isMap(item) ? { index } : { value: item }, item])
    : Object.entries(declared).map(([field, value]) => [{ field }, value]);
  return steps.map(([step, value]) => ({ path: [...path, step], declared: value, live: undefined }));
}
