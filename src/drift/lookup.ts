// What a step means in a value, and in a trie. Who pushes decides how long a list is, and each of its items may be asked for: long
// lists and nodes are looked through once, and must not change afterwards.
import type { FieldsV1 } from '../kube/object.ts';
import { once } from '../once.ts';
import { fieldOf, isLeaf, isMap, stepOf, trieItems, type FieldPath, type FieldStep } from './fields.ts';
import { KeyIndex, saidOf, type Key } from './key-index.ts';

type List = readonly unknown[];

/** Above this length an index pays for itself; below it a scan is faster. */
const SCAN_LIMIT = 16;

/** The item of a list that has these values in its key fields, the first one; undefined when there is none, or no list. */
export function itemIn(list: unknown, key: Key): unknown {
  if (!Array.isArray(list)) return undefined;
  if (list.length > SCAN_LIMIT) return itemsOf(list).having(key)[0];
  return list.find((item) => has(item, key)) as unknown;
}

/** All of them, in order. */
export function itemsIn(list: List, key: Key): List {
  return list.length > SCAN_LIMIT ? itemsOf(list).having(key) : list.filter((item) => has(item, key));
}

/** Is the value a member of the list? */
export function isMember(list: unknown, value: unknown): boolean {
  if (!Array.isArray(list)) return false;
  return list.length > SCAN_LIMIT ? membersOf(list).has(value) : list.includes(value);
}

/** The value that a step leads to; undefined when there is none. */
export function stepInto(value: unknown, step: FieldStep): unknown {
  if ('field' in step) return fieldOf(value, step.field);
  if ('key' in step) return itemIn(value, step.key);
  if ('value' in step) return isMember(value, step.value) ? step.value : undefined;
  return Array.isArray(value) ? (value[step.index] as unknown) : undefined;
}

/** The value at a path, or undefined when it is not there. */
export function resolve(object: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>(stepInto, object);
}

/**
 * The declared value at a path whose list keys may be completed by the server: the item says nothing against the key, and
 * items that say all of it come first.
 */
export function resolveDeclared(declared: unknown, path: FieldPath): unknown {
  let value = declared;
  for (const step of path) {
    const exact = stepInto(value, step);
    if (exact !== undefined || !('key' in step) || !Array.isArray(value)) value = exact;
    else value = value.length > SCAN_LIMIT ? itemsOf(value).unopposed(step.key) : unopposedIn(value, step.key);
  }
  return value;
}

/**
 * As `resolveDeclared`, beside what we own: a declared item that we hold under the key that the server made of it is that one
 * and no other (port 53, held as 53/TCP, is not 53/UDP).
 */
export function resolveBeside(declared: unknown, path: FieldPath, ours: FieldsV1): unknown {
  let value = declared;
  let node: FieldsV1 | undefined = ours;
  for (const step of path) {
    const child = resolveDeclared(value, [step]);
    if ('key' in step && node && isHeldAsOther(value, child, step.key, node)) return undefined;
    node = node && childOf(node, step);
    value = child;
  }
  return value;
}

/** Do we hold this item of the list under a key that is not this one, and that no other item says? */
function isHeldAsOther(list: unknown, item: unknown, key: Key, node: FieldsV1): boolean {
  if (item === undefined || itemIn(list, key) === item || childOf(node, { key })) return false;
  const held = trieItemsOf(node);
  return held.having(saidOf(item, held.names)).some((one) => itemIn(list, one.key) === undefined);
}

/** Does it say all of the key? */
function has(item: unknown, key: Key): boolean {
  for (const name in key) if (fieldOf(item, name) !== key[name]) return false;
  return true;
}

/** The first item that contradicts nothing of the key. */
function unopposedIn(list: List, key: Key): unknown {
  return list.find((item) =>
    Object.entries(key).every(([name, value]) => {
      const said = fieldOf(item, name) ?? undefined;
      return said === undefined || said === value;
    }),
  );
}

/**
 * The names or indexes that a step of a rule means in this very value. A rule is written by hand: `*` means every item of a
 * list, and its values are text.
 */
export function placesOf(value: unknown, step: FieldStep): readonly (string | number)[] {
  if (!Array.isArray(value))
    return 'field' in step && isMap(value) && Object.hasOwn(value, step.field) ? [step.field] : [];
  if ('field' in step && step.field === '*') return value.map((_, place) => place);
  const place = placeOf(value, step);
  return place === undefined ? [] : [place];
}

