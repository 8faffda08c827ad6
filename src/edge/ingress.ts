import type { KubeObject } from '../kube/object.ts';
import type { Spec } from './model.ts';
import { isRecord, listAt, numberAt, recordAt, textAt, valueAt } from './spec.ts';

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

/** What the compiler reads in other objects when it looks at an Ingress. */
export interface IngressReading {
  readonly ambassadorId: string;
  /** The IngressClasses that are the gateway's. */
  readonly classes: ReadonlySet<string>;
  /** The number of a port that a Service names. */
  readonly portNamed: (namespace: string, service: string, name: string) => number | undefined;
}

/**
 * What Emissary makes of an Ingress of its class: a Host for each name under `tls`, a Mapping for the default backend and for
 * each path (fetch/ingress.py). The compiler reads it as extensions/v1beta1, which its watcher makes of every version
 * (pkg/kates/k8s_resource_types/ingress.go, `NewIngress`): empty texts and lists are not there any more then.
 */
export function fromIngress(
  ingress: KubeObject,
  { ambassadorId, classes, portNamed }: IngressReading,
): readonly IngressPolicy[] {
  const byAnnotation = textAt(ingress.metadata.annotations, CLASS_ANNOTATION)?.toLowerCase() === 'ambassador';
  const isOurs = byAnnotation || classes.has(textAt(ingress['spec'], 'ingressClassName') ?? '');
  if (!isOurs || idOf(ingress) !== ambassadorId) return [];
  const { name, namespace = 'default' } = ingress.metadata;
  const spec = specOf(ingress);
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
  const port: PortNamed = (service, named) => portNamed(namespace, service, named);
  return [
    ...hosts(name, spec, labels, tie, ambassadorId),
    ...defaultBackend(spec, namespace).map((fields) => mapping('default-backend', fields)),
    ...paths(spec, namespace, tie !== undefined, port).map(({ suffix, fields }) => mapping(suffix, fields)),
  ];
}

type PortNamed = (service: string, name: string) => number | undefined;

// A cluster may have thousands for other gateways, which are asked in each run.
const namingPorts = new WeakMap<KubeObject, boolean>();

/** Does a backend of it name the port of a Service? Then what it brings depends on the Service. */
export function namesPorts(ingress: KubeObject): boolean {
  const known = namingPorts.get(ingress);
  if (known !== undefined) return known;
  const names = listAt(ingress['spec'], 'rules').some((rule) =>
    listAt(rule, 'http', 'paths').some((path) => {
      const backend = valueAt(path, 'backend');
      return (textAt(valueAt(backend, 'service'), 'port', 'name') ?? textAt(backend, 'servicePort')) !== undefined;
    }),
  );
  namingPorts.set(ingress, names);
  return names;
}

/** Its spec as v1beta1 spells it. */
function specOf({ apiVersion, spec }: KubeObject): unknown {
  if (apiVersion !== 'networking.k8s.io/v1' || !isRecord(spec)) return spec;
  return {
    backend: backendOf(spec['defaultBackend']),
    tls: listAt(spec, 'tls').map((tls) => filled(tls, ['secretName', 'hosts'])),
    rules: listAt(spec, 'rules').map((rule) => ({
      ...filled(rule, ['host']),
      http: {
        paths: listAt(rule, 'http', 'paths').map((path) => ({
          ...filled(path, ['path', 'pathType']),
          backend: backendOf(valueAt(path, 'backend')),
        })),
      },
    })),
  };
}

function backendOf(backend: unknown): Spec {
  const service = valueAt(backend, 'service');
  const servicePort = textAt(service, 'port', 'name') || numberAt(service, 'port', 'number');
  return { serviceName: textAt(service, 'name'), servicePort };
}

/** Those of the fields that hold something. */
function filled(record: unknown, fields: readonly string[]): Spec {
  const there = fields.map((field) => [field, valueAt(record, field)] as const);
  return Object.fromEntries(there.filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value)));
}

function hosts(
  name: string,
  spec: unknown,
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
      name: `${name}-${at}-${nth}`,
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
  // Here a name is not looked up.
  const service = serviceOf(backend, namespace, () => undefined);
  return service === undefined ? [] : [{ hostname: '*', prefix: '/', service }];
}

function paths(spec: unknown, namespace: string, isTied: boolean, port: PortNamed): { suffix: string; fields: Spec }[] {
  return listAt(spec, 'rules').flatMap((rule, ruleAt) =>
    listAt(rule, 'http', 'paths').flatMap((path, pathAt) => {
      const service = serviceOf(valueAt(path, 'backend'), namespace, port);
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

/** A name that the Service does not know stays, and no service can be read with it. */
function serviceOf(backend: unknown, namespace: string, portNamed: PortNamed): string | undefined {
  const name = textAt(backend, 'serviceName');
  const port = valueAt(backend, 'servicePort');
  const isPort = typeof port === 'string' || typeof port === 'number' || typeof port === 'bigint';
  if (!name || !isPort || !port) return undefined;
  const isName = typeof port === 'string' && !/^\d+$/.test(port);
  return `${name}.${namespace}:${(isName ? portNamed(name, port) : undefined) ?? port}`;
}

/** The ports that Services name, as the compiler finds them (`_try_resolve_service_port_number` of fetch/ingress.py). */
export function portsNamedBy(services: readonly KubeObject[]): IngressReading['portNamed'] {
  const known = new Map(
    services
      .filter(({ apiVersion }) => apiVersion === 'v1')
      .map(({ metadata: { name, namespace = 'default' }, spec }) => [`${namespace}/${name}`, listAt(spec, 'ports')]),
  );
  return (namespace, service, name) =>
    numberAt(
      known.get(`${namespace}/${service}`)?.find((port) => textAt(port, 'name') === name),
      'port',
    );
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
