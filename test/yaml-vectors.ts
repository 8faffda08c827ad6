import { readFileSync } from 'node:fs';
import { flatten } from '../src/render/flatten.ts';
import { parseFile } from '../src/render/parse.ts';
import { readDocuments } from '../src/render/yaml.ts';

/** One case of vectors/yaml: a file, and what `kubectl patch --local --type=merge -p '{}' -o json` made of it. */
export interface YamlVector {
  name: string;
  yaml: string;
  kubectl: { objects?: string[]; error?: string };
}

export interface Difference {
  name: string;
  kubectl: string;
  ours: string;
}

/** Is it of that form, as far as one must know before it can be answered? */
export function isYamlVector(value: unknown): value is YamlVector {
  const { name, yaml, kubectl } = (value ?? {}) as Partial<YamlVector>;
  const isAnswer = Array.isArray(kubectl?.objects) || typeof kubectl?.error === 'string';
  return typeof name === 'string' && typeof yaml === 'string' && isAnswer;
}

export function readYamlVectors(file: string): YamlVector[] {
  return JSON.parse(readFileSync(file, 'utf8')) as YamlVector[];
}

/**
 * Undefined when both read the same objects, or kubectl refuses and we refuse or find no object. Objects are compared as
 * they are read, before Plumbline's own demands (a name, say) that kubectl leaves to the API server.
 */
export function differenceOf({ name, yaml, kubectl }: YamlVector): Difference | undefined {
  const { objects, error } = readObjects(yaml);
  const expected = kubectl.objects?.map((json) => canonical(JSON.parse(json, exactInteger)));
  if (expected === undefined) {
    const parsed = parseFile('case.yaml', Buffer.from(yaml));
    if (error !== undefined || parsed.objects.length === 0 || parsed.problems.length > 0) return undefined;
  } else if (error === undefined && JSON.stringify(objects) === JSON.stringify(expected)) {
    return undefined;
  }
  return { name, kubectl: expected?.join('\n') ?? `${kubectl.error}`, ours: error ?? objects.join('\n') };
}

function readObjects(yaml: string): { objects: string[]; error?: string } {
  const { documents, problems } = readDocuments(yaml, 'case.yaml');
  const flat = documents.map((document) => flatten(document, 'case.yaml'));
  const complaints = [...problems, ...flat.flatMap((one) => one.problems)];
  const objects = flat.flatMap(({ manifests }) => manifests.map(({ value }) => canonical(value)));
  const error = complaints.map(({ code, line, message }) => `${code} in line ${line}: ${message}`).join('; ');
  return error === '' ? { objects } : { objects, error };
}

/** JSON with sorted keys, in which an integer looks the same whether it was read as a number or a bigint. */
function canonical(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`).join(',')}}`;
}

function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source ?? '';
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?[0-9]+$/.test(source)) return value;
  return BigInt.asIntN(64, BigInt(source)) === BigInt(source) ? BigInt(source) : value;
}
