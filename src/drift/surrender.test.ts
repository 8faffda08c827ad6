// Which lost fields are left to whom. The autoscaler's own cases are in judge.test.ts, a real server's in test/drift-ignore-managers.test.ts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { formatPath, parsePath } from './fields.ts';
import { AUTOSCALED, partLost, type Concession } from './surrender.ts';

const declared: KubeObject = {
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'x', labels: { app: 'x', tier: 'y' } },
  spec: {
    replicas: 2,
    selector: { app: 'x' },
    containers: [
      { name: 'app', image: 'a', args: ['-v'] },
      { name: 'side', image: 's' },
    ],
    ports: [{ port: 53, name: 'dns' }],
  },
};

/** Where only what nobody holds is gone. */
const live: KubeObject = { ...declared, spec: { ...(declared['spec'] as object), paused: true } };

const held = (manager: string, fieldsV1: FieldsV1, more: ManagedFieldsEntry = {}): ManagedFieldsEntry => ({
  manager,
  operation: 'Update',
  fieldsV1,
  ...more,
});
const by = (managers: string[], ...paths: string[]): Concession => ({ managers, paths });
const image = (name: string): FieldsV1 => ({
  'f:spec': { 'f:containers': { [`k:{"name":"${name}"}`]: { 'f:image': {} } } },
});

const CASES: [
  what: string,
  lost: string,
  holders: ManagedFieldsEntry[],
  Concession[],
  surrendered: string[],
  lost: string[],
][] = [
  [
    'a field to its holder',
    '/spec/replicas',
    [held('hpa', { 'f:spec': { 'f:replicas': {} } })],
    [by(['hpa'], '/spec/replicas')],
    ['/spec/replicas'],
    [],
  ],
  [
    'not to another one',
    '/spec/replicas',
    [held('you', { 'f:spec': { 'f:replicas': {} } })],
    [by(['hpa'], '/spec/replicas')],
    [],
    ['/spec/replicas'],
  ],
  [
    'not what nobody holds',
    '/spec/replicas',
    [held('hpa', { 'f:status': {} })],
    [by(['hpa'], '/spec/replicas')],
    [],
    ['/spec/replicas'],
  ],
  [
    'not another field',
    '/spec/replicas',
    [held('hpa', { 'f:spec': { 'f:replicas': {} } })],
    [by(['hpa'], '/spec/paused')],
    [],
    ['/spec/replicas'],
  ],
  [
    'everything below what is conceded',
    '/metadata/labels/tier',
    [held('m', { 'f:metadata': { 'f:labels': { 'f:tier': {} } } })],
    [by(['m'], '/metadata/labels')],
    ['/metadata/labels/tier'],
    [],
  ],
  [
    'of a keyed item',
    '/spec/containers[name=app]/image',
    [held('m', image('app'))],
    [by(['m'], '/spec/containers[name=app]/image')],
    ['/spec/containers[name=app]/image'],
    [],
  ],
  [
    'not of another item',
    '/spec/containers[name=side]/image',
    [held('m', image('side'))],
    [by(['m'], '/spec/containers[name=app]/image')],
    [],
    ['/spec/containers[name=side]/image'],
  ],
  [
    'of every item',
    '/spec/containers[name=side]/image',
    [held('m', image('side'))],
    [by(['m'], '/spec/containers/*/image')],
    ['/spec/containers[name=side]/image'],
    [],
  ],
  [
    'of an item by its place',
    '/spec/containers[name=side]/image',
    [held('m', image('side'))],
    [by(['m'], '/spec/containers/1/image')],
    ['/spec/containers[name=side]/image'],
    [],
  ],
  [
    'of an item whose key the server completed',
    '/spec/ports[port=53,protocol=TCP]/name',
    [held('m', { 'f:spec': { 'f:ports': { 'k:{"port":53,"protocol":"TCP"}': { 'f:name': {} } } } })],
    [by(['m'], '/spec/ports[port=53]/name')],
    ['/spec/ports[port=53,protocol=TCP]/name'],
    [],
  ],
  [
    'an atomic node',
    '/spec/selector',
    [held('m', { 'f:spec': { 'f:selector': {} } })],
    [by(['m'], '/spec/selector')],
    ['/spec/selector'],
    [],
  ],
  [
    'not an atomic node for a part of it',
    '/spec/selector',
    [held('m', { 'f:spec': { 'f:selector': {} } })],
    [by(['m'], '/spec/selector/app')],
    [],
    ['/spec/selector'],
  ],
  [
    'the conceded part of a lost map',
    '/metadata/labels',
    [held('m', { 'f:metadata': { 'f:labels': { 'f:app': {}, 'f:tier': {} } } })],
    [by(['m'], '/metadata/labels/tier')],
    ['/metadata/labels/tier'],
    ['/metadata/labels/app'],
  ],
  [
    'a lost map whole when all of it is conceded',
    '/metadata/labels',
    [held('m', { 'f:metadata': { 'f:labels': { 'f:app': {}, 'f:tier': {} } } })],
    [by(['m'], '/metadata/labels')],
    ['/metadata/labels'],
    [],
  ],
  [
    'not the removed part of a lost map',
    '/metadata/labels',
    [held('m', { 'f:metadata': { 'f:labels': { 'f:app': {} } } })],
    [by(['m'], '/metadata/labels')],
    ['/metadata/labels/app'],
    ['/metadata/labels/tier'],
  ],
  [
    'never the key of an item without its item',
    '/spec/containers[name=app]',
    [held('m', { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } } } })],
    [by(['m'], '/spec/containers')],
    ['/spec/containers[name=app]/image'],
    ['/spec/containers[name=app]/args'],
  ],
  [
    'what is written through the subresource',
    '/spec/replicas',
    [held('keda', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' })],
    [AUTOSCALED],
    ['/spec/replicas'],
    [],
  ],
  [
    'not the same without it',
    '/spec/replicas',
    [held('keda', { 'f:spec': { 'f:replicas': {} } })],
    [AUTOSCALED],
    [],
    ['/spec/replicas'],
  ],
  [
    'shared with somebody else',
    '/spec/replicas',
    [held('hpa', { 'f:spec': { 'f:replicas': {} } }), held('you', { 'f:spec': { 'f:replicas': {} } })],
    [by(['hpa'], '/spec/replicas')],
    ['/spec/replicas'],
    [],
  ],
  [
    'by a path that is none: nothing',
    '/spec/replicas',
    [held('m', { 'f:spec': { 'f:replicas': {} } })],
    [by(['m'], 'spec')],
    [],
    ['/spec/replicas'],
  ],
];

describe('a lost field is left', () => {
  for (const [what, lost, holders, concessions, surrendered, rest] of CASES) {
    it(what, () => {
      const path = parsePath(lost)!.map((step) =>
        'key' in step && 'port' in step.key ? { key: { ...step.key, port: 53 } } : step,
      );
      const parted = partLost([path], {
        declared,
        live: { ...live, metadata: { ...live.metadata, managedFields: holders } },
        concessions,
      });
      assert.deepEqual(parted.surrendered.map(formatPath), surrendered);
      assert.deepEqual(parted.lost.map(formatPath), rest);
    });
  }
});
