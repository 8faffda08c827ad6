import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { CONFIG_ANNOTATION, readAnnotation } from '../src/edge/annotations.ts';
import { compileEdge } from '../src/edge/compile.ts';
import type { EdgeInput, SecretShape } from '../src/edge/input.ts';
import { conformityOf } from '../src/edge/conformity.ts';
import { groupOf, type KubeObject } from '../src/kube/object.ts';
import { observe, type Observed } from './edge-observed.ts';

/** One case of vectors/edge: objects, and what the real compiler made of them. vectors/edge/README.md says what each field means. */
export interface EdgeVector {
  id: string;
  title?: string;
  profile?: string;
  env: { namespace: string; id: string };
  knownSecrets: string[] | null;
  objects: KubeObject[];
  /** Absent: none. The same holds for the next two. */
  annotations?: Record<string, unknown[]>;
  schemaInvalid?: { object: string; field: string; rule: string }[];
  /** Fields that an API server would remove. */
  pruned?: unknown;
  showInternal?: boolean;
  observed: Observed;
}

/** A place where our answer is another one. `path` is a JSON path below `observed`, or below the case for what is not there. */
export interface EdgeDifference {
  path: string;
  upstream: unknown;
  ours: unknown;
}

/** What is compared of a case. */
export const EDGE_FIELDS: ReadonlySet<string> = new Set([
  'groups',
  'listeners',
  'hosts',
  'tlsContexts',
  'clusters',
  'errors',
  'notices',
  'crash',
  'annotations',
  'schemaInvalid',
  'pruned',
]);

/** Is it of that form, as far as one must know before it can be answered? */
export function isEdgeVector(value: unknown): value is EdgeVector {
  if (!isRecord(value) || typeof value['id'] !== 'string' || !Array.isArray(value['objects'])) return false;
  const { env, observed, objects } = value;
  return (
    isRecord(env) && isRecord(observed) && objects.every((object) => isRecord(object) && isRecord(object['metadata']))
  );
}

export function readEdgeVectors(file: string): EdgeVector[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as EdgeVector);
}

/** What a case gives to `compileEdge`. */
export function inputOf({ env, knownSecrets, objects }: EdgeVector): EdgeInput {
  const known = knownSecrets && new Set(knownSecrets);
  return {
    objects: objects.map((object) => ({ object: unconverted(object), origin: {} })),
    secret: (name, namespace) =>
      !known || known.has(`${name}.${namespace}`) ? wholeSecret(name, namespace) : undefined,
    settings: {
      ambassadorId: env.id,
      namespace: env.namespace,
      version: '4.1.0',
      environment: { EDGE_VAR: 'expanded' },
      strictLabelSelectors: true,
      // The recorder handed the objects over as they are.
      hasWatcher: false,
    },
  };
}

const INGRESS_V1 = 'networking.k8s.io/v1';
const OLD_VERSION = /\b(?:get)?ambassador(?:\.io)?\/v[012]\b/g;
const CURRENT_VERSION = 'getambassador.io/v3alpha1';

/** The recorder had nothing that converts: what is written in an older version reached the compiler as it is written. */
function unconverted(object: KubeObject): KubeObject {
  const { apiVersion, metadata } = object;
  const config = metadata.annotations?.[CONFIG_ANNOTATION];
  // The compiler reads no other spelling of an Ingress than v1beta1's, whatever its version.
  const version = object.kind === 'Ingress' && apiVersion === INGRESS_V1 ? `${INGRESS_V1}beta1` : apiVersion;
  if (config === undefined) return { ...object, apiVersion: version.replace(OLD_VERSION, CURRENT_VERSION) };
  const annotations = { ...metadata.annotations, [CONFIG_ANNOTATION]: config.replace(OLD_VERSION, CURRENT_VERSION) };
  return { ...object, apiVersion: version, metadata: { ...metadata, annotations } };
}

function wholeSecret(name: string, namespace: string): SecretShape {
  const keys = new Set(['tls.crt', 'tls.key', 'ca.crt', 'crl.pem', 'user.key']);
  return { name, namespace, type: 'kubernetes.io/tls', keys };
}

