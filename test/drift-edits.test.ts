// Edits of a managed object by everybody else, on the real API server: what is judged, what is told, and that one apply heals.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { explain, type DriftedField } from '../src/drift/explain.ts';
import { formatPath, ownEntry, parsePath } from '../src/drift/fields.ts';
import { resolve } from '../src/drift/lookup.ts';
import { pick } from '../src/drift/handover.ts';
import { withoutPaths } from '../src/drift/ignore.ts';
import { baselineOf, judge, type Judgement } from '../src/drift/judge.ts';
import { rewritten } from '../src/drift/notation.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { freshNamespace, sharedCluster, type Cluster } from './cluster.ts';
import { apply, installShapes, labelled, OURS, patch, pathOf, read, shapes } from './drift-cluster.ts';

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';

let cluster: Cluster;

before(async () => {
  cluster = await sharedCluster();
  await installShapes(cluster);
});

interface Managed {
  declared: KubeObject;
  judge: (live?: KubeObject) => Promise<Judgement>;
  merge: (body: unknown, manager?: string) => Promise<KubeObject>;
  strategic: (body: unknown) => Promise<KubeObject>;
  json: (...operations: { op: string; path: string; value?: unknown }[]) => Promise<KubeObject>;
  scale: (replicas: number, manager: string) => Promise<KubeObject>;
  thief: (fields: Record<string, unknown>, manager?: string) => Promise<KubeObject>;
}

/** One of the shapes, applied by us in a namespace of its own. */
async function managed(kind: string, name: string): Promise<Managed> {
  const namespace = await freshNamespace(cluster, 'edits');
  const declared = labelled(shapes(namespace).find((object) => object.kind === kind && object.metadata.name === name)!);
  const baseline = baselineOf(declared, await apply(cluster, declared), OURS);
  const { apiVersion } = declared;
  return {
    declared,
    judge: async (live) => judge({ declared, live: live ?? (await read(cluster, declared)), manager: OURS, baseline }),
    merge: (body, manager = 'kubectl-edit') => patch(cluster, declared, body, MERGE, manager),
    strategic: (body) => patch(cluster, declared, body, STRATEGIC, 'kubectl-patch'),
    json: (...operations) => patch(cluster, declared, operations, JSON_PATCH, 'kubectl-edit'),
    scale: (replicas, manager) => patch(cluster, declared, { spec: { replicas } }, MERGE, manager, '/scale'),
    thief: (fields, manager = 'thief') =>
      apply(cluster, { apiVersion, kind, metadata: { name, namespace }, ...fields }, manager),
  };
}

type Told = Omit<DriftedField, 'time'>;

interface EditCase {
  edit: string;
  of: [kind: string, name: string];
  by: (object: Managed) => Promise<unknown>;
  told: Told[];
}

const DEPLOYMENT: [string, string] = ['Deployment', 'web'];
const SHAPE: [string, string] = ['Shape', 'full'];
const edited = { manager: 'kubectl-edit', operation: 'Update' } as const;
const patched = { manager: 'kubectl-patch', operation: 'Update' } as const;
const removed = { live: undefined, operation: 'Removed' } as const;
const app = '/spec/template/spec/containers[name=app]';
const container = (fields: Record<string, unknown>) => ({
  spec: { template: { spec: { containers: [{ name: 'app', ...fields }] } } },
});

