import type { KubeObject } from '../../kube/object.ts';
import type { Hit, Judged } from '../finding.ts';
import type { EdgeInput } from '../input.ts';
import type { Cluster, Edge, Policy } from '../model.ts';
import { describe, partyOf } from '../party.ts';
import { shown } from '../shown.ts';
import { isTrueAt, listAt, numberAt, textAt, valueAt } from '../spec.ts';
import {
  isQualified,
  moduleIn,
  resolverName,
  resolversOf,
  sendersOf,
  serviceNamespace,
  writtenService,
} from '../upstream.ts';

/** The Services that are known, by `namespace/name`; a namespace counts as known when at least one Service of it is. */
interface KnownServices {
  readonly byName: ReadonlyMap<string, KubeObject>;
  readonly namespaces: ReadonlySet<string>;
}

/**
 * A backend is called missing only in a namespace of which some Service is known: a repository that holds Mappings alone
 * says nothing about Services, and a name with a dot may be a host of the Internet.
 */
export function* backendMissing({ edge, input }: Judged): Iterable<Hit> {
  const known = knownServices(input);
  if (known.namespaces.size === 0) return;
  const resolvers = resolversOf(edge);
  for (const [policy, cluster] of sendersOf(edge)) {
    if (!resolvers.get(resolverName(edge, policy))?.startsWith('Kubernetes')) continue;
    const problem = backendProblem(edge, policy, cluster, known);
    if (problem === undefined) continue;
    const object = partyOf(policy);
    const service = textAt(policy.spec, 'service') ?? '';
    yield { object, detail: service, message: `${describe(object)} sends to ${shown(service)}: ${problem}` };
  }
}

function backendProblem(edge: Edge, policy: Policy, { tls }: Cluster, known: KnownServices): string | undefined {
  const { host, port } = writtenService(textAt(policy.spec, 'service') ?? '');
  const [name = '', namespace = serviceNamespace(edge, policy), cluster] = host.split('.');
  if (name === '' || (isQualified(host) && !host.includes('.'))) return undefined;
  if (cluster !== undefined && cluster !== 'svc') return undefined;
  if (!known.namespaces.has(namespace)) return undefined;
  const service = known.byName.get(`${namespace}/${name}`);
  if (!service) return `no Service ${namespace}/${name} among those that are known`;
  const wanted = port === undefined ? (tls ? 443 : 80) : Number(port);
  return hasPort(service, wanted) ? undefined : `Service ${namespace}/${name} has no port ${wanted}`;
}

/** Headless Services and names for other hosts listen wherever their pods and hosts do. */
function hasPort(service: KubeObject, wanted: number): boolean {
  const ports = listAt(service, 'spec', 'ports');
  const fixed = textAt(service, 'spec', 'clusterIP') !== 'None' && textAt(service, 'spec', 'type') !== 'ExternalName';
  return !fixed || ports.length === 0 || ports.some((port) => numberAt(port, 'port') === wanted);
}

function knownServices({ objects }: EdgeInput): KnownServices {
  const byName = new Map<string, KubeObject>();
  const namespaces = new Set<string>();
  for (const { object } of objects) {
    if (object.kind !== 'Service' || object.apiVersion !== 'v1') continue;
    const namespace = object.metadata.namespace ?? 'default';
    byName.set(`${namespace}/${object.metadata.name}`, object);
    namespaces.add(namespace);
  }
  return { byName, namespaces };
}

export function* qualification({ edge }: Judged): Iterable<Hit> {
  const module = moduleIn(edge);
  const centralNames = isTrueAt(module?.spec, 'config', 'use_ambassador_namespace_for_service_resolution');
  for (const { redirect, members } of edge.groups) {
    if (redirect && isBare(redirect)) {
      const object = partyOf(redirect);
      const service = shown(textAt(redirect.spec, 'service'));
      yield { object, message: `${describe(object)} redirects to ${service}, which is no full host name` };
    }
    if (!centralNames || !module) continue;
    for (const { policy } of members) {
      if (policy.namespace === edge.settings.namespace || !isBare(policy)) continue;
      const [object, other] = [partyOf(policy), partyOf(module)];
      const service = shown(textAt(policy.spec, 'service'));
      const message = `${describe(object)} sends to ${service}, looked up in namespace ${edge.settings.namespace} because of ${describe(other)}`;
      yield { object, other, message };
    }
  }
}

function isBare({ spec }: Policy): boolean {
  const service = valueAt(spec, 'service');
  if (typeof service !== 'string') return false;
  const { host } = writtenService(service);
  return host !== '' && !isQualified(host);
}
