// What a fault run declares: small objects of four kinds, whose one value tells from which push it is.
import { config, manifest } from '../team.ts';

export const KINDS = ['configmaps', 'secrets', 'widgets', 'services'] as const;
export type Kind = (typeof KINDS)[number];

/** `configmaps/k-7` */
export type Key = `${Kind}/${string}`;

export const SOURCES = ['a', 'b', 'c'] as const;
export type SourceName = (typeof SOURCES)[number];

/** The values of the objects that a source declares. */
export type Declared = Map<Key, string>;

/** Sources a and b share a repository, each has a folder of its own; c has a repository to itself. */
export function folderOf(source: SourceName): string {
  return source === 'c' ? '' : `${source}/`;
}

export function fileOf(source: SourceName, key: Key): string {
  return `${folderOf(source)}objects/${key.replace('/', '-')}.yaml`;
}

/** Where the objects of one world live. */
export interface Places {
  namespace: string;
  /** The Secrets live in another namespace than the sources. */
  other: string;
  /** API group of the widgets. */
  group: string;
}

export function manifestOf(key: Key, value: string, { namespace, other, group }: Places): string {
  const [kind, name] = key.split('/') as [Kind, string];
  switch (kind) {
    case 'configmaps':
      return config(name, { value }, { namespace });
    case 'secrets':
      return manifest('v1', 'Secret', name, { metadata: { namespace: other }, stringData: { value } });
    case 'widgets':
      return manifest(`${group}/v1`, 'Widget', name, { metadata: { namespace }, spec: { value } });
    case 'services':
      return manifest('v1', 'Service', name, {
        metadata: { namespace },
        spec: { ports: [{ port: 80 }], selector: { value } },
      });
  }
}

export function collectionOf(kind: Kind, { namespace, other, group }: Places): string {
  if (kind === 'widgets') return `/apis/${group}/v1/namespaces/${namespace}/widgets`;
  return `/api/v1/namespaces/${kind === 'secrets' ? other : namespace}/${kind}`;
}

/** A merge patch that gives an object another value. */
export function patchOf(key: Key, value: string): object {
  switch (key.split('/')[0] as Kind) {
    case 'configmaps':
      return { data: { value } };
    case 'secrets':
      return { data: { value: Buffer.from(value).toString('base64') } };
    case 'widgets':
      return { spec: { value } };
    case 'services':
      return { spec: { selector: { value } } };
  }
}

/** The value of a live object; undefined when it has lost it. */
export function valueOf(kind: Kind, object: Record<string, unknown>): string | undefined {
  const { data, spec } = object as {
    data?: { value?: string };
    spec?: { value?: string; selector?: { value?: string } };
  };
  if (kind === 'secrets') return data?.value === undefined ? undefined : Buffer.from(data.value, 'base64').toString();
  return kind === 'services' ? spec?.selector?.value : (data?.value ?? spec?.value);
}
