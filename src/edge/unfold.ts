import { groupOf, type KubeObject } from '../kube/object.ts';
import { readAnnotation, type AnnotationDocument } from './annotations.ts';
import { conformityOf } from './conformity.ts';
import { handedOver } from './handed-over.ts';
import { fromIngress, isIngress, textsOf, type IngressReading } from './ingress.ts';
import type { EdgeSettings } from './input.ts';
import type { Policy } from './model.ts';
import { normalise } from './normalise.ts';
import { POLICY_KINDS, schemaOf, versionOf } from './schemas.ts';
import { shown } from './shown.ts';
import { isRecord, recordAt } from './spec.ts';

/** A policy before the names of all are known and before one knows who declares it. */
export interface Unfolded extends Omit<Policy, 'storedName' | 'origin' | 'facts'> {
  /** Why Emissary's watcher hands it over as invalid: it has no effect. */
  readonly refused?: string;
}

/** What the reading of an object depends on, besides itself. */
export interface Reading extends IngressReading, Pick<EdgeSettings, 'hasWatcher'> {}

/** The policies that an object is, carries in its annotation or is taken for, in their order; none where the edge reads nothing. */
export function unfold(object: KubeObject, reading: Reading): readonly Unfolded[] {
  if (groupOf(object.apiVersion) === 'getambassador.io') return resource(object, reading);
  if (isIngress(object)) {
    const made = fromIngress(object, reading).map((policy, at) => madeOf(object, policy, at));
    return [...made, ...annotated(object, made.length, reading)];
  }
  return object.kind === 'Service' && object.apiVersion === 'v1' ? annotated(object, 0, reading) : [];
}

/** Does the object's meaning depend on other objects? */
export function dependsOnOthers(object: KubeObject): boolean {
  return isIngress(object);
}

function resource(object: KubeObject, { hasWatcher = true }: Reading): Unfolded[] {
  const { kind, metadata } = object;
  const { name, namespace = 'default' } = metadata;
  if (!POLICY_KINDS.has(kind) || typeof name !== 'string' || name === '') return [];
  const id = `${name}.${namespace}`;
  // The compiler labels each resource with its own name (fetch/resource.py); selectors see it.
  const labels = { ...textsOf(metadata.labels), ambassador_crd: id };
  const version = versionOf(object.apiVersion);
  const read = normalise(kind, version, recordAt(object['spec']));
  const spec = hasWatcher ? handedOver(kind, read) : read;
  const unfolded = { kind, name, namespace, labels, spec, key: `${id}.1`, written: object };
  return [schemaOf(kind, version) ? unfolded : { ...unfolded, refused: unsupported(object) }];
}

/** `before`: how many policies the parent brought already; the compiler numbers on (fetch/resource.py). */
function annotated(parent: KubeObject, before: number, { hasWatcher = true }: Reading): Unfolded[] {
  // The compiler skips what has no name at all, without a number.
  const named = readAnnotation(parent).documents.filter(({ metadata }) => Object.hasOwn(metadata, 'name'));
  return named.map((document, at) => {
    const { apiVersion, kind, metadata, spec } = document;
    const key = `${parent.metadata.name}.${parent.metadata.namespace ?? 'default'}.${before + at + 1}`;
    const written = { apiVersion, kind, metadata, spec } as unknown as KubeObject;
    const converted = normalise(kind, versionOf(apiVersion), spec);
    const refused = refusalOf(document, converted, hasWatcher);
    return {
      kind,
      name: isName(metadata['name']) ? metadata['name'] : shown(metadata['name']),
      namespace: metadata.namespace === '' ? 'default' : metadata.namespace,
      labels: textsOf(metadata['labels']),
      spec: hasWatcher ? handedOver(kind, converted) : converted,
      key,
      written,
      parent,
      ...(refused !== undefined && { refused }),
    };
  });
}

/** Why Emissary's watcher refuses a document (ValidateAndConvertObject); undefined: it takes it. */
function refusalOf(document: AnnotationDocument, converted: Policy['spec'], checks: boolean): string | undefined {
  const { apiVersion, kind, metadata, spec } = document;
  const version = versionOf(apiVersion);
  if (groupOf(apiVersion) !== 'getambassador.io') return unsupported(document);
  // The compiler itself takes every version, and keeps kinds that it does not know without a word.
  if (!checks) return undefined;
  if (!schemaOf(kind, version)) return unsupported(document);
  const { name, labels } = metadata;
  // YAML takes `name: n` for false.
  if (!isName(name)) return `its name ${shown(name)} is not a text`;
  if (
    labels !== undefined &&
    !(isRecord(labels) && Object.values(labels).every((value) => typeof value === 'string'))
  ) {
    return 'its labels are not all text';
  }
  const own = conformityOf(kind, version, spec).violations;
  const [first] = own.length > 0 ? own : conformityOf(kind, 'v3alpha1', converted).violations;
  return first && `${first.field} ${first.message}`;
}

function unsupported({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  return `there is no ${kind} in version ${shown(apiVersion)}`;
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '';
}

function madeOf(ingress: KubeObject, policy: ReturnType<typeof fromIngress>[number], at: number): Unfolded {
  const { kind, name, labels, spec } = policy;
  const { namespace = 'default' } = ingress.metadata;
  const written = { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace }, spec };
  return { kind, name, namespace, labels, spec, key: `${name}.${namespace}.${at + 1}`, written, parent: ingress };
}