const EDITS: EditCase[] = [
  {
    edit: 'merge patch of a scalar',
    of: DEPLOYMENT,
    by: (object) => object.merge({ spec: { replicas: 5 } }),
    told: [{ path: '/spec/replicas', declared: 2, live: 5, ...edited }],
  },
  {
    edit: 'a declared label removed',
    of: DEPLOYMENT,
    by: (object) => object.merge({ metadata: { labels: { 'example.com/team': null } } }),
    told: [{ path: '/metadata/labels/example.com~1team', declared: 'shop', ...removed }],
  },
  {
    edit: 'a declared annotation changed',
    of: DEPLOYMENT,
    by: (object) => object.merge({ metadata: { annotations: { 'example.com/empty': 'x' } } }),
    told: [{ path: '/metadata/annotations/example.com~1empty', declared: '', live: 'x', ...edited }],
  },
  {
    edit: 'all data removed',
    of: ['ConfigMap', 'config'],
    by: (object) => object.json({ op: 'remove', path: '/data' }),
    told: [{ path: '/data', declared: { a: '1', empty: '', 'file.yaml': 'x: 1\ny: 2\n' }, ...removed }],
  },
  {
    edit: 'all data replaced',
    of: ['ConfigMap', 'config'],
    by: (object) => object.json({ op: 'replace', path: '/data', value: { a: '2', other: 'x' } }),
    told: [
      { path: '/data/a', declared: '1', live: '2', ...edited },
      { path: '/data/empty', declared: '', ...removed },
      { path: '/data/file.yaml', declared: 'x: 1\ny: 2\n', ...removed },
    ],
  },
  {
    edit: 'append to an atomic list',
    of: DEPLOYMENT,
    by: (object) => object.strategic(container({ args: ['--a', '--b', '--c'] })),
    told: [{ path: `${app}/args`, declared: ['--a', '--b'], live: ['--a', '--b', '--c'], ...patched }],
  },
  {
    edit: 'an image by strategic merge patch',
    of: DEPLOYMENT,
    by: (object) => object.strategic(container({ image: 'app:evil' })),
    told: [{ path: `${app}/image`, declared: 'app:1', live: 'app:evil', ...patched }],
  },
  {
    edit: 'an environment variable changed, another removed',
    of: DEPLOYMENT,
    by: (object) =>
      object.strategic(
        container({
          env: [
            { name: 'A', value: 'x' },
            { name: 'NODE', $patch: 'delete' },
          ],
        }),
      ),
    told: [
      { path: `${app}/env[name=A]/value`, declared: '', live: 'x', ...patched },
      {
        path: `${app}/env[name=NODE]`,
        declared: { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        ...removed,
      },
    ],
  },
  {
    edit: 'a container removed',
    of: DEPLOYMENT,
    by: (object) => object.json({ op: 'remove', path: '/spec/template/spec/containers/1' }),
    told: [
      {
        path: '/spec/template/spec/containers[name=sidecar]',
        declared: { name: 'sidecar', image: 'sidecar:1' },
        ...removed,
      },
    ],
  },
  {
    edit: 'a port whose key has a default',
    of: DEPLOYMENT,
    by: (object) =>
      object.json({ op: 'replace', path: '/spec/template/spec/containers/0/ports/0/containerPort', value: 54 }),
    told: [{ path: `${app}/ports[containerPort=53]`, declared: { containerPort: 53 }, ...removed }],
  },
  {
    edit: 'a declared empty map filled',
    of: DEPLOYMENT,
    by: (object) => object.merge({ spec: { template: { spec: { nodeSelector: { disk: 'ssd' } } } } }),
    told: [{ path: '/spec/template/spec/nodeSelector', declared: {}, live: { disk: 'ssd' }, ...edited }],
  },
  {
    edit: 'forced apply by another manager',
    of: DEPLOYMENT,
    by: (object) => object.thief({ spec: { replicas: 9 } }),
    told: [{ path: '/spec/replicas', declared: 2, live: 9, manager: 'thief', operation: 'Apply' }],
  },
  {
    edit: 'taken, and set to the declared value again',
    of: DEPLOYMENT,
    by: async (object) => {
      await object.thief({ spec: { replicas: 9 } });
      await object.thief({ spec: { replicas: 2 } });
    },
    told: [{ path: '/spec/replicas', declared: 2, live: 2, manager: 'thief', operation: 'Apply' }],
  },
  {
    edit: 'scale by a person',
    of: DEPLOYMENT,
    by: (object) => object.scale(7, 'kubectl'),
    told: [
      { path: '/spec/replicas', declared: 2, live: 7, manager: 'kubectl', operation: 'Update', subresource: 'scale' },
    ],
  },
  {
    edit: 'the ownership label stripped',
    of: ['ConfigMap', 'config'],
    by: (object) => object.merge({ metadata: { labels: { 'plumbline.dev/name': null } } }),
    told: [{ path: '/metadata/labels/plumbline.dev~1name', declared: 'shop', ...removed }],
  },
  {
    edit: 'a key of a ConfigMap changed, another removed',
    of: ['ConfigMap', 'config'],
    by: (object) => object.merge({ data: { a: '2', empty: null } }),
    told: [
      { path: '/data/a', declared: '1', live: '2', ...edited },
      { path: '/data/empty', declared: '', ...removed },
    ],
  },
  {
    edit: 'the data of a Secret replaced',
    of: ['Secret', 'opaque'],
    by: (object) => object.json({ op: 'replace', path: '/data', value: { user: 'YWRtaW4=', pass: 'eA==' } }),
    told: [{ path: '/data/pass', declared: 'aHVudGVyMg==', live: 'eA==', ...edited }],
  },
  {
    edit: 'a key added to an atomic map',
    of: ['Service', 'web'],
    by: (object) => object.merge({ spec: { selector: { extra: 'x' } } }),
    told: [{ path: '/spec/selector', declared: { app: 'web' }, live: { app: 'web', extra: 'x' }, ...edited }],
  },
  {
    edit: 'a target port',
    of: ['Service', 'web'],
    by: (object) => object.json({ op: 'replace', path: '/spec/ports/0/targetPort', value: 9999 }),
    told: [{ path: '/spec/ports[port=80,protocol=TCP]/targetPort', declared: 'http', live: 9999, ...edited }],
  },
  {
    edit: 'an atomic rule of a NetworkPolicy',
    of: ['NetworkPolicy', 'rules'],
    by: (object) => object.merge({ spec: { egress: null, policyTypes: ['Ingress'] } }),
    told: [
      { path: '/spec/policyTypes', declared: ['Ingress', 'Egress'], live: ['Ingress'], ...edited },
      { path: '/spec/egress', declared: [{}], ...removed },
    ],
  },
  {
    edit: 'a member taken out of a set',
    of: SHAPE,
    by: (object) => object.merge({ spec: { names: ['one', 'two', 'three'] } }),
    told: [{ path: '/spec/names[=a&b<c>]', declared: 'a&b<c>', ...removed }],
  },
  {
    edit: 'an item whose key has a declared default',
    of: SHAPE,
    by: (object) => object.json({ op: 'replace', path: '/spec/items/0/value', value: 7 }),
    told: [{ path: '/spec/items[protocol=TCP,zone=a]/value', declared: 1, live: 7, ...edited }],
  },
  {
    edit: 'an item of a nested list',
    of: SHAPE,
    by: (object) => object.json({ op: 'replace', path: '/spec/items/2/nested/0/name', value: 'y' }),
    told: [{ path: '/spec/items[protocol=TCP,zone=b]/nested[id=1]/name', declared: 'x', live: 'y', ...edited }],
  },
  {
    edit: 'an atomic list reordered',
    of: SHAPE,
    by: (object) => object.merge({ spec: { order: ['a', 'b', 'c'] } }),
    told: [{ path: '/spec/order', declared: ['c', 'a', 'b'], live: ['a', 'b', 'c'], ...edited }],
  },
  {
    edit: 'deep in a free-form map',
    of: SHAPE,
    by: (object) => object.merge({ spec: { mapping: { y: { deep: 2 } }, whole: { b: { c: 3 } } } }),
    told: [
      { path: '/spec/mapping/y/deep', declared: 1, live: 2, ...edited },
      { path: '/spec/whole', declared: { a: 1, b: { c: 2 } }, live: { a: 1, b: { c: 3 } }, ...edited },
    ],
  },
  {
    edit: 'a whole associative list replaced by others',
    of: SHAPE,
    by: (object) => object.merge({ spec: { items: [{ zone: 'z', value: 1 }] } }),
    told: [
      { path: '/spec/items[zone=a]', declared: { zone: 'a', value: 1 }, ...removed },
      { path: '/spec/items[protocol=UDP,zone=a]', declared: { zone: 'a', protocol: 'UDP', value: 2 }, ...removed },
      { path: '/spec/items[zone=b]', declared: { zone: 'b', nested: [{ id: 1, name: 'x' }] }, ...removed },
    ],
  },
  ...scalars(),
];

/** One value of each of many kinds, by kubectl edit. */
function scalars(): EditCase[] {
  const cases: [of: [string, string], path: string, declared: unknown, live: unknown][] = [
    [['PodDisruptionBudget', 'budget'], '/spec/minAvailable', '50%', 1],
    [['HorizontalPodAutoscaler', 'scaler'], '/spec/maxReplicas', 5, 9],
    [['CronJob', 'zoned'], '/spec/timeZone', 'Europe/Berlin', 'UTC'],
    [['CronJob', 'nightly'], '/spec/schedule', '@daily', '@hourly'],
    [['Ingress', 'in'], '/spec/ingressClassName', 'emissary', 'other'],
    [['Service', 'outside'], '/spec/externalName', 'example.com', 'example.org'],
    [['ResourceQuota', 'quota'], '/spec/hard/pods', '50', '60'],
    [['ServiceAccount', 'robot'], '/automountServiceAccountToken', false, true],
    [['StatefulSet', 'claims'], '/spec/template/spec/terminationGracePeriodSeconds', 0, 5],
    [['DaemonSet', 'agent'], '/spec/updateStrategy/rollingUpdate/maxUnavailable', '10%', 2],
    [['Lease', 'lease'], '/spec/holderIdentity', 'a', 'b'],
    [['ConfigMap', 'frozen'], '/data/b', 'x', 'y'],
    [SHAPE, '/spec/count', 9007199254740991, 1],
    [SHAPE, '/spec/port', 'http', 8080],
    [SHAPE, '/spec/flag', false, true],
  ];
  return cases.map(([of, path, declared, live]) => {
    const patch = path
      .slice(1)
      .split('/')
      .reduceRight<unknown>((inner, field) => ({ [field]: inner }), live);
    return { edit: path, of, by: (object) => object.merge(patch), told: [{ path, declared, live, ...edited }] };
  });
}

it('there are forty edits and more', () => assert.ok(EDITS.length >= 40, `${EDITS.length}`));

describe('somebody edits a declared field', () => {
  for (const { edit, of, by, told } of EDITS) {
    it(`${edit} (${of[0]})`, async () => {
      const object = await managed(...of);
      await by(object);
      const live = await read(cluster, object.declared);
      const judged = await object.judge(live);
      assert.equal(judged.kind, 'lost', JSON.stringify(judged));
      if (judged.kind !== 'lost') return;
      const fields = explain(judged.paths, object.declared, live, OURS);
      assert.deepEqual(
        fields.map((field) => Object.fromEntries(Object.entries(field).filter(([name]) => name !== 'time'))),
        told,
      );
      for (const { operation, subresource, time } of fields) {
        // The server stamps no time on what goes through the scale subresource.
        assert.equal(time === undefined, operation === 'Removed' || subresource === 'scale');
      }

      const healed = await apply(cluster, object.declared);
      assert.deepEqual(baselineOf(object.declared, healed, OURS)?.neverOwned, []);
      const after = judge({ declared: object.declared, live: healed, manager: OURS });
      // Quantities and the like differ for ever; nothing else may.
      const settled = after.kind === 'valuesDiffer' && rewritten(after.differences).length === 0;
      assert.ok(settled || after.kind === 'inSync', JSON.stringify(after));
    });
  }
});

describe('somebody does what is not drift', () => {
  const HARMLESS: [string, [string, string], (object: Managed) => Promise<unknown>][] = [
    ['adds an annotation', DEPLOYMENT, (object) => object.merge({ metadata: { annotations: { mine: 'x' } } })],
    ['adds a label', SHAPE, (object) => object.merge({ metadata: { labels: { mine: 'x' } } })],
    [
      'adds an environment variable',
      DEPLOYMENT,
      (object) => object.strategic(container({ env: [{ name: 'Z', value: 'z' }] })),
    ],
    [
      'adds a container',
      DEPLOYMENT,
      (object) =>
        object.json({ op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'mesh', image: 'mesh:1' } }),
    ],
    ['adds a key to a ConfigMap', ['ConfigMap', 'config'], (object) => object.merge({ data: { mine: 'x' } })],
    ['adds a member to a set', SHAPE, (object) => object.merge({ spec: { names: ['zero', 'one', 'a&b<c>', 'two'] } })],
    [
      'adds an item to an associative list',
      SHAPE,
      (object) => object.json({ op: 'add', path: '/spec/items/0', value: { zone: 'new', value: 0 } }),
    ],
    ['adds a finalizer', SHAPE, (object) => object.merge({ metadata: { finalizers: ['example.com/x'] } })],
    ['sets a field that is not declared', DEPLOYMENT, (object) => object.merge({ spec: { revisionHistoryLimit: 3 } })],
    ['applies the same value', DEPLOYMENT, (object) => object.thief({ spec: { replicas: 2 } })],
    [
      'writes status',
      SHAPE,
      (object) => patch(cluster, object.declared, { status: { phase: 'x' } }, MERGE, 'controller', '/status'),
    ],
  ];
  for (const [what, of, by] of HARMLESS) {
    it(`${what} (${of[0]})`, async () => {
      const object = await managed(...of);
      await by(object);
      assert.equal((await object.judge()).kind, 'inSync');
    });
  }
});

