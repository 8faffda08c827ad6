import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';

/** One step into an object: a field of a map, an item of an associative list, a member of a set, or a plain index. */
export type FieldStep =
  | { readonly field: string }
  | { readonly key: Readonly<Record<string, unknown>> }
  | { readonly value: unknown }
  | { readonly index: number };

/** From the root of the object; empty means the object itself. */
export type FieldPath = readonly FieldStep[];

/** A list item that a trie names, with what is owned below it. */
export interface TrieItem {
  readonly key: Readonly<Record<string, unknown>>;
  readonly node: FieldsV1;
}

/** The entry that server-side apply keeps for `manager`: it names each field that the manager declared and still owns. */
export function ownEntry(object: KubeObject, manager: string): ManagedFieldsEntry | undefined {
  return object.metadata.managedFields?.find((entry) => isApplyOf(entry, manager));
}

/** All entries but that one. */
export function entriesOfOthers(object: KubeObject, manager: string): ManagedFieldsEntry[] {
  return (object.metadata.managedFields ?? []).filter((entry) => !isApplyOf(entry, manager));
}

export function isApplyOf(entry: ManagedFieldsEntry, manager: string): boolean {
  return entry.manager === manager && entry.operation === 'Apply' && !entry.subresource;
}

/** A node without children: everything below is owned as one (a scalar, an atomic list or map, or an empty one). */
export function isLeaf(node: FieldsV1): boolean {
  for (const _ in node) return false;
  return true;
}

/**
 * The step that a trie key stands for; undefined for `.`, which says that the node itself is owned, and for a key that an API
 * server wrote which does not know how: that one covers nothing.
 */
export function stepOf(trieKey: string): FieldStep | undefined {
  switch (trieKey.slice(0, 2)) {
    case 'f:':
      return { field: trieKey.slice(2) };
    case 'k:': {
      const key = itemKey(trieKey);
      return key && { key };
    }
    case 'v:': {
      const value = parsed(trieKey);
      return value === undefined ? undefined : { value };
    }
    case 'i:':
      return { index: Number(trieKey.slice(2)) };
    default:
      return undefined;
  }
}

/** What stands behind `k:` and `v:`; undefined when it is not JSON. */
function parsed(trieKey: string): unknown {
  try {
    return JSON.parse(trieKey.slice(2));
  } catch {
    return undefined;
  }
}

/** Parsed once: the same few keys (`k:{"name":"app"}`) come with each event of each object. Bounded, then started afresh. */
const itemKeys = new Map<string, Readonly<Record<string, unknown>>>();
const MAX_ITEM_KEYS = 4096;

function itemKey(trieKey: string): Readonly<Record<string, unknown>> | undefined {
  const known = itemKeys.get(trieKey);
  if (known) return known;
  const key = parsed(trieKey);
  if (!isMap(key)) return undefined;
  if (itemKeys.size >= MAX_ITEM_KEYS) itemKeys.clear();
  itemKeys.set(trieKey, key);
  return key;
}

/** The associative items below a list's node; empty when the list is not associative or we own no item. */
export function trieItems(node: FieldsV1): TrieItem[] {
  const items: TrieItem[] = [];
  for (const trieKey in node) {
    const key = trieKey.startsWith('k:') ? itemKey(trieKey) : undefined;
    if (key) items.push({ key, node: node[trieKey]! });
  }
  return items;
}

/** The set members below a list's node. Parsed, because the server escapes `&`, `<` and `>` inside its keys. */
export function trieValues(node: FieldsV1): unknown[] {
  const values: unknown[] = [];
  for (const trieKey in node) {
    const value = trieKey.startsWith('v:') ? parsed(trieKey) : undefined;
    if (value !== undefined) values.push(value);
  }
  return values;
}

/** What all tries together own; says of each node whether it is a map, an associative list, a set or atomic. */
export function unionOf(tries: readonly FieldsV1[]): FieldsV1 {
  const union: FieldsV1 = {};
  for (const trie of tries) {
    for (const trieKey in trie)
      union[trieKey] = unionOf(union[trieKey] ? [union[trieKey], trie[trieKey]!] : [trie[trieKey]!]);
  }
  return union;
}

/** The same of what these entries own. */
export function ownedBy(entries: readonly ManagedFieldsEntry[]): FieldsV1 {
  return unionOf(entries.flatMap(({ fieldsV1 }) => (fieldsV1 ? [fieldsV1] : [])));
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own fields only: a field that is called `constructor` must not find the prototype's. */
export function fieldOf(value: unknown, name: string): unknown {
  return isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

const FIELD_ESCAPES = { '~': '~0', '/': '~1', '[': '~2' } as const;
const BRACKET_ESCAPES = { '~': '~0', ']': '~3', ',': '~4', '=': '~5' } as const;
const UNESCAPED: Readonly<Record<string, string>> = {
  '~0': '~',
  '~1': '/',
  '~2': '[',
  '~3': ']',
  '~4': ',',
  '~5': '=',
};

function escape(text: string, escapes: Readonly<Record<string, string>>): string {
  return text.replace(/[~/[\],=]/g, (character) => escapes[character] ?? character);
}

function unescape(text: string): string {
  return text.replace(/~[0-5]/g, (sequence) => UNESCAPED[sequence]!);
}

function scalarText(value: unknown): string {
  return escape(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), BRACKET_ESCAPES);
}

function formatStep(step: FieldStep): string {
  if ('field' in step) return `/${escape(step.field, FIELD_ESCAPES)}`;
  if ('value' in step) return `[=${scalarText(step.value)}]`;
  if ('index' in step) return `[${step.index}]`;
  const pairs = Object.entries(step.key).map(
    ([name, value]) => `${escape(name, BRACKET_ESCAPES)}=${scalarText(value)}`,
  );
  return `[${pairs.join(',')}]`;
}

/**
 * For people, and stable enough to be a map key: a JSON pointer in which list items are named by their keys,
 * `/spec/template/spec/containers[name=app]/image`, and set members by value, `/metadata/finalizers[=example.com/x]`.
 */
export function formatPath(path: FieldPath): string {
  return path.map(formatStep).join('');
}

/** Is the path one of these (as formatPath writes them), or below one? */
export function isWithin(path: FieldPath, tops: ReadonlySet<string>): boolean {
  let text = '';
  return tops.size > 0 && (tops.has(text) || path.some((step) => tops.has((text += formatStep(step)))));
}

function parseBracket(text: string): FieldStep {
  if (text.startsWith('=')) return { value: unescape(text.slice(1)) };
  if (text === '*') return { field: text };
  if (/^\d+$/.test(text)) return { index: Number(text) };
  const pairs = text.split(',').map((pair) => {
    const equals = pair.indexOf('=');
    return [unescape(pair.slice(0, equals)), unescape(pair.slice(equals + 1))] as const;
  });
  return { key: Object.fromEntries(pairs) };
}

/**
 * Reads a JSON pointer (RFC 6901) or what formatPath wrote. Values in brackets come back as text, and a plain number or `*`
 * as a field: only the object that it is applied to can tell (see ignore.ts). undefined when it is neither.
 */
export function parsePath(text: string): FieldPath | undefined {
  if (!/^(\/[^/[]*(\[[^\]]+\])*)+$/.test(text)) return undefined;
  const steps: FieldStep[] = [];
  for (const [, field, bracket] of text.matchAll(/\/([^/[]*)|\[([^\]]+)\]/g)) {
    steps.push(field === undefined ? parseBracket(bracket!) : { field: unescape(field) });
  }
  return steps;
}
