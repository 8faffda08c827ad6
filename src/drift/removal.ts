import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { ownable } from './coverage.ts';
import { formatPath, isApplyOf, isLeaf, isWithin, ownedBy, stepOf, type FieldPath } from './fields.ts';
import type { ForeignField, ForeignInput } from './foreign.ts';
import { childOf, nodeAt, placeIn, resolveDeclared, stepInto } from './lookup.ts';

/** One operation of a JSON patch (RFC 6902). */
export interface Removal {
  readonly op: 'remove';
  readonly path: string;
}

/**
 * The JSON patch that takes these foreign fields out of the very object that they were found in; it must be guarded by its
 * resourceVersion, because list items go by their place. A map or list of which nothing else would be left goes with them.
 *
 * Server-side apply cannot do it: what another manager owns stays when we let go of it, so its ownership would have to be
 * taken first by another write, and an object that then refuses the change would be left with fields that we own and nobody
 * declared. A patch is carried out as a whole or not at all.
 */
export function removal({ declared, live, manager }: ForeignInput, fields: readonly ForeignField[]): Removal[] {
  const entries = live.metadata.managedFields ?? [];
  const held = ownedBy(entries.filter(({ subresource }) => subresource !== 'status'));
  const ours = ownedBy(entries.filter((entry) => isApplyOf(entry, manager)));
  const root = ownable(declared);
  const foreign = new Set(fields.map(({ path }) => formatPath(path)));

  const known = new Map<string, boolean>();
  const isWhole = (path: FieldPath, node: FieldsV1 | undefined): boolean => {
    const text = formatPath(path);
    if (foreign.has(text)) return true;
    const is = known.get(text) ?? isWholeBelow(path, node);
    known.set(text, is);
    return is;
  };
  const isWholeBelow = (path: FieldPath, node: FieldsV1 | undefined): boolean => {
    if (!node || nodeAt(ours, path) || resolveDeclared(root, path) !== undefined) return false;
    const steps = Object.keys(node).flatMap((trieKey) => stepOf(trieKey) ?? []);
    return steps.length > 0 && steps.every((step) => isWhole([...path, step], childOf(node, step)));
  };
  const lifted = fields.map(({ path }) => {
    let top = path;
    // Not the fields right below the root: a kind can ask for its `spec`.
    while (top.length > 2 && isWhole(top.slice(0, -1), nodeAt(held, top.slice(0, -1)))) top = top.slice(0, -1);
    return { top, text: formatPath(top) };
  });
  const texts = new Set(lifted.map(({ text }) => text));
  const tops = new Map(
    lifted.filter(({ top }) => !isWithin(top.slice(0, -1), texts)).map(({ top, text }) => [text, top]),
  );
  const places = [...tops.values()].map((path) => placeOf(live, path));
  return places.sort(fromTheEnd).map((place) => ({ op: 'remove', path: pointer(place) }));
}

/**
 * The managedFields without any claim of others to these fields. For a default that somebody holds: the server puts back what a
 * patch removes, finds nothing changed, and leaves it his.
 */
export function disowned(
  live: KubeObject,
  manager: string,
  fields: readonly ForeignField[],
): readonly ManagedFieldsEntry[] {
  const { managedFields = [] } = live.metadata;
  return managedFields.flatMap((entry) => {
    if (isApplyOf(entry, manager) || !entry.fieldsV1) return [entry];
    const left = fields.reduce((trie, { path }) => withoutPath(trie, path), entry.fieldsV1);
    return isLeaf(left) ? [] : [{ ...entry, fieldsV1: left }];
  });
}

/** An emptied node goes as well: it would claim all that is below it. */
function withoutPath(trie: FieldsV1, [step, ...rest]: FieldPath): FieldsV1 {
  const child = step && childOf(trie, step);
  if (!child) return trie;
  const left = rest.length > 0 ? withoutPath(child, rest) : {};
  const entries = Object.entries(trie).map(([key, node]) => [key, node === child ? left : node] as const);
  return Object.fromEntries(entries.filter(([, node]) => node !== left || !isLeaf(left)));
}

type Place = readonly (string | number)[];

/** The names and indexes of a path in the object that it was found in. */
function placeOf(live: KubeObject, path: FieldPath): Place {
  let value: unknown = live;
  return path.map((step) => {
    const child = stepInto(value, step);
    const place = placeIn(value, step, child)!;
    value = child;
    return place;
  });
}

/** Later items first, so that the indexes of the earlier ones stay right. */
function fromTheEnd(a: Place, b: Place): number {
  for (const [depth, first] of a.entries()) {
    const second = b[depth];
    if (first === second) continue;
    if (typeof first === 'number' && typeof second === 'number') return second - first;
    return String(first) < String(second) ? 1 : -1;
  }
  return 0;
}

function pointer(place: Place): string {
  return place.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
