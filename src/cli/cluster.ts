import type { EdgeObject, SecretShape } from '../edge/input.ts';
import { shapeOfSecret } from '../edge/secrets.ts';
import { isForbidden, isNotFound, KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import { provenSource } from '../sync/sighting.ts';

/** What the edge of a cluster is made of, as of now. */
export interface ClusterView {
  readonly objects: readonly EdgeObject[];
  /** EdgePolicies and Namespaces, to find out what the platform team asks; empty where Plumbline is not installed. */
  readonly policies: readonly KubeObject[];
  readonly namespaces: readonly KubeObject[];
  /** apiVersions of group getambassador.io that are served. */
  readonly servedVersions: ReadonlySet<string>;
  /** Are the objects all that there are? */
  readonly complete: boolean;
  /** What could not be read or is not there, one sentence each. */
  readonly notes: readonly string[];
}

const EDGE_GROUP = 'getambassador.io';
/** The version that Emissary itself reads. */
const READ_VERSION = `${EDGE_GROUP}/v3alpha1`;

/** Lists everything that decides what the edge does. Throws KubeError; only what is not of group getambassador.io may be forbidden. */
export async function readCluster(api: KubeApi, signal: AbortSignal): Promise<ClusterView> {
  await api.discovery.refresh(signal);
  const unseen: string[] = [];
  const edgeKinds = api.discovery.preferredKinds().filter(({ group }) => group === EDGE_GROUP);
  const resources = edgeKinds.map(({ kind, apiVersion }) => ({
    kind,
    resource: api.discovery.cached(READ_VERSION, kind) ?? api.discovery.cached(apiVersion, kind),
  }));
  const edge = await Promise.all(resources.map(async ({ resource }) => listAll(api, resource, signal)));
  const others = await Promise.all(
    OTHER_KINDS.map(async ([group, kind]) => {
      const resource = api.discovery.cachedPreferred(group, kind);
      return listAll(api, resource, signal).catch((error: unknown) => {
        if (!isForbidden(error)) throw error;
        unseen.push(`not judged by what the cluster holds of ${kind}: this account may not list them`);
        return [];
      });
    }),
  );
  const absent = `the cluster serves no kind of ${EDGE_GROUP}: Emissary's CRDs are not there`;
  const [services = [], ingresses = [], policies = [], namespaces = []] = others;
  return {
    objects: [...edge.flat(), ...services, ...ingresses].map(liveObject),
    policies,
    namespaces,
    servedVersions: servedVersions(api, edgeKinds),
    complete: unseen.length === 0,
    notes: edgeKinds.length === 0 ? [absent, ...unseen] : unseen,
  };
}

const OTHER_KINDS = [
  ['', 'Service'],
  ['networking.k8s.io', 'Ingress'],
  ['plumbline.dev', 'EdgePolicy'],
  ['', 'Namespace'],
] as const;

async function listAll(api: KubeApi, resource: ApiResource | undefined, signal: AbortSignal): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  if (!resource) return objects;
  for await (const { items } of api.list(resource, { signal })) objects.push(...items);
  return objects;
}

function liveObject(object: KubeObject): EdgeObject {
  const source = provenSource(object);
  return { object, origin: source === undefined ? {} : { source } };
}

function servedVersions({ discovery }: KubeApi, kinds: readonly ApiResource[]): ReadonlySet<string> {
  const versions = ['v1', 'v2', 'v3alpha1'].map((version) => `${EDGE_GROUP}/${version}`);
  return new Set(versions.filter((version) => kinds.some(({ kind }) => discovery.cached(version, kind))));
}

/** A Secret reduced to its type and keys; `forbidden` when this account may not look. */
export async function readSecret(
  api: KubeApi,
  { name, namespace }: { name: string; namespace: string },
  signal: AbortSignal,
): Promise<SecretShape | 'forbidden' | undefined> {
  const resource = await api.discovery.resource('v1', 'Secret', signal);
  if (!resource) return undefined;
  try {
    return shapeOfSecret(await api.get(resource, namespace, name, { signal }));
  } catch (error) {
    if (isNotFound(error) || (error instanceof KubeError && error.code === 'InvalidObjectName')) return undefined;
    if (isForbidden(error)) return 'forbidden';
    throw error;
  }
}

/** A client for the cluster of a kubeconfig. The official client, which reads it, is loaded only now. */
export async function connect(
  kubeconfig: string | readonly string[],
  context: string | undefined,
): Promise<KubeApi & AsyncDisposable> {
  const [{ kubeconfigConfig }, { Transport }, { Discovery }, { KubeApi }] = await Promise.all([
    import('../kube/kubeconfig.ts'),
    import('../kube/transport.ts'),
    import('../kube/discovery.ts'),
    import('../kube/objects.ts'),
  ]);
  const transport = new Transport(await kubeconfigConfig(kubeconfig, context));
  const api = new KubeApi(transport, new Discovery(transport));
  return Object.assign(api, { [Symbol.asyncDispose]: () => transport.close() });
}
