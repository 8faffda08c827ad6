import type { KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { differencesBelow, type Difference } from './compare.ts';
import { formatPath, isApplyOf, resolve, type FieldPath } from './fields.ts';
import { childOf, ownerOf, unionOf } from './managers.ts';

/** One field that somebody else changed, as status, events and the audit log tell it. Values are raw: mask before showing. */
export interface DriftedField {
  /** As formatPath writes it. */
  readonly path: string;
  readonly declared: unknown;
  /** undefined when the field is gone. */
  readonly live: unknown;
  /**
   * Who owns the field now. Absent when nobody does: the server keeps no record of who removed a field, or managedFields
   * was cleared; a guess from the other entries would accuse somebody.
   */
  readonly manager?: string;
  /** The owner's way of writing; `Removed` when the field is gone and nobody owns it. */
  readonly operation?: 'Apply' | 'Update' | 'Removed';
  /** Set when the owner wrote through a subresource, for instance `scale`. */
  readonly subresource?: string;
  /** When the owner last wrote (RFC 3339, whole seconds). */
  readonly time?: string;
}

/**
 * Says of each lost path (from `uncovered`) what was declared, what is live, and who owns it now. A lost path is the
 * topmost one; where the other managers' entries show what is below, it is told field by field: `/metadata/labels/team`
 * instead of all labels. A path that was taken and set to the declared value again stands with two equal values.
 */
export function explain(
  paths: readonly FieldPath[],
  declared: KubeObject,
  live: KubeObject,
  ourManager: string,
): DriftedField[] {
  const foreign = (live.metadata.managedFields ?? []).filter((entry) => !isApplyOf(entry, ourManager));
  return paths.flatMap((path) => refine(path, declared, live, foreign).map((difference) => told(difference, foreign)));
}

/** As `explain`, for values that differ although we own them: admission rewrote them, or somebody wrote under our name. */
export function explainValues(found: readonly Difference[]): DriftedField[] {
  return found.map(({ path, declared, live }) => ({ path: formatPath(path), declared, live }));
}

function refine(
  path: FieldPath,
  declared: KubeObject,
  live: KubeObject,
  foreign: readonly ManagedFieldsEntry[],
): Difference[] {
  const whole = { path, declared: resolveDeclared(declared, path), live: resolve(live, path) };
  const tries = foreign.flatMap((entry) => (entry.fieldsV1 ? [entry.fieldsV1] : []));
  let shape = unionOf(tries);
  for (const step of path) shape = childOf(shape, step) ?? {};
  const finer = differencesBelow(whole.declared, whole.live, Object.keys(shape).length > 0 ? shape : undefined, path);
  return finer.length > 0 ? finer : [whole];
}

function told({ path, declared, live }: Difference, foreign: readonly ManagedFieldsEntry[]): DriftedField {
  const owner = ownerOf(path, foreign);
  const field = { path: formatPath(path), declared, live };
  if (!owner) return live === undefined ? { ...field, operation: 'Removed' } : field;
  const { manager, operation, subresource, time } = owner;
  return {
    ...field,
    ...(manager !== undefined && { manager }),
    ...(operation && { operation }),
    ...(subresource && { subresource }),
    ...(time !== undefined && { time }),
  };
}

/**
 * The declared value at a path whose list keys may be completed by the server: the item says nothing against the key, and
 * items that say all of it come first.
 */
export function resolveDeclared(declared: unknown, path: FieldPath): unknown {
  let value = declared;
  for (const step of path) {
    const exact = resolve(value, [step]);
    if (exact !== undefined || !('key' in step) || !Array.isArray(value)) value = exact;
    else value = value.find((item: unknown) => isShortFor(item, step.key));
  }
  return value;
}

function isShortFor(item: unknown, key: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(key).every(([name, value]) => {
    const said = resolve(item, [{ field: name }]);
    return said === undefined || said === null || said === value;
  });
}
