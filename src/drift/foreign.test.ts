// What counts as somebody else's field, and the patch that takes it out. The real server's side is in test/drift-foreign-*.test.ts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import jsonPatch from 'fast-json-patch';
import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { formatPath } from './fields.ts';
import { foreignField, foreignFields } from './foreign.ts';
import { DEFAULT_POLICY, policyFor, type DriftPolicy } from './policy.ts';
import { disowned, removal } from './removal.ts';

const OURS = 'plumbline';
const identity = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
const kept = { identity, policy: { ssa: 'Override' } };
const declared: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: { selector: { app: 'web' }, template: { spec: { containers: [{ name: 'app', image: 'a' }], volumes: [] } } },
};
const ownFields: FieldsV1 = {
  'f:metadata': { 'f:labels': { 'f:app': {} } },
  'f:spec': {
    'f:selector': {},
    'f:template': {
      'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
    },
  },
};

/** Live as declared, with more. */
function live(spec: object, metadata: object, entries: ManagedFieldsEntry[], kind = 'Deployment'): KubeObject {
  const ours: ManagedFieldsEntry = {
    manager: OURS,
    operation: 'Apply',
    apiVersion: 'apps/v1',
    fieldsV1: ownFields,
  };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web', labels: { app: 'web' }, ...metadata, managedFields: [ours, ...entries] },
    spec: {
      selector: { app: 'web' },
      template: { spec: { containers: [{ name: 'app', image: 'a' }] } },
      ...spec,
    },
  };
}

function by(manager: string, fieldsV1: FieldsV1, more: ManagedFieldsEntry = {}): ManagedFieldsEntry {
  return { manager, operation: 'Update', apiVersion: 'apps/v1', time: '2026-01-01T00:00:00Z', fieldsV1, ...more };
}

const PAUSED: FieldsV1 = { 'f:spec': { 'f:paused': {} } };
const noted = (name: string): FieldsV1 => ({ 'f:metadata': { 'f:annotations': { '.': {}, [`f:${name}`]: {} } } });
const SIDECAR: FieldsV1 = {
  'f:spec': {
    'f:template': {
      'f:spec': { 'f:containers': { 'k:{"name":"dbg"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:resources': {} } } },
    },
  },
};
const withSidecar = {
  template: {
    spec: {
      containers: [
        { name: 'app', image: 'a' },
        { name: 'dbg', image: 'd', resources: {} },
      ],
    },
  },
};

interface Case {
  what: string;
  object: KubeObject;
  policy?: Partial<DriftPolicy>;
  /** Paths that are found. */
  found: string[];
  /** Paths of the patch, in its order; the same as `found` when left out. */
  removed?: string[];
}

