// What a fault run declares: small objects of five kinds, whose one value tells from which push it is.
import type { KubeObject } from '../../src/kube/object.ts';
import { EDGE, mapping } from '../edge.ts';
import { config, manifest } from '../team.ts';

export const KINDS = ['configmaps', 'secrets', 'widgets', 'services', 'mappings'] as const;
export type Kind = (typeof KINDS)[number];

/** In the words of the API; `GROUP` is the world's own. */
export const OBJECT_KINDS: Record<Kind, { group: string; kind: string }> = {
  configmaps: { group: '', kind: 'ConfigMap' },
  secrets: { group: '', kind: 'Secret' },
  services: { group: '', kind: 'Service' },
  widgets: { group: 'GROUP', kind: 'Widget' },
  mappings: { group: 'getambassador.io', kind: 'Mapping' },
};

/** `configmaps/k-7` */
export type Key = `${Kind}/${string}`;

export const SOURCES = ['a', 'b', 'c'] as const;
export type SourceName = (typeof SOURCES)[number];

/** The values of the objects that a source declares. */
export type Declared = Map<Key, string>;

/** A value at its object. Each push gives new values, so it tells the push: `configmaps/k-7=v31`. */
export type Fact = `${Key}=${string}`;

export function factOf(key: Key, value: string | undefined): Fact {
  return `${key}=${value}`;
}

/** A Mapping that takes the route of another one, and the other one: `mappings/k-4-stolen`, `mappings/k-4`. */
export function stolen(route: Key): Key {
  return `${route}-stolen`;
}

export function victimOf(key: Key): Key | undefined {
  return key.endsWith('-stolen') ? (key.replace('-stolen', '') as Key) : undefined;
}

/** Sources a and b share a repository, each has a folder of its own; c has a repository to itself. */
export function folderOf(source: SourceName): string {
  return source === 'c' ? '' : `${source}/`;
}

/** Do both follow the same branch of one repository? */
export function areBeside(one: SourceName, other: SourceName): boolean {
  return (one === 'c') === (other === 'c');
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
    case 'mappings': {
      const prefix = `/${(victimOf(key) ?? key).split('/')[1]}/`;
      return mapping(name, `${namespace}.example`, prefix, { rewrite: `/${value}/` });
    }
  }
}

export function collectionOf(kind: Kind, { namespace, other, group }: Places): string {
  if (kind === 'widgets') return `/apis/${group}/v1/namespaces/${namespace}/widgets`;
  if (kind === 'mappings') return `/apis/${EDGE}/namespaces/${namespace}/mappings`;
  return `/api/v1/namespaces/${kind === 'secrets' ? other : namespace}/${kind}`;
}

/** A merge patch that gives an object another value. */
export function patchOf(key: Key, value: string): object {
  return fieldOf(key, 'value', value);
}

const NOTE = 'example.com/note';

/** Merge patches that add what nobody declares. */
export function additionTo(key: Key, what: 'note' | 'extra'): object {
  if (what === 'note') return { metadata: { annotations: { [NOTE]: 'mine' } } };
  return fieldOf(key, 'extra', 'mine');
}

function fieldOf(key: Key, field: 'value' | 'extra', value: string): object {
  switch (key.split('/')[0] as Kind) {
    case 'configmaps':
      return { data: { [field]: value } };
    case 'secrets':
      return { data: { [field]: Buffer.from(value).toString('base64') } };
    case 'widgets':
      return { spec: { [field]: value } };
    case 'services':
      // The selector is one field as a whole: what is added to it is drift.
      return field === 'value' ? { spec: { selector: { value } } } : { metadata: { labels: { extra: value } } };
    case 'mappings':
      return { spec: field === 'value' ? { rewrite: `/${value}/` } : { host_rewrite: value } };
  }
}

/** The value of a live object; undefined when it has lost it. */
export function valueOf(kind: Kind, object: KubeObject): string | undefined {
  const live = liveField(kind, object, 'value');
  return kind === 'mappings' ? live?.replaceAll('/', '') : live;
}

/** Does it have what somebody added? */
export function hasAddition(key: Key, object: KubeObject, what: 'note' | 'extra'): boolean {
  if (what === 'note') return object.metadata.annotations?.[NOTE] !== undefined;
  return liveField(key.split('/')[0] as Kind, object, 'extra') !== undefined;
}

function liveField(kind: Kind, object: KubeObject, field: 'value' | 'extra'): string | undefined {
  const { data, spec } = object as {
    data?: Record<string, string>;
    spec?: Record<string, string> & { selector?: Record<string, string> };
  };
  switch (kind) {
    case 'configmaps':
      return data?.[field];
    case 'secrets':
      return data?.[field] === undefined ? undefined : Buffer.from(data[field], 'base64').toString();
    case 'widgets':
      return spec?.[field];
    case 'services':
      return field === 'value' ? spec?.selector?.['value'] : object.metadata.labels?.['extra'];
    case 'mappings':
      return field === 'value' ? spec?.['rewrite'] : spec?.['host_rewrite'];
  }
}
