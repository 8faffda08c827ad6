import { isDeepStrictEqual } from 'node:util';
import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { differencesBelow, type Difference } from './compare.ts';
import { childOf, formatPath, isApplyOf, ownEntry, resolve, trieItems, unionOf, type FieldPath } from './fields.ts';
import type { Judgement } from './judge.ts';
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
  const foreign = foreignEntries(live, ourManager);
  const ours = ownEntry(live, ourManager)?.fieldsV1 ?? {};
  return paths.flatMap((path) => {
    const whole = { path, declared: resolveDeclared(declared, path), live: resolveLost(live, path, ours) };
    return refine(whole, foreign).map((difference) => told(difference, foreign, declared.apiVersion));
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
    case 'unowned':
      return judgement.differences.map((difference) => told(difference, foreignEntries(live, ourManager)));
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

function foreignEntries(live: KubeObject, ourManager: string): ManagedFieldsEntry[] {
  return (live.metadata.managedFields ?? []).filter((entry) => !isApplyOf(entry, ourManager));
}

function refine(whole: Difference, foreign: readonly ManagedFieldsEntry[]): Difference[] {
  const tries = foreign.flatMap((entry) => (entry.fieldsV1 ? [entry.fieldsV1] : []));
  let shape: FieldsV1 | undefined = unionOf(tries);
  for (const step of whole.path) shape = shape && childOf(shape, step);
  const finer = differencesBelow(whole.declared, whole.live, shape, whole.path, isDeepStrictEqual);
  return finer.length > 0 ? finer : [whole];
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
      const kept = trieItems(node ?? {}).filter(({ key }) => !isDeepStrictEqual(key, step.key));
      const free = value.filter((item) => !kept.some(({ key }) => resolve([item], [{ key }]) !== undefined));
      value = resolve(free, [step]);
    } else {
      value = resolve(value, [step]);
    }
    node = node && childOf(node, step);
  }
  return value;
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
