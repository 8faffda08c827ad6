import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { fieldOf, isLeaf, isMap, parsePath, stepOf, trieItems, type FieldPath } from './fields.ts';
import { isIdentity } from './ignore.ts';
import { childOf, isMember, itemIn, placesOf, resolveDeclared } from './lookup.ts';
import { pairItems } from './pairs.ts';

/**
 * Only the fields at these paths, with the object's identity: the smallest apply that makes another manager
 * (`plumbline-initial`) co-owner of them before we leave them out. To leave out a field that we alone own would reset it.
 *
 * `fields` is our own entry: it holds the complete keys of list items, and says which nodes are atomic (those are handed
 * over whole). A path that the entry does not cover is already somebody else's and is left out. `live` has the values; its items may
 * stand in another order than those that the paths are about. undefined: nothing to hand over.
 */
export function pick(
  declared: KubeObject,
  pointers: readonly string[],
  fields: FieldsV1,
  live: KubeObject = declared,
): KubeObject | undefined {
  const { apiVersion, kind, metadata } = declared;
  const identity = { name: metadata.name, ...(metadata.namespace !== undefined && { namespace: metadata.namespace }) };
  const empty: KubeObject = { apiVersion, kind, metadata: identity };
  const picked = withPicked(empty, { declared, live }, pointers, fields);
  return picked === empty ? undefined : picked;
}

/** `target`, which was picked before, with these fields as well; `target` itself when there are none. */
export function withPicked(
  target: KubeObject,
  from: { readonly declared: KubeObject; readonly live: KubeObject },
  pointers: readonly string[],
  fields: FieldsV1,
): KubeObject {
  // Never a leaf: without fields of ours there is nothing to hand over.
  const root = { '.': {}, ...fields };
  let picked: unknown = target;
  for (const pointer of pointers) {
    const path = parsePath(pointer);
    if (path && !isIdentity(path)) picked = graft(picked, from, path, root);
  }
  return picked as KubeObject;
}

/**
 * The leaves of one entry that another does not own as well; `others` undefined: all of them. What is below an empty node of the
 * other one is not its own: where there is something below, the node is a map that was applied empty, not an atomic one.
 */
export function leavesOutside(fields: FieldsV1, others: FieldsV1 | undefined, path: FieldPath = []): FieldPath[] {
  if (isLeaf(fields)) return others ? [] : [path];
  return Object.entries(fields).flatMap(([trieKey, node]) => {
    const step = stepOf(trieKey);
    return step ? leavesOutside(node, others?.[trieKey], [...path, step]) : [];
  });
}

/** The same place in both objects. */
interface Place {
  readonly declared: unknown;
  readonly live: unknown;
}

/** `target` with the live part of `source` at `path`; `target` itself when there is none that `node` covers. */
function graft(target: unknown, source: Place, path: FieldPath, node: FieldsV1): unknown {
  const [step, ...rest] = path;
  const { declared, live } = source;
  if (!step || isLeaf(node)) return live === undefined ? target : live;
  if (Array.isArray(declared))
    return graftItems(target, { declared, live }, placesOf(declared, step).map(Number), rest, node);
  if (!('field' in step) || !isMap(declared) || !Object.hasOwn(declared, step.field)) return target;
  const child = node[`f:${step.field}`];
  if (!child) return target;
  const before = fieldOf(target, step.field);
  const below = { declared: declared[step.field], live: fieldOf(live, step.field) };
  const after = graft(before, below, rest, child);
  return after === before ? target : { ...(target as object | undefined), [step.field]: after };
}

/** `target` with what is covered of the declared items at these places; the same for each of them. */
function graftItems(
  target: unknown,
  { declared, live }: { declared: readonly unknown[]; live: unknown },
  places: readonly number[],
  rest: FieldPath,
  node: FieldsV1,
): unknown {
  const before: readonly unknown[] = Array.isArray(target) ? target : [];
  const pairs = pairItems(declared, trieItems(node));
  const changed = new Map<unknown, unknown>();
  const added = new Set<unknown>();
  for (const place of places) {
    const [item, pair] = [declared[place], pairs[place]];
    // Without a key it is a member of a set, which is its own key.
    if (!pair) {
      if (childOf(node, { value: item }) && !isMember(before, item)) added.add(item);
      continue;
    }
    const known = itemIn(before, pair.key);
    const grown = graft(known, { declared: item, live: resolveDeclared(live, [{ key: pair.key }]) }, rest, pair.node);
    if (grown === known) continue;
    if (known === undefined) added.add({ ...pair.key, ...(grown as object) });
    else changed.set(known, grown);
  }
  if (changed.size === 0 && added.size === 0) return target;
  return [...before.map((item) => changed.get(item) ?? item), ...added];
}
