import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { API_VERSION } from '../../src/api/names.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Reference } from './client.ts';

const SHOP = join(import.meta.dirname, '../shop');
const CRDS = join(import.meta.dirname, '../emissary-crds');
const INSTALL = join(import.meta.dirname, '../../deploy/install.yaml');

/** Files of a repository by their path in it. */
export type Files = Readonly<Record<string, string>>;

/** Every file of examples/shop as the config repository holds it. */
export async function shopFiles(): Promise<Files> {
  const entries = await readdir(SHOP, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== 'sources.yaml');
  const paths = files.map((file) => join(file.parentPath, file.name)).sort();
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return Object.fromEntries(paths.map((path, index) => [path.slice(SHOP.length + 1), texts[index] ?? '']));
}

/** The objects of examples/shop/sources.yaml, each source pointed at `url`. */
export async function shopSources(url: string): Promise<KubeObject[]> {
  const objects = await objectsOf(join(SHOP, 'sources.yaml'));
  return objects.map((object) =>
    object.kind === 'GitOpsSource' ? { ...object, spec: { ...(object.spec as object), url } } : object,
  );
}

export async function emissaryCrds(): Promise<KubeObject[]> {
  const names = (await readdir(CRDS)).filter((name) => name.endsWith('.yaml')).sort();
  return (await Promise.all(names.map((name) => objectsOf(join(CRDS, name))))).flat();
}

const INSTALLED = /^(Namespace|CustomResourceDefinition|ServiceAccount|(Cluster)?Role(Binding)?)$/;

/** deploy/install.yaml without what runs the operator in the cluster: here it runs beside the demo. */
export async function installObjects(): Promise<KubeObject[]> {
  return (await objectsOf(INSTALL)).filter(({ kind }) => INSTALLED.test(kind));
}

async function objectsOf(file: string): Promise<KubeObject[]> {
  return (loadAll(await readFile(file, 'utf8')) as (KubeObject | null)[]).filter((object) => object !== null);
}

/** Replaces exactly one place of a text; the demo's edits must not go stale silently when the sample changes. */
export function replaced(text: string | undefined, from: string, to: string): string {
  const parts = (text ?? '').split(from);
  if (parts.length !== 2)
    throw new Error(`the sample holds "${from}" ${parts.length - 1} times; the demo needs it once`);
  return parts.join(to);
}

const EDGE = 'getambassador.io/v3alpha1';

/** The objects that the story is about. */
export const THINGS = {
  platform: {
    apiVersion: API_VERSION,
    kind: 'GitOpsSource',
    metadata: { namespace: 'plumbline-system', name: 'platform' },
  },
  checkout: {
    apiVersion: API_VERSION,
    kind: 'GitOpsSource',
    metadata: { namespace: 'shop-checkout', name: 'checkout' },
  },
  catalog: { apiVersion: API_VERSION, kind: 'GitOpsSource', metadata: { namespace: 'shop-catalog', name: 'catalog' } },
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'shop-checkout', name: 'checkout' } },
  canary: { apiVersion: EDGE, kind: 'Mapping', metadata: { namespace: 'shop-checkout', name: 'checkout-next' } },
  service: { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'shop-catalog', name: 'search' } },
  settings: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop-catalog', name: 'catalog-settings' } },
  banner: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop-catalog', name: 'sale' } },
  claim: { apiVersion: EDGE, kind: 'Mapping', metadata: { namespace: 'shop-catalog', name: 'cart' } },
  sale: { apiVersion: 'getambassador.io/v2', kind: 'Mapping', metadata: { namespace: 'shop-catalog', name: 'sale' } },
} as const satisfies Record<string, Reference>;

/** A Mapping of team catalog with the very route of team checkout's cart. */
export const CLAIM = `apiVersion: ${EDGE}
kind: Mapping
metadata:
  name: cart
  namespace: shop-catalog
spec:
  hostname: shop.example.com
  prefix: /cart/
  service: catalog
`;
