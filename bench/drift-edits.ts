import type { KubeObject } from '../src/kube/object.ts';
import type { ClusterResponse, RequestOptions } from '../test/cluster-request.ts';

const APPLY = 'application/apply-patch+yaml';
const STRATEGIC = 'application/strategic-merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

export type Kind = 'Deployment' | 'ConfigMap' | 'Service' | 'Secret' | 'Mapping';

/** One source each; what is edited in `heal` and `remove` is put back, in `prevent` refused where that is possible. */
export const SOURCES = {
  heal: { mode: 'Heal' },
  remove: { mode: 'Heal', foreignFields: 'Remove' },
  prevent: { mode: 'Prevent', foreignFields: 'Remove' },
} as const;
export type SourceName = keyof typeof SOURCES;

/** A managed object, and how others write to it. */
export interface Target {
  readonly object: KubeObject;
  readonly send: (
    method: 'PATCH' | 'DELETE',
    options?: RequestOptions & { manager?: string; subresource?: string },
  ) => Promise<ClusterResponse<KubeObject>>;
}

export interface Edit {
  readonly what: string;
  readonly kind: Kind;
  /** Default: heal. */
  readonly source?: SourceName;
  /** `mark` is another text each time. */
  readonly by: (target: Target, mark: string) => Promise<ClusterResponse<KubeObject>>;
}

const merge = (body: object) => (target: Target) => target.send('PATCH', { body });
const json = (target: Target, op: string, path: string, value?: unknown) =>
  target.send('PATCH', { body: [{ op, path, ...(value !== undefined && { value }) }], contentType: JSON_PATCH });
const container = '/spec/template/spec/containers/0';

/** Every kind of drift that docs/drift.md tells of and that one request makes. */
export const EDITS: readonly Edit[] = [
  {
    what: 'value changed by kubectl edit',
    kind: 'Deployment',
    by: (target, mark) => target.send('PATCH', { body: { spec: { minReadySeconds: 100 + Number(mark) } } }),
  },
  {
    what: 'value changed by kubectl set image',
    kind: 'Deployment',
    by: (target, mark) => {
      const template = { spec: { containers: [{ name: 'app', image: `other:${mark}` }] } };
      return target.send('PATCH', { body: { spec: { template } }, contentType: STRATEGIC });
    },
  },
  {
    what: 'value taken by apply --server-side --force-conflicts',
    kind: 'Deployment',
    by: (target, mark) => stolen(target, 'thief', { spec: { minReadySeconds: 100 + Number(mark) } }),
  },
  {
    what: 'value applied under our field manager',
    kind: 'ConfigMap',
    by: (target, mark) => {
      const { labels, annotations } = target.object.metadata;
      return stolen(target, 'plumbline', { metadata: { labels, annotations }, data: { key: mark, other: 'value' } });
    },
  },
  {
    what: 'replicas changed by kubectl scale',
    kind: 'Deployment',
    by: (target, mark) =>
      target.send('PATCH', {
        body: { spec: { replicas: 2 + Number(mark) } },
        subresource: '/scale',
        manager: 'kubectl',
      }),
  },
  { what: 'declared field removed', kind: 'Deployment', by: merge({ spec: { minReadySeconds: null } }) },
  {
    what: 'list item removed',
    kind: 'Deployment',
    by: (target) => json(target, 'remove', `${container}/env/0`),
  },
  {
    what: 'item added to an atomic list',
    kind: 'Deployment',
    by: (target, mark) => json(target, 'add', `${container}/args/-`, `--more=${mark}`),
  },
  {
    what: 'atomic list reordered',
    kind: 'Deployment',
    by: (target) => json(target, 'replace', `${container}/args`, ['--b', '--a']),
  },
  {
    what: 'key added to an atomic map',
    kind: 'Service',
    by: (target, mark) => target.send('PATCH', { body: { spec: { selector: { more: `x${mark}` } } } }),
  },
  {
    what: 'declared label changed',
    kind: 'ConfigMap',
    by: (target, mark) => target.send('PATCH', { body: { metadata: { labels: { team: `x${mark}` } } } }),
  },
  { what: 'declared label removed', kind: 'ConfigMap', by: merge({ metadata: { labels: { team: null } } }) },
  {
    what: 'our own label stripped',
    kind: 'ConfigMap',
    by: merge({ metadata: { labels: { 'plumbline.dev/name': null } } }),
  },
  {
    what: 'declared annotation changed',
    kind: 'ConfigMap',
    by: (target, mark) => target.send('PATCH', { body: { metadata: { annotations: { note: mark } } } }),
  },
  {
    what: 'ConfigMap key changed',
    kind: 'ConfigMap',
    by: (target, mark) => target.send('PATCH', { body: { data: { key: mark } } }),
  },
  { what: 'ConfigMap key removed', kind: 'ConfigMap', by: merge({ data: { key: null } }) },
  {
    what: 'Secret value changed',
    kind: 'Secret',
    by: (target, mark) => target.send('PATCH', { body: { stringData: { token: mark } } }),
  },
  {
    what: 'Mapping field changed',
    kind: 'Mapping',
    by: (target, mark) => target.send('PATCH', { body: { spec: { prefix: `/edited-${mark}/` } } }),
  },
  {
    what: 'ownership taken, values unchanged',
    kind: 'ConfigMap',
    by: (target) => {
      const index = target.object.metadata.managedFields!.findIndex(({ manager }) => manager === 'plumbline');
      return json(target, 'replace', `/metadata/managedFields/${index}/manager`, 'thief');
    },
  },
  { what: 'managedFields cleared', kind: 'ConfigMap', by: merge({ metadata: { managedFields: [{}] } }) },
  { what: 'object deleted', kind: 'ConfigMap', by: (target) => target.send('DELETE') },
  {
    what: 'foreign label added, under Remove',
    kind: 'ConfigMap',
    source: 'remove',
    by: (target, mark) => target.send('PATCH', { body: { metadata: { labels: { foreign: `x${mark}` } } } }),
  },
  {
    what: 'foreign annotation added, under Remove',
    kind: 'ConfigMap',
    source: 'remove',
    by: (target, mark) => target.send('PATCH', { body: { metadata: { annotations: { foreign: mark } } } }),
  },
  {
    what: 'foreign key added, under Remove',
    kind: 'ConfigMap',
    source: 'remove',
    by: (target, mark) => target.send('PATCH', { body: { data: { foreign: mark } } }),
  },
  {
    what: 'foreign list item added, under Remove',
    kind: 'Deployment',
    source: 'remove',
    by: (target, mark) => json(target, 'add', `${container}/env/-`, { name: 'FOREIGN', value: mark }),
  },
];

function stolen(target: Target, manager: string, fields: { metadata?: object } & Record<string, unknown>) {
  const { apiVersion, kind, metadata } = target.object;
  const body = { apiVersion, kind, ...fields, metadata: { name: metadata.name, ...fields.metadata } };
  return target.send('PATCH', { body, contentType: APPLY, manager: `${manager}&force=true` });
}
