import type { KubeObject } from '../kube/object.ts';
import type { Spec } from './model.ts';
import { isRecord, listAt, recordAt, textAt, valueAt } from './spec.ts';

/** A policy that Emissary makes up for an Ingress. */
export interface IngressPolicy {
  readonly kind: 'Host' | 'Mapping';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Spec;
}

const CONTROLLER = 'getambassador.io/ingress-controller';
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const ID_ANNOTATION = 'getambassador.io/ambassador-id';
/** The annotations of an Ingress that say whose it is. */
export const INGRESS_ANNOTATIONS: readonly string[] = [CLASS_ANNOTATION, ID_ANNOTATION];
const INGRESS_LABEL = 'a10r-k8s-ingress';

/** Emissary looks at these groups only. */
const INGRESS_VERSIONS = new Set(['networking.k8s.io/v1', 'networking.k8s.io/v1beta1', 'extensions/v1beta1']);

export function isIngress({ apiVersion, kind }: KubeObject): boolean {
  return kind === 'Ingress' && INGRESS_VERSIONS.has(apiVersion);
}

/** The IngressClasses among the objects that this gateway serves (fetch/ingress.py). */
export function ingressClasses(objects: Iterable<KubeObject>, ambassadorId: string): Set<string> {
  const names = new Set<string>();
  for (const object of objects) {
    if (object.kind !== 'IngressClass' || !object.apiVersion.startsWith('networking.k8s.io/')) continue;
    const controller = textAt(object['spec'], 'controller')?.toLowerCase();
    if (controller === CONTROLLER && idOf(object) === ambassadorId) names.add(object.metadata.name);
  }
  return names;
}

/**
 * What Emissary's compiler makes of an Ingress of its class: a Host for each name under `tls`, a Mapping for the default
 * backend and for each path (fetch/ingress.py). It reads a backend as v1beta1 spells it (`serviceName`, `servicePort`);
 * what is spelled otherwise brings no Mapping.
 */
export function fromIngress(ingress: KubeObject, classes: ReadonlySet<string>, ambassadorId: string): IngressPolicy[] {
  const { spec } = ingress;
  const byAnnotation = textAt(ingress.metadata.annotations, CLASS_ANNOTATION)?.toLowerCase() === 'ambassador';
  const isOurs = byAnnotation || classes.has(textAt(spec, 'ingressClassName') ?? '');
  if (!isOurs || idOf(ingress) !== ambassadorId) return [];
  const { name, namespace = 'default' } = ingress.metadata;
  // Ties the Mappings of an Ingress with TLS to its own Hosts.
  const tie = listAt(spec, 'tls').length > 0 ? `a10r-ingress-${name}-${namespace}` : undefined;
  const labels = textsOf(ingress.metadata.labels);
  const mappingLabels = tie === undefined ? labels : { ...labels, [INGRESS_LABEL]: tie };
  const mapping = (suffix: string, fields: Spec): IngressPolicy => ({
    kind: 'Mapping',
    name: `${name}-${suffix}`,
    labels: mappingLabels,
    spec: { ambassador_id: ambassadorId, ...fields },
  });
  return [
    ...hosts(ingress, labels, tie, ambassadorId),
    ...defaultBackend(spec, namespace).map((fields) => mapping('default-backend', fields)),
    ...paths(spec, namespace, tie !== undefined).map(({ suffix, fields }) => mapping(suffix, fields)),
  ];
}

function hosts(
  { metadata, spec }: KubeObject,
  labels: Readonly<Record<string, string>>,
  tie: string | undefined,
  ambassadorId: string,
): IngressPolicy[] {
  return listAt(spec, 'tls').flatMap((tls, at) => {
    const secret = textAt(tls, 'secretName');
    if (secret === undefined) return [];
    const names = valueAt(tls, 'hosts') === undefined ? ['*'] : listAt(tls, 'hosts');
    return names.map((hostname, nth): IngressPolicy => ({
      kind: 'Host',
      name: `${metadata.name}-${at}-${nth}`,
      labels,
      spec: {
        ambassador_id: [ambassadorId],
        hostname,
        acmeProvider: { authority: 'none' },
        tlsSecret: { name: secret },
        selector: { matchLabels: { [INGRESS_LABEL]: tie } },
        requestPolicy: { insecure: { action: 'Route' } },
      },
    }));
  });
}

function defaultBackend(spec: unknown, namespace: string): Spec[] {
  const backend = valueAt(spec, 'defaultBackend') ?? valueAt(spec, 'backend');
  const service = serviceOf(backend, namespace);
  return service === undefined ? [] : [{ hostname: '*', prefix: '/', service }];
}

function paths(spec: unknown, namespace: string, isTied: boolean): { suffix: string; fields: Spec }[] {
  return listAt(spec, 'rules').flatMap((rule, ruleAt) =>
    listAt(rule, 'http', 'paths').flatMap((path, pathAt) => {
      const service = serviceOf(valueAt(path, 'backend'), namespace);
      const prefix = valueAt(path, 'path') ?? '/';
      if (service === undefined || prefix === '') return [];
      const isExact = textAt(path, 'pathType') === 'Exact';
      const fields = { prefix, prefix_exact: isExact, precedence: isExact ? 1 : 0, service };
      return [{ suffix: `${ruleAt}-${pathAt}`, fields: { ...fields, ...hostOf(rule, isTied) } }];
    }),
  );
}

/** A rule without a host is for every host; under TLS its labels tie it to the Hosts of the Ingress. */
function hostOf(rule: unknown, isTied: boolean): Spec {
  const host = textAt(rule, 'host');
  if (host === undefined) return isTied ? {} : { hostname: '*' };
  if (!host.startsWith('*.')) return { hostname: host };
  const rest = host.slice(1).replaceAll('.', '\\.');
  return { host: `^[a-z0-9]([-a-z0-9]*[a-z0-9])?${rest}$`, host_regex: true };
}

function serviceOf(backend: unknown, namespace: string): string | undefined {
  const name = textAt(backend, 'serviceName');
  const port = valueAt(backend, 'servicePort');
  const isPort = typeof port === 'string' || typeof port === 'number' || typeof port === 'bigint';
  return name && isPort && port ? `${name}.${namespace}:${port}` : undefined;
}

function idOf({ metadata }: KubeObject): string {
  return textAt(metadata.annotations, ID_ANNOTATION) ?? 'default';
}

/** The labels that are text, as the API server has them all. */
export function textsOf(labels: unknown): Readonly<Record<string, string>> {
  if (!isRecord(labels)) return {};
  const all = Object.entries(recordAt(labels));
  const texts = all.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return texts.length === all.length ? (labels as Record<string, string>) : Object.fromEntries(texts);
}
