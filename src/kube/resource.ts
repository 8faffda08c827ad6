import { KubeError } from './errors.ts';

/** One kind as the API server serves it. */
export interface ApiResource {
  /** `apps/v1`, `v1` */
  apiVersion: string;
  /** `apps`; '' for the core group */
  group: string;
  version: string;
  kind: string;
  /** The name in URLs: `deployments`. */
  plural: string;
  namespaced: boolean;
  verbs: readonly string[];
  /** Has the subresource `status`. */
  hasStatus: boolean;
  /** Has the subresource `scale`. */
  hasScale?: boolean;
}

/** `/apis/apps/v1` or `/api/v1`. */
export function groupVersionPath(apiVersion: string): string {
  const parts = apiVersion.split('/').map((part) => segment(part, 'apiVersion'));
  return `${parts.length === 1 ? '/api' : '/apis'}/${parts.join('/')}`;
}

/** The collection of a namespace; with '' of the whole cluster. */
export function collectionPath(resource: ApiResource, namespace = ''): string {
  const within = resource.namespaced && namespace ? `/namespaces/${segment(namespace, 'namespace')}` : '';
  return `${groupVersionPath(resource.apiVersion)}${within}/${segment(resource.plural, 'resource')}`;
}

/** One object. `namespace` is '' for a cluster-scoped kind, and must be given for any other. */
export function objectPath(resource: ApiResource, namespace: string, name: string, subresource?: string): string {
  if (resource.namespaced && namespace === '') {
    throw new KubeError('InvalidObjectName', `${resource.kind} ${name} needs a namespace: none is given`);
  }
  const path = `${collectionPath(resource, namespace)}/${segment(name, `name of the ${resource.kind}`)}`;
  return subresource ? `${path}/${segment(subresource, 'subresource')}` : path;
}

/** Names keep their capitals (RBAC allows them); what a URL could read as another address is refused, as the server does. */
function segment(text: string, what: string): string {
  if (text === '' || text === '.' || text === '..' || /[/%]/.test(text) || !text.isWellFormed()) {
    throw new KubeError('InvalidObjectName', `the ${what} "${text.toWellFormed()}" cannot be part of an address`);
  }
  return encodeURIComponent(text);
}
