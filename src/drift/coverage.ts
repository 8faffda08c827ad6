import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { declaredKey, pairItems } from './pairs.ts';
import { isLeaf, isMap, stepOf, trieItems, trieValues, type FieldPath } from './fields.ts';
import { childOf, isMember } from './lookup.ts';

/** Never in anybody's managedFields: the server strips them from every entry (structured-merge-diff's strip set). */
const UNOWNABLE_METADATA: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
]);
/** `status` belongs to its own endpoint; what a manifest says there is reset before fields are counted. */
const UNOWNABLE_ROOT: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'status']);

/** The declared object without what nobody can own; the root of every walk beside a trie. */
export function ownable(declared: KubeObject): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(declared)) if (!UNOWNABLE_ROOT.has(name)) root[name] = value;
  root['metadata'] = Object.fromEntries(
    Object.entries(declared.metadata).filter(([name]) => !UNOWNABLE_METADATA.has(name)),
  );
  return root;
}

/**
 * The declared fields that our managedFields entry does not cover: whatever somebody else changed or removed, because a
 * change of a declared value takes its path away from us. Each path is the topmost one that is missing: below it nothing is
 * ours, and whether the node is atomic is no longer known. In order of declaration.
 *
 * Nulls and empty maps count: the server owns them (`strategy: {}` is `f:strategy`), although it may not give them back.
 * Empty lists do not: of an empty associative list or set the server owns nothing, and which kind it is shows nowhere. What
 * happens to those is found by their values.
 *
 * `others` is what the other managers own, together. It tells an atomic map from one whose fields were all taken from us:
 * both are an empty node in our entry.
 */
export function uncovered(declared: KubeObject, fields: FieldsV1, others: FieldsV1 = {}): FieldPath[] {
  const missing: FieldPath[] = [];
  const { metadata, ...rest } = ownable(declared);
  // An object that declares nothing there has no `f:metadata`, so the metadata itself is never what is missing.
  const ownMetadata = { '.': {}, ...fields['f:metadata'] };
  descend(metadata, ownMetadata, others['f:metadata'], [{ field: 'metadata' }], missing);
  descend(rest, { '.': {}, ...fields }, others, [], missing);
  return missing;
}

/** `node` covers `value`; finds what is missing below. */
function descend(
  value: unknown,
  node: FieldsV1,
  others: FieldsV1 | undefined,
  path: FieldPath,
  missing: FieldPath[],
): void {
  const isWhole = isLeaf(node) && (others === undefined || isLeaf(others));
  if (isWhole) return;
  if (Array.isArray(value)) return descendList(value, node, others, path, missing);
  if (!isMap(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const childNode = node[`f:${name}`];
    const childPath = [...path, { field: name }];
    if (childNode) descend(child, childNode, others?.[`f:${name}`], childPath, missing);
    else if (!(Array.isArray(child) && child.length === 0)) missing.push(childPath);
  }
}

function descendList(
  list: readonly unknown[],
  node: FieldsV1,
  others: FieldsV1 | undefined,
  path: FieldPath,
  missing: FieldPath[],
): void {
  const owned = trieItems(node);
  if (owned.length > 0) {
    for (const [index, pair] of pairItems(list, owned).entries()) {
      const key = pair?.key ?? declaredKey(list[index], owned);
      if (pair) descend(list[index], pair.node, others && childOf(others, { key }), [...path, { key }], missing);
      else missing.push([...path, { key }]);
    }
    return;
  }
  const members = trieValues(node);
  if (members.length === 0 && list.length > 0) missing.push(path);
  else for (const value of list) if (!isMember(members, value)) missing.push([...path, { value }]);
}

/**
 * The opposite: fields that our entry holds and that are not declared. They were declared once (a commit that came while
 * nobody was watching, a predecessor's fields folded into ours) and one apply removes them. Topmost paths again.
 */
export function surplus(declared: KubeObject, fields: FieldsV1): FieldPath[] {
  const extra: FieldPath[] = [];
  surplusBelow(ownable(declared), fields, [], extra);
  return extra;
}

function surplusBelow(value: unknown, node: FieldsV1, path: FieldPath, extra: FieldPath[]): void {
  const items = Array.isArray(value) ? trieItems(node) : [];
  const pairs = Array.isArray(value) ? pairItems(value, items) : [];
  let places: Map<FieldsV1 | undefined, number> | undefined;
  for (const trieKey in node) {
    const step = stepOf(trieKey);
    if (!step) continue;
    const child = node[trieKey]!;
    if ('key' in step) {
      places ??= new Map(pairs.map((pair, index) => [pair?.node, index]));
      const index = places.get(child);
      if (index === undefined) extra.push([...path, step]);
      else surplusBelow((value as unknown[])[index], child, [...path, step], extra);
    } else if ('value' in step) {
      if (!isMember(value, step.value)) extra.push([...path, step]);
    } else if ('field' in step) {
      if (!isMap(value) || !Object.hasOwn(value, step.field)) extra.push([...path, step]);
      else surplusBelow(value[step.field], child, [...path, step], extra);
    }
  }
}
