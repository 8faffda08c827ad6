/** A trie of field names as the API server writes it: `f:name`, `k:{…}`, `v:…`, `.`; an empty node is a leaf. */
export interface FieldsV1 {
  [key: string]: FieldsV1;
}

/** meta/v1 ManagedFieldsEntry. */
export interface ManagedFieldsEntry {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: FieldsV1;
  subresource?: string;
}

/** meta/v1 ObjectMeta, the part that we read. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  managedFields?: ManagedFieldsEntry[];
}

/** Any Kubernetes object as JSON, untouched: unknown fields stay. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** What an object is, whatever version it is read in. `namespace` is '' for a cluster-scoped object. */
export interface Identity {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

/** The group of an apiVersion: `apps/v1` → `apps`, `v1` → ``. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

export function identityOf(object: {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}): Identity {
  const { apiVersion, kind, metadata } = object;
  return { group: groupOf(apiVersion), kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

/** A map key: `group/kind/namespace/name`; none of the parts can hold a slash. */
export function identityKey(identity: Identity): string {
  return `${identity.group}/${identity.kind}/${identity.namespace}/${identity.name}`;
}

/** For people: `Deployment shop/web`, `ClusterRole admin`, `Mapping.getambassador.io shop/web`. */
export function describeIdentity({ group, kind, namespace, name }: Identity): string {
  return `${kind}${group && group.includes('.') ? `.${group}` : ''} ${namespace ? `${namespace}/` : ''}${name}`;
}

/** Is it an answer about an object at all? What stands between us and the API server answers as it likes. */
export function hasMetadata(value: unknown): value is KubeObject {
  const { metadata } = (value ?? {}) as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
}

/** An object that exists has a name. */
export function isObject(value: unknown): value is KubeObject {
  return hasMetadata(value) && typeof value.metadata.name === 'string';
}

/** Resource versions are compared as numbers (KEP-5504); where a server writes other text, everything counts as later. */
export function isLater(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return true;
  return a.length === b.length ? a > b : a.length > b.length;
}