/** The places where we answer otherwise than the compiler, in the order of the fields; `only`: just these fields. */
export function edgeDifferences(vector: EdgeVector, only?: ReadonlySet<string>): EdgeDifference[] {
  const { observed, annotations = {}, schemaInvalid = [], pruned = [] } = vector;
  const ours = {
    ...observe(compileEdge(inputOf(vector)), { internal: vector.showInternal === true }),
    ...readBefore(vector),
  };
  const upstream: Record<string, unknown> = { ...observed, annotations, schemaInvalid, pruned };
  const differences: EdgeDifference[] = [];
  for (const field of new Set([...Object.keys(upstream), ...Object.keys(ours)])) {
    if (only && !only.has(field)) continue;
    const answer = (ours as Record<string, unknown>)[field];
    compare(comparable(field, upstream[field]), comparable(field, answer), field, differences);
  }
  return differences;
}

/** What happens to the objects before the compiler sees them. */
function readBefore({ objects }: EdgeVector): { annotations: object; schemaInvalid: unknown[]; pruned: unknown[] } {
  const readings = objects
    .filter(({ kind }) => kind === 'Service' || kind === 'Ingress')
    .map((parent) => [parent, readAnnotation(parent).documents] as const)
    .filter(([, documents]) => documents.length > 0);
  const written = [...objects, ...readings.flatMap(([, documents]) => documents as unknown as KubeObject[])];
  const policies = written.filter(({ apiVersion }) => groupOf(apiVersion) === 'getambassador.io');
  return {
    annotations: Object.fromEntries(
      readings.map(([{ kind, metadata }, documents]) => [`${kind}/${metadata.name}.${metadata.namespace}`, documents]),
    ),
    schemaInvalid: policies.flatMap(({ kind, metadata, spec }) =>
      conformityOf(kind, 'v3alpha1', spec).violations.map(({ field, rule }) => ({
        object: `${kind} ${metadata.name}.${metadata.namespace}`,
        field,
        rule,
      })),
    ),
    // The recorder looked at the first level only.
    pruned: policies.flatMap(({ kind, spec }) =>
      conformityOf(kind, 'v3alpha1', spec).unknown.filter((path) => path.split('.').length === 2),
    ),
  };
}

// What the compiler says of an older version that nothing converted: in a cluster the watcher converts it.
const VERSION_NOTICE = /^apiVersion \S+ /;

/**
 * Texts of errors are for orientation: they are compared by key and count. Clusters are a set. A crash is where it happens.
 * Of what is pruned the names of the fields count.
 */
function comparable(field: string, value: unknown): unknown {
  if (field === 'crash' && typeof value === 'string') return value.split(':', 1)[0];
  if (field === 'pruned') return new Set(textsIn(value).map((text) => text.split(/[.:/ ]/).at(-1)));
  if (!Array.isArray(value)) return value;
  if (field === 'schemaInvalid') return (value as object[]).map((one) => JSON.stringify(one)).sort();
  if (field === 'errors' || field === 'notices') {
    const posted = value as { key: string; message: string }[];
    return posted
      .filter(({ message }) => !VERSION_NOTICE.test(message))
      .map(({ key }) => key)
      .sort();
  }
  if (field === 'clusters') return (value as { name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return value;
}

/** Every text of a JSON value, but for names of objects. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'object' ? [] : textsIn(inner)));
}

function compare(upstream: unknown, ours: unknown, path: string, into: EdgeDifference[]): void {
  if (isDeepStrictEqual(upstream, ours)) return;
  if (Array.isArray(upstream) && Array.isArray(ours)) {
    for (let i = 0; i < Math.max(upstream.length, ours.length); i++)
      compare(upstream[i], ours[i], `${path}[${i}]`, into);
  } else if (isRecord(upstream) && isRecord(ours)) {
    for (const key of new Set([...Object.keys(upstream), ...Object.keys(ours)])) {
      compare(upstream[key], ours[key], `${path}.${key}`, into);
    }
  } else {
    into.push({ path, upstream, ours });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
