import type { FieldsV1, KubeObject } from './object.ts';

/** Deeper than objects are declared; what walks along a trie must not run out of stack. What lies below counts as one field. */
const MAX_DEPTH = 500;
const STEP = /^[fkvi]:/;

/**
 * Makes the metadata of an object that came over the wire be what its type says, in place: what is of another form is taken
 * out. kube-apiserver checks all of it; an API server behind an aggregated API need not. Fields that an entry of managedFields
 * named so count as nobody's.
 */
export function makeSound<T extends KubeObject>(object: T): T {
  const metadata: Record<string, unknown> = object.metadata as never;
  for (const name of ['labels', 'annotations']) if (!isTexts(metadata[name])) Reflect.deleteProperty(metadata, name);
  for (const name of ['finalizers', 'ownerReferences', 'managedFields']) {
    if (!Array.isArray(metadata[name])) Reflect.deleteProperty(metadata, name);
  }
  const { finalizers, ownerReferences, managedFields } = object.metadata;
  if (finalizers?.some((one) => typeof one !== 'string')) delete object.metadata.finalizers;
  if (ownerReferences?.some((one) => !isMap(one))) delete object.metadata.ownerReferences;
  if (managedFields?.some((one) => !isEntry(one))) object.metadata.managedFields = managedFields.filter(isEntry);
  return object;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  if (!isMap(value)) return false;
  for (const name in value) if (typeof value[name] !== 'string') return false;
  return true;
}

/** Every text in it is a text, and its fields are a trie. */
function isEntry(entry: unknown): boolean {
  if (!isMap(entry)) return false;
  for (const name in entry) if (name !== 'fieldsV1' && typeof entry[name] !== 'string') return false;
  return entry['fieldsV1'] === undefined || isTrie(entry['fieldsV1'], 0);
}

function isTrie(node: unknown, depth: number): node is FieldsV1 {
  if (!isMap(node)) return false;
  if (depth === MAX_DEPTH) for (const key in node) delete node[key];
  for (const key in node) if (!(key === '.' || STEP.test(key)) || !isTrie(node[key], depth + 1)) return false;
  return true;
}