describe('replicas under an autoscaler', () => {
  it('are left alone, also when something else is healed, and a later apply without them keeps them', async () => {
    const object = await managed(...DEPLOYMENT);
    const scaled = await object.judge(
      await object.scale(7, 'kube-controller-manager').then(() => read(cluster, object.declared)),
    );
    assert.equal(scaled.kind, 'surrendered');
    assert.ok(scaled.kind === 'surrendered');
    assert.deepEqual(scaled.paths.map(formatPath), ['/spec/replicas']);

    await object.strategic(container({ image: 'app:evil' }));
    const judged = await object.judge();
    assert.ok(judged.kind === 'lost');
    assert.deepEqual(judged.paths.map(formatPath), [`${app}/image`]);
    const sent = withoutPaths(object.declared, judged.surrendered.map(formatPath));
    const healed = await apply(cluster, sent);
    assert.equal((healed['spec'] as { replicas: number }).replicas, 7);
    const baseline = baselineOf(sent, healed, OURS)!;
    assert.deepEqual(baseline.neverOwned, []);
    assert.equal(judge({ declared: object.declared, live: healed, manager: OURS, baseline }).kind, 'inSync');
  });

  it('count as drift when the autoscaler writes the object itself, or is not on the list', async () => {
    const object = await managed(...DEPLOYMENT);
    await object.merge({ spec: { replicas: 5 } }, 'kube-controller-manager');
    assert.equal((await object.judge()).kind, 'lost');
    const live = await read(cluster, object.declared);
    assert.equal(judge({ declared: object.declared, live, manager: OURS, concessions: [] }).kind, 'lost');
  });
});