const CASES: Case[] = [
  { what: 'a field', object: live({ paused: true }, {}, [by('kubectl-edit', PAUSED)]), found: ['/spec/paused'] },
  {
    what: 'an annotation and a label',
    object: live({}, { labels: { app: 'web', x: 'y' }, annotations: { n: '1' } }, [
      by('you', { 'f:metadata': { 'f:annotations': { '.': {}, 'f:n': {} }, 'f:labels': { 'f:x': {} } } }),
    ]),
    found: ['/metadata/labels/x', '/metadata/annotations/n'],
    removed: ['/metadata/labels/x', '/metadata/annotations'],
  },
  {
    what: 'a whole item, without its fields one by one',
    object: live(withSidecar, {}, [by('kubectl-edit', SIDECAR)]),
    found: ['/spec/template/spec/containers[name=dbg]'],
    removed: ['/spec/template/spec/containers/1'],
  },
  {
    what: 'a field of a declared item, not its key',
    object: live({ template: { spec: { containers: [{ name: 'app', image: 'a', tty: true }] } } }, {}, [
      by('you', {
        'f:spec': {
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:tty': {} } } },
          },
        },
      }),
    ]),
    found: ['/spec/template/spec/containers[name=app]/tty'],
    removed: ['/spec/template/spec/containers/0/tty'],
  },
  {
    what: 'several items: the later ones go first',
    object: live(
      {
        template: {
          spec: {
            containers: [
              { name: 'app', image: 'a', env: [{ name: 'A' }, { name: 'B' }] },
              { name: 'dbg', image: 'd' },
            ],
          },
        },
      },
      {},
      [
        by('you', {
          'f:spec': {
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"app"}': {
                    'f:env': {
                      '.': {},
                      'k:{"name":"A"}': { '.': {}, 'f:name': {} },
                      'k:{"name":"B"}': { '.': {}, 'f:name': {} },
                    },
                  },
                  'k:{"name":"dbg"}': { '.': {}, 'f:name': {}, 'f:image': {} },
                },
              },
            },
          },
        }),
      ],
    ),
    found: [
      '/spec/template/spec/containers[name=app]/env[name=A]',
      '/spec/template/spec/containers[name=app]/env[name=B]',
      '/spec/template/spec/containers[name=dbg]',
    ],
    removed: ['/spec/template/spec/containers/1', '/spec/template/spec/containers/0/env'],
  },
  {
    what: 'a tree, which goes whole',
    object: live({ strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }, type: 'RollingUpdate' } }, {}, [
      by('you', { 'f:spec': { 'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} } } } }),
    ]),
    found: ['/spec/strategy/rollingUpdate/maxSurge'],
    removed: ['/spec/strategy'],
  },
  {
    what: 'a tree in which a controller holds something: only the rest goes',
    object: live({ strategy: { rollingUpdate: { maxSurge: 1 }, type: 'RollingUpdate' } }, {}, [
      by('you', { 'f:spec': { 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {} } } } }),
      by('flagger', { 'f:spec': { 'f:strategy': { 'f:type': {} } } }),
    ]),
    found: ['/spec/strategy/rollingUpdate/maxSurge'],
    removed: ['/spec/strategy/rollingUpdate'],
  },
  {
    what: 'an item of one and a field in it of another: once',
    object: live(withSidecar, {}, [
      by('kubectl-edit', SIDECAR),
      by('other', {
        'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"dbg"}': { 'f:image': {} } } } } },
      }),
    ]),
    found: ['/spec/template/spec/containers[name=dbg]', '/spec/template/spec/containers[name=dbg]/image'],
    removed: ['/spec/template/spec/containers/1'],
  },
  { what: 'nothing in status', object: live({}, {}, [by('you', { 'f:status': { 'f:replicas': {} } })]), found: [] },
  {
    what: 'nothing that comes through status',
    object: live({ paused: true }, {}, [by('you', PAUSED, { subresource: 'status' })]),
    found: [],
  },
  {
    what: 'replicas that a person scaled',
    object: live({ replicas: 3 }, {}, [by('kubectl', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' })]),
    found: ['/spec/replicas'],
  },
  {
    what: 'not those that an autoscaler scaled',
    object: live({ replicas: 3 }, {}, [by('keda', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' })]),
    found: [],
  },
  {
    what: 'no metadata of the server, finalizers or owners',
    object: live({}, { finalizers: ['x'], ownerReferences: [] }, [
      by('you', { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"x"': {} }, 'f:ownerReferences': {} } }),
    ]),
    found: [],
  },
  {
    what: 'not what a known controller does',
    object: live({ paused: true }, { annotations: { 'deployment.kubernetes.io/revision': '1' } }, [
      by('kube-controller-manager', noted('deployment.kubernetes.io/revision')),
      by('rollouts-controller', PAUSED),
    ]),
    found: [],
  },
  {
    what: 'not the mark of kubectl rollout restart, but what stands beside it',
    object: live(
      {
        template: {
          metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now', n: '1' } },
          spec: { containers: [{ name: 'app', image: 'a' }] },
        },
      },
      {},
      [
        by('kubectl-rollout', {
          'f:spec': {
            'f:template': {
              'f:metadata': { 'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/restartedAt': {}, 'f:n': {} } },
            },
          },
        }),
      ],
    ),
    found: ['/spec/template/metadata/annotations/n'],
  },
  {
    what: 'not what an allowed manager holds as well',
    object: live({ paused: true }, {}, [by('you', PAUSED), by('friend-1', PAUSED)]),
    policy: { allowManagers: ['friend-*'] },
    found: [],
  },
  { what: 'not what was given up', object: live({ paused: true }, {}, [by('plumbline-initial', PAUSED)]), found: [] },
  {
    what: 'not what is ignored',
    object: live({ paused: true }, { annotations: { n: '1', m: '1' } }, [
      by('you', { ...PAUSED, 'f:metadata': { 'f:annotations': { '.': {}, 'f:n': {}, 'f:m': {} } } }),
    ]),
    policy: { ignore: [{ paths: ['/spec/paused', '/metadata/annotations/n'] }] },
    found: ['/metadata/annotations/m'],
  },
  {
    what: 'what is ignored for another manager',
    object: live({ paused: true }, {}, [by('you', PAUSED)]),
    policy: { ignore: [{ paths: ['/spec/paused'], managers: ['me'] }] },
    found: ['/spec/paused'],
  },
  {
    what: 'not what is ignored for this one',
    object: live({ paused: true }, {}, [by('me', PAUSED)]),
    policy: { ignore: [{ paths: ['/spec/paused'], managers: ['me'] }] },
    found: [],
  },
  {
    what: 'not what is declared: losing that is drift',
    object: live({ template: { spec: { containers: [{ name: 'app', image: 'b' }] } } }, {}, [
      by('you', {
        'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } } } },
      }),
    ]),
    found: [],
  },
  {
    what: 'of an entry in another version only the metadata',
    object: live({ paused: true }, { annotations: { n: '1' } }, [
      by('you', { ...PAUSED, ...noted('n') }, { apiVersion: 'apps/v1beta1' }),
    ]),
    found: ['/metadata/annotations/n'],
    removed: ['/metadata/annotations'],
  },
  {
    what: 'the CA bundle that somebody injects',
    object: live(
      { conversion: { webhook: { clientConfig: { caBundle: 'x' } } } },
      {},
      [by('somebody', { 'f:spec': { 'f:conversion': { 'f:webhook': { 'f:clientConfig': { 'f:caBundle': {} } } } } })],
      'CustomResourceDefinition',
    ),
    found: [],
  },
  { what: 'nothing that is not there any more', object: live({}, {}, [by('you', PAUSED)]), found: [] },
];

describe('foreign fields are', () => {
  for (const { what, object, policy, found, removed = found } of CASES) {
    it(what, () => {
      const { tolerated } = policyFor({ ...DEFAULT_POLICY, foreignFields: 'Remove', ...policy }, kept, declared);
      const input = { declared, live: object, manager: OURS, tolerated };
      const fields = foreignFields(input);
      assert.deepEqual(
        fields.map(({ path }) => formatPath(path)),
        found,
      );
      const patch = removal(input, fields);
      assert.deepEqual(
        patch.map(({ path }) => path),
        removed,
      );
      const after = jsonPatch.applyPatch(object, structuredClone(patch), true, false).newDocument;
      assert.deepEqual(foreignFields({ ...input, live: after }), [], 'nothing is left after the patch');
    });
  }

  it('an item beside a declared one that leaves a part of its key out', () => {
    const port = (protocol: string, nodePort?: number) => ({ port: 53, protocol, ...(nodePort && { nodePort }) });
    const held = { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:nodePort': {} };
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'dns',
        managedFields: [
          {
            manager: OURS,
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsV1: { 'f:spec': { 'f:ports': { 'k:{"port":53,"protocol":"TCP"}': { '.': {}, 'f:port': {} } } } },
          },
          by(
            'you',
            {
              'f:spec': {
                'f:ports': {
                  'k:{"port":53,"protocol":"TCP"}': { 'f:nodePort': {} },
                  'k:{"port":53,"protocol":"UDP"}': held,
                },
              },
            },
            { apiVersion: 'v1' },
          ),
        ],
      },
      spec: { ports: [port('UDP', 30_002), port('TCP', 30_001)] },
    };
    const inGit = (ports: object[]) => ({ declared: { ...object, spec: { ports } }, live: object, manager: OURS });
    const paths = (ports: object[]) =>
      foreignFields({ ...inGit(ports), tolerated: [] }).map(({ path }) => formatPath(path));
    const nodePort = '/spec/ports[port=53,protocol=TCP]/nodePort';
    assert.deepEqual(paths([{ port: 53 }]), [nodePort, '/spec/ports[port=53,protocol=UDP]']);
    assert.deepEqual(paths([{ port: 53 }, port('UDP')]), [nodePort, '/spec/ports[port=53,protocol=UDP]/nodePort']);
  });

  it('nobody’s once they are disowned, and an entry that holds nothing else goes', () => {
    const both: FieldsV1 = { 'f:spec': { ...PAUSED['f:spec'], 'f:replicas': {} } };
    const object = live({ paused: true, replicas: 1 }, {}, [by('you', PAUSED), by('me', both), by('old', SIDECAR)]);
    const paused = { path: [{ field: 'spec' }, { field: 'paused' }], live: true, owner: {} };
    const left = disowned(object, OURS, [paused]).map(({ manager, fieldsV1 }) => [manager, fieldsV1]);
    assert.deepEqual(left, [
      [OURS, ownFields],
      ['me', { 'f:spec': { 'f:replicas': {} } }],
      ['old', SIDECAR],
    ]);
  });

  it('told with their owner and no declared value', () => {
    const { tolerated } = policyFor({ foreignFields: 'Report' }, kept, declared);
    const object = live({ paused: true }, {}, [by('old', PAUSED), by('new', PAUSED, { time: '2026-01-02T00:00:00Z' })]);
    assert.deepEqual(foreignFields({ declared, live: object, manager: OURS, tolerated }).map(foreignField), [
      {
        path: '/spec/paused',
        declared: undefined,
        live: true,
        manager: 'new',
        operation: 'Update',
        time: '2026-01-02T00:00:00Z',
      },
    ]);
  });

  it('nobody’s business where the manifest says Merge', () => {
    const merged = policyFor({ foreignFields: 'Remove' }, { identity, policy: { ssa: 'Merge' } }, declared);
    assert.equal(merged.foreignFields, 'Leave');
  });
});
