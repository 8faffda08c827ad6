import { isMap, type Value } from './node.ts';
import type { RenderProblem } from './declared.ts';
import type { Document } from './yaml.ts';

/** One object of a file, not yet checked, with the line of each of its fields. */
export interface Manifest {
  value: { [key: string]: Value };
  line: number;
  lineOf: (path: readonly (string | number)[]) => number;
}

/**
 * The objects of one document as kubectl sees them: a document with `items` is a list, whatever its kind; items of a typed
 * list (`ConfigMapList`) that have neither kind nor apiVersion take them from the list.
 */
export function flatten(document: Document, file: string): { manifests: Manifest[]; problems: RenderProblem[] } {
  const { value, line, lineOf } = document;
  if (!isMap(value)) return refuse(file, line, 'the document is not a mapping');
  const { apiVersion = null, kind } = value;
  if (typeof kind !== 'string' || kind === '') return refuse(file, line, 'kind is missing or no text');
  if (!Object.hasOwn(value, 'items')) return { manifests: [{ value, line, lineOf }], problems: [] };
  const items = value['items'] ?? [];
  if (!Array.isArray(items)) return refuse(file, lineOf(['items']), 'items is not a list');
  const manifests: Manifest[] = [];
  const problems: RenderProblem[] = [];
  for (const [index, item] of items.entries()) {
    const itemLine = lineOf(['items', index]);
    const at = (path: readonly (string | number)[]) => lineOf(['items', index, ...path]);
    if (!isMap(item)) problems.push(...refuse(file, itemLine, 'an item of the list is not a mapping').problems);
    else if (Object.hasOwn(item, 'items')) problems.push(...refuse(file, itemLine, 'a list inside a list').problems);
    else manifests.push({ value: inherit(item, apiVersion, kind), line: itemLine, lineOf: at });
  }
  return { manifests, problems };
}

function inherit(item: { [key: string]: Value }, apiVersion: Value, listKind: string): { [key: string]: Value } {
  if (item['kind'] || item['apiVersion']) return item;
  return { ...item, apiVersion, kind: listKind.replace(/List$/, '') };
}

function refuse(file: string, line: number, message: string): { manifests: Manifest[]; problems: RenderProblem[] } {
  return { manifests: [], problems: [{ code: 'InvalidObject', file, line, message }] };
}