describe('a field that is given up', () => {
  it('keeps its live value when plumbline-initial shares it before we leave it out', async () => {
    const object = await managed(...DEPLOYMENT);
    const given = ['/spec/replicas', `${app}/image`];
    const fields = ownEntry(await read(cluster, object.declared), OURS)!.fieldsV1!;
    const handed = pick(object.declared, given, fields)!;
    const path = pathOf(handed, handed.metadata.namespace!);
    const unforced = `${path}?fieldManager=plumbline-initial&force=false&fieldValidation=Strict`;
    const answer = await cluster.request('PATCH', unforced, {
      body: handed,
      contentType: 'application/apply-patch+yaml',
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));

    const sent = withoutPaths(object.declared, given);
    const left = await apply(cluster, sent);
    assert.equal(resolve(left, parsePath('/spec/replicas')!), 2);
    assert.equal(resolve(left, parsePath(`${app}/image`)!), 'app:1');
    assert.deepEqual(baselineOf(sent, left, OURS)!.neverOwned, []);

    await object.merge({ spec: { replicas: 9 } });
    const later = await apply(cluster, sent);
    assert.equal(resolve(later, parsePath('/spec/replicas')!), 9);
    const baseline = baselineOf(sent, left, OURS);
    assert.equal(judge({ declared: sent, live: later, manager: OURS, baseline }).kind, 'inSync');
  });
});

