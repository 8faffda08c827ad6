import { createHash } from 'node:crypto';
import { dump } from 'js-yaml';
import type { KubeObject } from '../src/kube/object.ts';

/** One object, as the raw loop sends it and as a repository holds it. */
export interface BenchObject {
  name: string;
  /** JSON without a namespace. */
  body: string;
  /** Where it is served. */
  collection: (namespace: string) => string;
}

export interface MixedObject extends BenchObject {
  kind: MixedKind;
}

export type MixedKind = 'ConfigMap' | 'Deployment' | 'Service' | 'ServiceAccount';

/** Where each kind is served. */
export const COLLECTIONS: Readonly<Record<MixedKind, (namespace: string) => string>> = {
  ConfigMap: (namespace) => `/api/v1/namespaces/${namespace}/configmaps`,
  Deployment: (namespace) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  Service: (namespace) => `/api/v1/namespaces/${namespace}/services`,
  ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
};

export const KINDS = Object.keys(COLLECTIONS) as MixedKind[];

/** A quarter each of ConfigMaps of 1 KB, Deployments without replicas, Services and ServiceAccounts. */
export function mixedObjects(count: number): MixedObject[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = KINDS[index % KINDS.length]!;
    const name = `bench-${String(index).padStart(5, '0')}`;
    const body = JSON.stringify({ ...TEMPLATES[kind](name), ...meta(name) });
    return { kind, name, body, collection: COLLECTIONS[kind] };
  });
}

/** ConfigMaps of 300 KB, which no compression makes very small. */
export function largeObjects(count: number): BenchObject[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `bench-large-${String(index).padStart(5, '0')}`;
    const lines = Array.from({ length: 3_000 }, (_unused, line) => createHash('sha512').update(`${name} ${line}`));
    const text = lines
      .map((line) => `${line.digest('base64')} ........\n`)
      .join('')
      .slice(0, 300_000);
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', ...meta(name), data: { text } });
    return { name, body, collection: COLLECTIONS.ConfigMap };
  });
}

/** Only ConfigMaps, for benches that change one field. */
export function configMapsOf(objects: readonly MixedObject[]): MixedObject[] {
  return objects.filter(({ kind }) => kind === 'ConfigMap');
}

/** One file each, in YAML as people write it. */
export function filesOf(objects: readonly BenchObject[], folder = 'apps'): Record<string, string> {
  return Object.fromEntries(objects.map(({ name, body }) => [fileOf(name, folder), dump(JSON.parse(body))]));
}

export function fileOf(name: string, folder = 'apps'): string {
  return `${folder}/${name}.yaml`;
}

/** A ConfigMap with another value in the field that benches change. */
export function withMark(object: MixedObject, mark: string): MixedObject {
  const parsed = JSON.parse(object.body) as KubeObject & { data: Record<string, string> };
  parsed.data['mark'] = mark;
  return { ...object, body: JSON.stringify(parsed) };
}

export function markOf(object: KubeObject): string | undefined {
  return (object['data'] as Record<string, string> | undefined)?.['mark'];
}

function meta(name: string) {
  return { metadata: { name, labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'bench' } } };
}

const TEMPLATES: Readonly<Record<MixedKind, (name: string) => object>> = {
  ConfigMap: (name) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    data: { mark: 'declared', ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`key-${i}`, filler(name)])) },
  }),
  Deployment: (name) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: {
      replicas: 0,
      selector: { matchLabels: { 'app.kubernetes.io/name': name } },
      template: {
        metadata: { labels: { 'app.kubernetes.io/name': name } },
        spec: {
          containers: [
            {
              name: 'web',
              image: 'registry.example.com/web:1.0.0',
              ports: [{ name: 'http', containerPort: 8080 }],
              env: [{ name: 'MODE', value: 'production' }],
              resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
            },
          ],
        },
      },
    },
  }),
  Service: (name) => ({
    apiVersion: 'v1',
    kind: 'Service',
    spec: {
      selector: { 'app.kubernetes.io/name': name },
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    },
  }),
  ServiceAccount: () => ({ apiVersion: 'v1', kind: 'ServiceAccount', automountServiceAccountToken: false }),
};

function filler(name: string): string {
  return `${name} `.repeat(8).trimEnd();
}
