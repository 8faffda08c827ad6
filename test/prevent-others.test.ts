// drift.mode Prevent beside the cluster's own controllers, in an emergency, and for what is given up or handed over.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { freshNamespace, serviceAccountToken, type Cluster } from './cluster.ts';
import type { World } from './operator.ts';
import { accountWith, effective, guarded, guardIn, preventCluster, preventWorld, refused } from './prevent.ts';
import { config, crd, dataOf, deployment, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await preventCluster({ audit: true });
  world = await preventWorld(cluster);
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

const edit = (name: string, patch: object = { data: { key: 'edited' } }) =>
  world.edit(`v1/configmaps/${name}`, patch, 'somebody');

describe('an emergency', () => {
  it('who is in the group passes; the report says by which manager, the audit log of the API server who', async () => {
    const team = await guarded(world, 'glass', { 'a.yaml': config('glass-a'), 'web.yaml': deployment('glass-web') });
    await effective(world, 'v1/configmaps/glass-a');
    const token = cluster.tokens['ann']!;
    const path = world.path('v1/configmaps/glass-a');
    await world.expect(200, 'PATCH', `${path}?fieldManager=emergency`, { body: { data: { key: 'urgent' } }, token });
    const field = await until(async () => {
      const { drift } = await team.status();
      const healed = drift?.objects.find(({ name, action }) => name === 'glass-a' && action === 'Healed');
      return healed?.fields.find(({ path: changed }) => changed === '/data/key');
    });
    assert.deepEqual([field.manager, field.live], ['emergency', 'urgent']);
    assert.equal((await dataOf(world, 'glass-a'))?.['key'], 'value');
    const scale = `${world.path('apps/v1/deployments/glass-web')}/scale`;
    await world.expect(200, 'PATCH', scale, { body: { spec: { replicas: 3 } }, token });
    await world.expect(200, 'DELETE', path, { token });
    await present(world, 'glass-a');
    const audited = await until(() => {
      const lines = readFileSync(cluster.auditLog!, 'utf8')
        .split('\n')
        .filter((line) => line.includes('/break-glass'));
      const told = lines.map((line) => (JSON.parse(line) as { annotations: Record<string, string> }).annotations);
      return told.length >= 3 && told.flatMap((annotations) => Object.entries(annotations));
    });
    const by = (policy: string) =>
      audited.filter(([key]) => key === `${policy}.${world.namespace}/break-glass`).map(([, value]) => value);
    assert.deepEqual(by('plumbline-prevent'), ['ann changed /data/key', 'ann deleted it']);
    assert.deepEqual(by('plumbline-prevent-scale'), ['ann changed the number of replicas']);
  });

  it('what the emergency opened is open to all, until the annotation goes', async () => {
    const token = cluster.tokens['ann']!;
    const open = { metadata: { annotations: { 'plumbline.dev/reconcile': 'disabled' } } };
    const path = world.path('v1/configmaps/glass-a');
    await world.expect(200, 'PATCH', path, { body: open, token });
    await edit('glass-a');
    await edit('glass-a', { metadata: { annotations: { 'plumbline.dev/reconcile': null } } });
    await until(async () => (await dataOf(world, 'glass-a'))?.['key'] === 'value');
    await refused(world, 'PATCH', path, { body: { data: { key: 'again' } } });
  });
});

describe("the cluster's own controllers", () => {
  it('garbage collection deletes what its owner takes along', async () => {
    await guarded(world, 'garbage', { 'a.yaml': config('garbage-a') });
    await effective(world, 'v1/configmaps/garbage-a');
    const path = world.path('v1/configmaps');
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'garbage-owner' } };
    const { uid } = (await world.expect(201, 'POST', path, { body: owner })).metadata;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'garbage-owner', uid }];
    const before = await edit('garbage-a', { metadata: { ownerReferences } });
    await world.expect(200, 'DELETE', `${path}/garbage-owner`);
    // Deleted, and made again by the operator: another object.
    await until(async () => {
      const now = await world.get('v1/configmaps/garbage-a');
      return now !== undefined && now.metadata.uid !== before.metadata.uid;
    });
  });

  it('a namespace that is deleted goes with all that is managed in it', async () => {
    const elsewhere = `${world.namespace}-else`;
    await world.expect(201, 'POST', '/api/v1/namespaces', { body: { metadata: { name: elsewhere } } });
    await guarded(world, 'else', {
      'a.yaml': config('kept'),
      'b.yaml': config('gone', {}, { namespace: elsewhere }),
    });
    await effective(world, 'v1/configmaps/kept');
    await refused(world, 'DELETE', `/api/v1/namespaces/${elsewhere}/configmaps/gone`);
    await world.expect(200, 'DELETE', `/api/v1/namespaces/${elsewhere}`);
    await until(async () => (await cluster.request('GET', `/api/v1/namespaces/${elsewhere}`)).status === 404);
  });

  it('an object on its way out is anybody’s: finalizers end, whoever they belong to', async () => {
    const team = await guarded(world, 'final', {
      'a.yaml': config('final-a', { key: 'value' }, { finalizers: ['example.com/declared'] }),
      'b.yaml': config('final-b'),
    });
    await effective(world, 'v1/configmaps/final-a');
    await refused(world, 'PATCH', world.path('v1/configmaps/final-a'), { body: { metadata: { finalizers: null } } });
    await team.commit({ 'a.yaml': null });
    await until(async () => (await world.get('v1/configmaps/final-a'))?.metadata.deletionTimestamp);
    await edit('final-a', { metadata: { finalizers: null } });
    await present(world, 'final-a', false);
  });

  it('replicas: the autoscaler may scale, a person may not, and nobody declares what is ignored', async () => {
    const scaled = { 'web.yaml': deployment('auto', { replicas: 1 }) };
    await guarded(world, 'auto', scaled);
    const rule = { paths: ['/spec/replicas'], target: { kind: 'Deployment' } };
    await guarded(
      world,
      'ignored',
      { 'web.yaml': deployment('ignored', { replicas: 1 }) },
      { drift: { mode: 'Prevent', ignore: [rule] } },
    );
    await effective(world, 'apps/v1/deployments/auto');
    await effective(world, 'apps/v1/deployments/ignored');
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'horizontal-pod-autoscaler' } };
    await cluster.request('POST', '/api/v1/namespaces/kube-system/serviceaccounts', { body: account });
    const token = await serviceAccountToken(cluster, 'kube-system', 'horizontal-pod-autoscaler');
    const scale = (name: string) => `${world.path(`apps/v1/deployments/${name}`)}/scale`;
    const byHand = { body: { spec: { replicas: 5 } } };
    const manager = '?fieldManager=kube-controller-manager';
    const now = await world.expect(200, 'GET', scale('auto'));
    const body = { ...now, spec: { replicas: 3 } };
    await world.expect(200, 'PUT', `${scale('auto')}${manager}`, { body, token });
    await refused(world, 'PATCH', scale('auto'), byHand);
    await world.expect(200, 'PATCH', scale('ignored'), byHand);
    await world.edit('apps/v1/deployments/ignored', { spec: { replicas: 4 } });
    const { replicas } = (await world.get('apps/v1/deployments/auto'))!['spec'] as { replicas: number };
    assert.equal(replicas, 3);
  });

  it('a CRD whose list becomes another kind of list: its objects are applied again, and nobody is refused for it', async () => {
    const group = `${world.namespace}.example.com`;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.${group}`;
    const schema = (list: object) => ({
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { items: { type: 'array', ...list, items: ITEM } } },
      },
    });
    const definition = (list: object) => {
      const made = JSON.parse(JSON.stringify(DEFINITION)) as { spec: { versions: { schema: object }[] } };
      made.spec.versions[0]!.schema = { openAPIV3Schema: schema(list) };
      return { ...made, metadata: { name: `things.${group}` }, spec: { ...made.spec, group } };
    };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await world.expect(201, 'POST', crds, { body: definition({ 'x-kubernetes-list-type': 'atomic' }) });
    const spec = { spec: { items: [{ name: 'a', size: 1 }] } };
    await guarded(world, 'lists', { 'one.yaml': manifest(`${group}/v1`, 'Thing', 'one', spec) });
    const place = `${group}/v1/things/one`;
    await effective(world, place);
    const map = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
    await world.expect(200, 'PATCH', path, { body: { spec: definition(map).spec } });
    await until(async () => JSON.stringify((await world.get(place))?.metadata.managedFields).includes('k:{'), {
      what: 'our entry knows the items of the list',
    });
    await world.edit(place, { metadata: { annotations: { note: 'x' } } });
    const added = {
      spec: {
        items: [
          { name: 'a', size: 1 },
          { name: 'b', size: 2 },
        ],
      },
    };
    await world.edit(place, added);
    await refused(world, 'PATCH', world.path(place), { body: { spec: { items: [{ name: 'a', size: 3 }] } } });
  });

  it('a CRD that loses the version in Git: its controller goes on writing', async () => {
    const group = `lost.${world.namespace}.example.com`;
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await world.expect(201, 'POST', crds, {
      body: crd(group, 'Thing', 'things', ['v2', 'v1']),
      contentType: 'application/yaml',
    });
    await guarded(world, 'lost', {
      'a.yaml': manifest(`${group}/v1`, 'Thing', 'a', { spec: { size: 1 } }),
    });
    await effective(world, `${group}/v1/things/a`);
    const path = `${crds}/things.${group}`;
    const { spec } = (await world.expect(200, 'GET', path)) as unknown as { spec: { versions: { name: string }[] } };
    const versions = spec.versions.filter(({ name }) => name === 'v2');
    await world.expect(200, 'PATCH', path, { body: { spec: { versions } } });
    // What the API server does not know any more it drops with the next write, whoever writes: our entry goes.
    const write = () =>
      cluster.request('PATCH', `${world.path(`${group}/v2/things/a`)}?fieldManager=controller`, {
        body: { status: { seen: true } },
      });
    await until(async () => (await write()).status === 200, { what: 'the controller may write' });
  });
});

const ITEM = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, size: { type: 'integer' } },
};
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  spec: {
    scope: 'Namespaced',
    names: { kind: 'Thing', plural: 'things', singular: 'thing' },
    versions: [{ name: 'v1', served: true, storage: true, schema: {} }],
  },
};

describe('what is not kept', () => {
  it('manifests that say so, and objects that left Git, are anybody’s', async () => {
    const left = (name: string, annotation: string, value: string) =>
      config(name, { key: 'value' }, { annotations: { [annotation]: value } });
    const team = await guarded(
      world,
      'free',
      {
        'a.yaml': config('free-a'),
        'b.yaml': left('free-b', 'plumbline.dev/reconcile', 'disabled'),
        'c.yaml': left('free-c', 'plumbline.dev/ssa', 'IfNotPresent'),
        'd.yaml': config('free-d'),
      },
      { prune: false },
    );
    await effective(world, 'v1/configmaps/free-a');
    await edit('free-c');
    await refused(world, 'PATCH', world.path('v1/configmaps/free-d'), { body: { data: { key: 'early' } } });
    await team.push({ 'd.yaml': null });
    await until(async () => {
      const patch = { body: { data: { key: 'late' } } };
      return (await cluster.request('PATCH', world.path('v1/configmaps/free-d'), patch)).status === 200;
    });
    await world.expect(200, 'DELETE', world.path('v1/configmaps/free-d'));
    await refused(world, 'DELETE', world.path('v1/configmaps/free-a'));
  });

  it('a manager that drift.ignore names may take the field; others may not, and what it does beside is put back', async () => {
    const rule = { paths: ['/data/key'], managers: ['image-*'] };
    await guarded(
      world,
      'named',
      { 'a.yaml': config('named-a', { key: 'value', other: 'value' }) },
      { drift: { mode: 'Prevent', ignore: [rule] } },
    );
    await effective(world, 'v1/configmaps/named-a');
    await refused(world, 'PATCH', world.path('v1/configmaps/named-a'), { body: { data: { key: 'person' } } });
    const taken = { data: { key: 'updated', other: 'beside' } };
    await world.edit('v1/configmaps/named-a', taken, 'image-updater');
    await until(async () => (await dataOf(world, 'named-a'))?.['other'] === 'value');
    assert.equal((await dataOf(world, 'named-a'))?.['key'], 'updated');
  });

  it('a manager that drift.ignore names may have any name', async () => {
    const named = (name: string, manager: string) =>
      guarded(
        world,
        name,
        { 'a.yaml': config(name) },
        { drift: { mode: 'Prevent', ignore: [{ paths: ['/data/key'], managers: [manager] }] } },
      );
    await named('plus', 'c++ (x');
    await effective(world, 'v1/configmaps/plus');
    await world.edit('v1/configmaps/plus', { data: { key: 'theirs' } }, encodeURIComponent('c++ (x'));
    await named('dot', 'a.b*');
    await effective(world, 'v1/configmaps/dot');
    const path = world.path('v1/configmaps/dot');
    await refused(world, 'PATCH', `${path}?fieldManager=aXb`, { body: { data: { key: 'theirs' } } });
    await world.edit('v1/configmaps/dot', { data: { key: 'theirs' } }, 'a.b.c');
  });

  it('an object moves to a source with another account', async () => {
    const account = { name: 'other', namespace: world.namespace };
    await world.expect(201, 'POST', world.path('v1/serviceaccounts'), { body: { metadata: { name: 'other' } } });
    await world.expect(201, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      body: {
        metadata: { name: `other-${world.namespace}` },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', ...account }],
      },
    });
    const moving = config('moving', { key: 'value' }, { annotations: { 'plumbline.dev/adopt': 'true' } });
    const first = await guarded(world, 'first', { 'a.yaml': config('moving'), 'b.yaml': config('staying') });
    await effective(world, 'v1/configmaps/moving');
    const second = await Team.create(
      world,
      'second',
      { 'a.yaml': moving },
      { serviceAccountName: 'other', drift: { mode: 'Prevent' } },
    );
    await second.failure('moving', 'OwnedByOtherSource');
    const { uid } = (await world.get('v1/configmaps/moving'))!.metadata;
    await first.push({ 'a.yaml': null });
    await second.condition('Ready', 'True');
    await second.condition('DriftPrevented', 'True');
    await effective(world, 'v1/configmaps/moving');
    const now = (await world.get('v1/configmaps/moving'))!.metadata;
    assert.deepEqual([now.uid, now.labels?.['plumbline.dev/name']], [uid, 'second']);
  });
});

describe('nobody locks others out', () => {
  it('by whatever he writes on an object: what Git does not declare stays open', async () => {
    // Without pruning: what carries the marks of the source and is not in Git would be deleted at once.
    await guarded(world, 'bait', { 'a.yaml': config('bait') }, { prune: false });
    await effective(world, 'v1/configmaps/bait');
    const { namespace } = world;
    const forged = {
      labels: { 'plumbline.dev/name': 'bait', 'plumbline.dev/namespace': namespace },
      annotations: { 'plumbline.dev/owner': `${namespace}/bait:/ConfigMap/${namespace}/victim` },
    };
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'victim', ...forged }, data: { key: 'a' } };
    const contentType = 'application/apply-patch+yaml';
    const path = world.path('v1/configmaps/victim');
    await world.expect(201, 'PATCH', `${path}?fieldManager=plumbline`, { body, contentType });
    await edit('victim', { data: { key: 'b' } });
    await world.expect(200, 'DELETE', path);
  });

  it('by whatever he pushes: a namespace in which the source may write nothing has no guard of it', async () => {
    const elsewhere = await freshNamespace(cluster, 'elsewhere');
    const theirs = `/api/v1/namespaces/${elsewhere}/configmaps`;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs' } };
    await world.expect(201, 'POST', theirs, { body });
    await accountWith(world, 'homebound', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]);
    const team = await Team.create(
      world,
      'greedy',
      { 'a.yaml': config('greedy'), 'b.yaml': config('theirs', {}, { namespace: elsewhere }) },
      { serviceAccountName: 'homebound', drift: { mode: 'Prevent' } },
    );
    await team.condition('DriftPrevented', 'True');
    await effective(world, 'v1/configmaps/greedy');
    assert.equal(await guardIn(world, elsewhere), undefined);
    await world.expect(200, 'PATCH', `${theirs}/theirs`, { body: { data: { key: 'b' } } });
    await world.expect(200, 'DELETE', `${theirs}/theirs`);
  });
});

it('what lives in no namespace is guarded too', async () => {
  const name = `role-${world.namespace}`;
  const files = { 'a.yaml': manifest('rbac.authorization.k8s.io/v1', 'ClusterRole', name, { rules: [] }) };
  const team = await guarded(world, 'cluster', files);
  const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`;
  let round = 0;
  const edited = async () => {
    const labels = { 'plumbline.dev/name': `probe-${(round += 1)}` };
    const patch = { body: { metadata: { labels } } };
    return (await cluster.request('PATCH', `${path}?fieldManager=m${round}`, patch)).status;
  };
  await until(async () => (await edited()) === 403, { what: 'edits are refused', intervalMs: 200 });
  await refused(world, 'DELETE', path);
  await world.expect(200, 'PATCH', path, { body: { metadata: { annotations: { note: 'x' } } } });
  await team.patch({ spec: { drift: { mode: 'Heal' } } });
  await until(async () => (await cluster.request('DELETE', path)).status === 200, { what: 'it is open' });
});