describe('what coverage alone cannot see', () => {
  it('another value applied under our own name', async () => {
    const object = await managed(...DEPLOYMENT);
    await apply(cluster, { ...object.declared, spec: { ...(object.declared['spec'] as object), replicas: 8 } });
    const judged = await object.judge();
    assert.ok(judged.kind === 'valuesDiffer');
    const replicas = judged.differences.find(({ path }) => formatPath(path) === '/spec/replicas');
    assert.deepEqual([replicas?.declared, replicas?.live], [2, 8]);
  });

  it('fields that we hold and that are not declared any more', async () => {
    const object = await managed('ConfigMap', 'config');
    const data = { ...(object.declared['data'] as object), gone: 'x' };
    await apply(cluster, { ...object.declared, data });
    const judged = await object.judge();
    assert.ok(judged.kind === 'surplus');
    assert.deepEqual(judged.paths.map(formatPath), ['/data/gone']);
  });

  it('managedFields cleared', async () => {
    const object = await managed(...DEPLOYMENT);
    await object.merge({ metadata: { managedFields: [{}] }, spec: { replicas: 3 } });
    const judged = await object.judge();
    assert.ok(judged.kind === 'unowned');
    assert.ok(judged.differences.some(({ path }) => formatPath(path) === '/spec/replicas'));
  });

  it('an apply in another version of the API', async () => {
    const object = await managed(...SHAPE);
    await apply(cluster, { ...object.declared, apiVersion: 'shapes.example.com/v2' });
    assert.deepEqual(await object.judge(), { kind: 'versionChanged', from: 'shapes.example.com/v2' });
  });

  it('deletion, held up by a finalizer and done', async () => {
    const object = await managed('ConfigMap', 'config');
    await object.merge({ metadata: { finalizers: ['example.com/wait'] } });
    await cluster.request('DELETE', pathOf(object.declared, object.declared.metadata.namespace!));
    assert.deepEqual(await object.judge(), { kind: 'terminating' });
    assert.deepEqual(judge({ declared: object.declared, live: undefined, manager: OURS }), { kind: 'gone' });
  });
});
