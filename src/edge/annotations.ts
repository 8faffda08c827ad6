import type { KubeObject } from '../kube/object.ts';
import { composeYaml, rereading } from '../render/compose.ts';
import { decode, type AliasAllowance } from '../render/decode.ts';
import { splitDocuments } from '../render/documents.ts';
import { ReadError, type Value } from '../render/node.ts';
import { isRecord } from './spec.ts';

/** Where Emissary reads policies on Services and Ingresses; on no other kind. */
export const CONFIG_ANNOTATION = 'getambassador.io/config';

/** The API server refuses an object with more in all its annotations (apimachinery, TotalAnnotationSizeLimitB). */
const MAX_LENGTH = 256 * 1024;

/** What its aliases may bring, of all documents together: about what could be written without them. */
const MAX_ALIASES: AliasAllowance = { text: MAX_LENGTH, nodes: 10_000 };

/** A policy as it stands in an annotation, shaped as a Kubernetes object: not checked, not converted. */
export interface AnnotationDocument {
  readonly apiVersion: string;
  readonly kind: string;
  /** `name` may be missing; any value may be of any type, but for `namespace`. */
  readonly metadata: Readonly<Record<string, unknown>> & { readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface AnnotationReading {
  readonly documents: readonly AnnotationDocument[];
  /** Why nothing of the annotation is read: one bad document takes all others with it. */
  readonly problem?: string;
}

const NOTHING: AnnotationReading = { documents: [] };

// Objects outlive compilations, and rules ask again.
const remembered = new WeakMap<KubeObject, AnnotationReading>();

/**
 * The policies in an object's annotation, as Emissary's watcher unfolds them (pkg/snapshot/v1/annotations.go). A document is
 * flat or shaped as a Kubernetes object, or both at once; what it does not say of namespace and labels it has from its
 * parent. Never throws.
 */
export function readAnnotation(parent: KubeObject): AnnotationReading {
  const text = isRecord(parent.metadata.annotations) ? parent.metadata.annotations[CONFIG_ANNOTATION] : undefined;
  if (typeof text !== 'string') return NOTHING;
  const known = remembered.get(parent);
  if (known) return known;
  const reading = readText(text, parent);
  remembered.set(parent, reading);
  return reading;
}

function readText(text: string, parent: KubeObject): AnnotationReading {
  if (text.length > MAX_LENGTH) return { documents: [], problem: `it is longer than ${MAX_LENGTH} characters` };
  try {
    const chunks = splitDocuments(text).filter((chunk) => !isBlank(chunk.text));
    const [aliases, allowance] = [{ ...MAX_ALIASES }, rereading()];
    const values = chunks.map(({ text: chunk, line }) => {
      return { line, value: decode(composeYaml(chunk, line, allowance), aliases).value };
    });
    return {
      documents: values.filter(({ value }) => value !== null).map(({ value, line }) => documentOf(value, line, parent)),
    };
  } catch (error) {
    if (error instanceof ReadError) return { documents: [], problem: `line ${error.line}: ${error.message}` };
    // What is left is a stack that overflowed on hostile input.
    if (error instanceof RangeError) return { documents: [], problem: 'it is too deep or too large' };
    throw error;
  }
}

/** Nothing but comments and white space. */
function isBlank(text: string): boolean {
  return text.split('\n').every((line) => line.split('#', 1)[0]?.trim() === '');
}

function documentOf(value: Value, line: number, parent: KubeObject): AnnotationDocument {
  // Kubernetes' own reader refuses both, and with them the annotation.
  if (!isRecord(value)) throw new ReadError('InvalidYaml', line, 'the document is no mapping of fields');
  const { apiVersion, kind } = value;
  if (typeof kind !== 'string' || kind === '') throw new ReadError('InvalidYaml', line, 'the document names no kind');
  const fields = Object.entries(value);
  const metadata: Record<string, unknown> = {
    ...(isRecord(value['metadata']) && value['metadata']),
    ...Object.fromEntries(fields.flatMap(([name, field]) => metadataField(name, field))),
  };
  const { namespace, labels } = metadata;
  const { namespace: parentNamespace = '', labels: parentLabels } = parent.metadata;
  return {
    apiVersion: canonicalVersion(apiVersion),
    kind,
    metadata: {
      ...metadata,
      namespace: typeof namespace === 'string' && namespace !== '' ? namespace : parentNamespace,
      ...((labels ?? undefined) === undefined && parentLabels && { labels: parentLabels }),
    },
    spec: {
      ...(isRecord(value['spec']) && value['spec']),
      ...Object.fromEntries(fields.filter(([name]) => !OUTSIDE_SPEC.has(name))),
    },
  };
}

/** Fields of a flat document that belong to metadata, with their name there. */
const METADATA_FIELDS = new Map([
  ['name', 'name'],
  ['namespace', 'namespace'],
  ['generation', 'generation'],
  ['metadata_labels', 'labels'],
]);

/** Every other field of a flat document is one of its spec. */
const OUTSIDE_SPEC = new Set(['apiVersion', 'kind', 'metadata', 'spec', 'status', ...METADATA_FIELDS.keys()]);

function metadataField(name: string, value: unknown): [string, unknown][] {
  const there = METADATA_FIELDS.get(name);
  return there === undefined ? [] : [[there, value]];
}

function canonicalVersion(apiVersion: unknown): string {
  if (typeof apiVersion !== 'string') return '';
  return apiVersion.startsWith('ambassador/')
    ? `getambassador.io/${apiVersion.slice('ambassador/'.length)}`
    : apiVersion;
}