/** The name or index of what a step has led to. */
export function placeIn(value: unknown, step: FieldStep, child: unknown): string | number | undefined {
  if (Array.isArray(value)) return value.length > SCAN_LIMIT ? placesOfItems(value).get(child) : value.indexOf(child);
  return 'field' in step ? step.field : undefined;
}

function placeOf(list: List, step: FieldStep): number | undefined {
  if ('value' in step) return placesByTextOf(list).get(String(step.value));
  if ('key' in step) return placeOfItem(list, step.key);
  const place = 'index' in step ? step.index : Number(step.field);
  const isPlace = Number.isInteger(place) && place >= 0 && place < list.length;
  return isPlace && ('index' in step || String(place) === step.field) ? place : undefined;
}

/**
 * A manifest may leave out key fields that the server fills in: where no item says all of the key, the first one is meant that
 * says some of it and nothing else.
 */
function placeOfItem(list: List, key: Key): number | undefined {
  const named = namedPlacesOf(list);
  const [exact] = named.having(key);
  if (exact) return exact.place;
  const fitting = named.unopposed(key);
  return Object.keys(key).some((name) => fieldOf(fitting?.item, name) != null) ? fitting?.place : undefined;
}

/**
 * The node below `node` that a step leads to. A list item may be named by fewer key fields than the server uses (a manifest
 * leaves defaulted ones out), so a key matches when nothing that it says is contradicted.
 */
export function childOf(node: FieldsV1, step: FieldStep): FieldsV1 | undefined {
  if ('field' in step) return node[`f:${step.field}`];
  if ('index' in step) return node[`i:${step.index}`];
  // As the server mostly writes it.
  const direct = 'key' in step ? `k:${JSON.stringify(step.key)}` : `v:${JSON.stringify(step.value)}`;
  if (Object.hasOwn(node, direct)) return node[direct];
  return 'key' in step ? trieItemsOf(node).having(step.key)[0]?.node : trieValuesOf(node).get(step.value);
}

/** The node of a path; undefined where the trie says nothing of just that path. */
export function nodeAt(trie: FieldsV1, path: FieldPath): FieldsV1 | undefined {
  return path.reduce<FieldsV1 | undefined>((node, step) => node && childOf(node, step), trie);
}

/** The key under which a list's node names this item; undefined when it does not. */
export function itemKeyIn(node: FieldsV1, item: unknown): Key | undefined {
  const items = trieItemsOf(node);
  const key = Object.fromEntries(items.names.map((name) => [name, fieldOf(item, name)]));
  const isWhole = items.names.length > 0 && Object.values(key).every((value) => value !== undefined);
  return isWhole ? items.having(key)[0]?.key : undefined;
}

/** The node of a path or the atomic one above it; undefined where the trie says nothing of the path. */
export function nodeFor(trie: FieldsV1, path: FieldPath): FieldsV1 | undefined {
  let node = trie;
  for (const step of path) {
    const child = childOf(node, step);
    // To ask a long node whether it is empty takes V8 as long as to list it.
    if (!child) return node !== trie && isAtomic(node) ? node : undefined;
    node = child;
  }
  return node;
}

function firstPlaces<T>(list: readonly T[]): Map<T, number> {
  return new Map(list.map((item, place) => [item, place] as const).toReversed());
}

const itemsOf = once((list: List) => new KeyIndex(list, (item) => item));
const membersOf = once((list: List) => new Set(list));
const placesOfItems = once((list: List) => firstPlaces(list));
const placesByTextOf = once((list: List) => firstPlaces(list.map(String)));
const namedPlacesOf = once((list: List) => {
  const places = list.map((item, place) => ({ item, place }));
  return new KeyIndex(
    places,
    ({ item }) => item,
    (values) => JSON.stringify(values.map(String)),
  );
});
const trieItemsOf = once((node: FieldsV1) => new KeyIndex(trieItems(node), ({ key }) => key));
const trieValuesOf = once((node: FieldsV1) => {
  const children = new Map<unknown, FieldsV1>();
  for (const trieKey in node) {
    const step = stepOf(trieKey);
    if (step && 'value' in step && !children.has(step.value)) children.set(step.value, node[trieKey]!);
  }
  return children;
});
const isAtomic = once(isLeaf);
