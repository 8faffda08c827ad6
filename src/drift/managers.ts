import type { FieldsV1, ManagedFieldsEntry } from '../kube/object.ts';
import { isLeaf, type FieldPath } from './fields.ts';
import { childOf, nodeFor } from './lookup.ts';

/**
 * Who may take `spec.replicas` through the scale subresource without it being drift. The horizontal autoscaler runs inside
 * kube-controller-manager; KEDA and the others write under their own names. A person's `kubectl scale` is not among them.
 */
export const AUTOSCALER_MANAGERS: readonly string[] = [
  'kube-controller-manager',
  'horizontal-pod-autoscaler*',
  'hpa-*',
  'keda',
  'keda-*',
  'vpa-*',
  'cluster-proportional-autoscaler*',
];

/** Manager patterns are names in which `*` stands for any text. */
export function matchesAny(patterns: readonly string[], manager: string | undefined): boolean {
  return manager !== undefined && patterns.some((pattern) => matches(pattern, manager));
}

/** In time proportional to the lengths: patterns come from whoever writes a source, and one must not stop the process. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}

/**
 * Which entry owns a path now: the path itself, an atomic node above it, or something below it. The closest wins (`exact`
 * before `below`), then the latest, then the last in the server's order. undefined when nobody does.
 */
export function ownerOf(path: FieldPath, entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry | undefined {
  let best: { entry: ManagedFieldsEntry; rank: number } | undefined;
  for (const entry of entries) {
    const rank = entry.fieldsV1 ? ownership(path, entry.fieldsV1) : 0;
    if (rank === 0 || (best && rank < best.rank)) continue;
    const older = best && rank === best.rank && (entry.time ?? '') < (best.entry.time ?? '');
    if (!older) best = { entry, rank };
  }
  return best?.entry;
}

/**
 * Who owns a path under the names of another version of the kind, where conversion may call it otherwise: the manager of all
 * entries in other versions than this one that hold anything in the same part of the object (`spec`). undefined when there are
 * several such managers, or none: which of them it was cannot be told.
 */
export function ownerInOtherVersion(
  path: FieldPath,
  entries: readonly ManagedFieldsEntry[],
  apiVersion: string,
): ManagedFieldsEntry | undefined {
  const [part] = path;
  const others = entries.filter(({ apiVersion: theirs, subresource, fieldsV1 = {} }) => {
    const isOther = theirs !== undefined && theirs !== apiVersion && subresource === undefined;
    return isOther && part !== undefined && childOf(fieldsV1, part) !== undefined;
  });
  const [first, ...rest] = others.toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
  return rest.every(({ manager }) => manager === first?.manager) ? first : undefined;
}

/** 2: the path or an atomic node above it; 1: only something below it; 0: nothing. */
function ownership(path: FieldPath, fields: FieldsV1): 0 | 1 | 2 {
  const node = nodeFor(fields, path);
  if (!node) return 0;
  return '.' in node || isLeaf(node) ? 2 : 1;
}
