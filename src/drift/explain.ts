import { isDeepStrictEqual } from 'node:util';
import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { differencesBelow, type Difference } from './compare.ts';
import { entriesOfOthers, formatPath, ownedBy, ownEntry, type FieldPath } from './fields.ts';
import type { Judgement } from './judge.ts';
import type { Key } from './key-index.ts';
import { childOf, itemKeyIn, itemsIn, nodeAt, resolveDeclared, stepInto } from './lookup.ts';
import { ownerInOtherVersion, ownerOf } from './managers.ts';

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
  /** How often it is changed, `2/min`, while somebody fights over it: see rivalry.ts. */
  readonly rate?: string;
}

/** The whole object was deleted; the server keeps no record of who did it. */
export const OBJECT_GONE: DriftedField = { path: '', declared: 'present', live: undefined, operation: 'Removed' };

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
  const foreign = entriesOfOthers(live, ourManager);
  const theirs = ownedBy(foreign);
  const ours = ownEntry(live, ourManager)?.fieldsV1 ?? {};
  return paths.flatMap((path) => {
    const whole = { path, declared: resolveDeclared(declared, path), live: resolveLost(live, path, ours) };
    return refine(whole, theirs).map((difference) => told(difference, foreign, declared.apiVersion));
  });
}

/** As `explain`, for values that differ although we own them: admission rewrote them, or somebody wrote under our name. */
export function explainValues(found: readonly Difference[]): DriftedField[] {
  return found.map(({ path, declared, live }) => ({ path: formatPath(path), declared, live }));
}

/** What a judgement says of the fields, for every judgement that leads to an apply. */
export function explainJudgement(
  judgement: Judgement,
  declared: KubeObject,
  live: KubeObject,
  ourManager: string,
): DriftedField[] {
  switch (judgement.kind) {
    case 'lost':
    case 'surplus':
      return explain(judgement.paths, declared, live, ourManager);
    case 'unowned': {
      const foreign = entriesOfOthers(live, ourManager);
      return judgement.differences.map((difference) => told(difference, foreign));
    }
    case 'versionChanged':
      return [{ path: '/apiVersion', declared: declared.apiVersion, live: judgement.from }];
    case 'gone':
      return [OBJECT_GONE];
    case 'inSync':
    case 'surrendered':
    case 'valuesDiffer':
    case 'terminating':
      return [];
  }
}

/**
 * `theirs`: what the other managers own, together. Where nothing differs but what stands beside the declared (defaults, what others
 * added), the live value is the declared one.
 */
function refine(whole: Difference, theirs: FieldsV1): Difference[] {
  const shape = nodeAt(theirs, whole.path);
  const finer = differencesBelow(whole.declared, whole.live, shape, whole.path, isDeepStrictEqual);
  return finer.length > 0 ? finer : [{ ...whole, live: whole.declared }];
}

/**
 * The live value at a lost path. Its key may be shorter than the server's, so that several items fit: those that are still
 * ours under their full key are other items (port 53/UDP when 53, which means 53/TCP, was lost).
 */
function resolveLost(live: unknown, path: FieldPath, ours: FieldsV1): unknown {
  let value = live;
  let node: FieldsV1 | undefined = ours;
  for (const step of path) {
    if ('key' in step && Array.isArray(value)) {
      const owned: FieldsV1 = node ?? {};
      value = itemsIn(value, step.key).find((item) => !isOtherOfOurs(item, step.key, owned));
    } else {
      value = stepInto(value, step);
    }
    node = node && childOf(node, step);
  }
  return value;
}

/** Is the item ours under another key than this one? */
function isOtherOfOurs(item: unknown, key: Key, owned: FieldsV1): boolean {
  const full = itemKeyIn(owned, item);
  return full !== undefined && !isDeepStrictEqual(full, key);
}

/** `apiVersion`: of the paths, where somebody may own them by the names of another version. */
export function told(
  { path, declared, live }: Difference,
  foreign: readonly ManagedFieldsEntry[],
  apiVersion?: string,
): DriftedField {
  const isElsewhere = apiVersion !== undefined && live !== undefined;
  const owner = ownerOf(path, foreign) ?? (isElsewhere ? ownerInOtherVersion(path, foreign, apiVersion) : undefined);
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
