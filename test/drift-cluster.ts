// Objects on the real API server as the drift tests need them: server-side apply under any name, and edits of every kind.
import { readFileSync } from 'node:fs';
import { load, loadAll } from 'js-yaml';
import type { KubeObject } from '../src/kube/object.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterResponse } from './cluster-request.ts';
import { until } from './until.ts';

export const OURS = 'plumbline';

const CLUSTER_SCOPED =
  /^(Namespace|Node|PersistentVolume|ClusterRole|ClusterRoleBinding|.*Class|FlowSchema|.*WebhookConfiguration|ValidatingAdmissionPolicy|CustomResourceDefinition|APIService)$/;

/** Path of an object; the kinds of the fixtures all have regular plurals, but for a few. */
export function pathOf(object: KubeObject, namespace: string): string {
  const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const scope = CLUSTER_SCOPED.test(object.kind) ? '' : `/namespaces/${namespace}`;
  return `${root}${scope}/${pluralOf(object.kind)}/${encodeURIComponent(object.metadata.name)}`;
}

function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name === 'endpoints') return name;
  if (name.endsWith('y')) return `${name.slice(0, -1)}ies`;
  return /(s|ss)$/.test(name) ? `${name}es` : `${name}s`;
}

export function shapes(namespace: string): KubeObject[] {
  const long = Array.from({ length: 60 }, (_, index) => `{ zone: z${index}, value: ${index} }`).join(', ');
  const text = readFileSync(new URL('drift-shapes/objects.yaml', import.meta.url), 'utf8');
  const docs = loadAll(text.replaceAll(/\bNS\b/g, namespace).replace('LONG', long)) as KubeObject[];
  return docs.map((object) =>
    CLUSTER_SCOPED.test(object.kind) ? object : { ...object, metadata: { ...object.metadata, namespace } },
  );
}

/** Server-side apply as we do it: forced and strict. */
export async function apply(cluster: Cluster, object: KubeObject, manager = OURS, query = ''): Promise<KubeObject> {
  const path = `${pathOf(object, object.metadata.namespace ?? '')}?fieldManager=${manager}&force=true&fieldValidation=Strict${query}`;
  return answered(
    await cluster.request('PATCH', path, { body: object, contentType: 'application/apply-patch+yaml' }),
    path,
  );
}

export async function read(cluster: Cluster, object: KubeObject): Promise<KubeObject> {
  const path = pathOf(object, object.metadata.namespace ?? '');
  return answered(await cluster.request('GET', path), path);
}

export async function patch(
  cluster: Cluster,
  object: KubeObject,
  body: unknown,
  contentType: string,
  manager: string,
  suffix = '',
): Promise<KubeObject> {
  const path = `${pathOf(object, object.metadata.namespace ?? '')}${suffix}?fieldManager=${manager}`;
  return answered(await cluster.request('PATCH', path, { body, contentType }), path);
}

function answered(answer: ClusterResponse<KubeObject>, path: string): KubeObject {
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Labels as the renderer adds them: each managed object has at least these. */
export function labelled(object: KubeObject): KubeObject {
  const labels = { ...object.metadata.labels, 'plumbline.dev/name': 'shop', 'plumbline.dev/namespace': 'gitops' };
  return { ...object, metadata: { ...object.metadata, labels } };
}

export async function installShapes(cluster: Cluster): Promise<void> {
  const crd = load(readFileSync(new URL('drift-shapes/crd.yaml', import.meta.url), 'utf8')) as KubeObject;
  await apply(cluster, crd);
  await until(async () => {
    const { status, body } = await cluster.request<{ resources?: unknown[] }>('GET', '/apis/shapes.example.com/v2');
    return status === 200 && body.resources?.length;
  });
}
