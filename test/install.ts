import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { KubeObject } from '../src/kube/object.ts';
import type { Cluster } from './cluster.ts';
import { until } from './until.ts';

const root = join(import.meta.dirname, '..');

/** The objects of a YAML file of this repository. */
export function objectsOf(file: string): KubeObject[] {
  return loadAll(readFileSync(join(root, file), 'utf8')).filter(Boolean) as KubeObject[];
}

/** Server-side apply of one of our own objects, checked as strictly as the server can. */
export async function applyObject(cluster: Cluster, object: KubeObject): Promise<KubeObject> {
  const path = `${pathOf(object)}?fieldManager=installer&force=true&fieldValidation=Strict`;
  const contentType = 'application/apply-patch+yaml';
  const answer = await cluster.request('PATCH', path, { body: JSON.stringify(object), contentType });
  if (answer.status > 201) throw new Error(`${object.kind} ${object.metadata.name}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Where an object of our own manifests lives. Only for the kinds that they hold: plurals are guessed by adding an s. */
export function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${group}${namespace}/${plural.toLowerCase()}/${metadata.name}`;
}

/** Installs the CRD of GitOpsSource and returns when the API serves it. Many tests may do so at once. */
export async function installCrd(cluster: Cluster): Promise<void> {
  for (const crd of objectsOf('crds/plumbline.dev_gitopssources.yaml')) await applyObject(cluster, crd);
  await until(
    async () => (await cluster.request('GET', '/apis/plumbline.dev/v1alpha1/gitopssources?limit=1')).status === 200,
    { what: 'the API serves gitopssources' },
  );
}
