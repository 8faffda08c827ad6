// drift.mode Prevent: the API server refuses what takes a declared field from us, whoever asks and however, and nothing else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Cluster } from './cluster.ts';
import type { World } from './operator.ts';
import { accountWith, editorOf, effective, guarded, preventCluster, preventWorld, refused } from './prevent.ts';
import { config, deployment, manifest, type Team } from './team.ts';
import { until } from './until.ts';

const APPLY = 'application/apply-patch+yaml';
let cluster: Cluster;
let world: World;
let team: Team;
let web: string;
let editor: string;
before(async () => {
  cluster = await preventCluster();
  world = await preventWorld(cluster);
  team = await guarded(world, 'shop', {
    'web.yaml': deployment('web', { replicas: 2 }),
    'a.yaml': config('a'),
    'free.yaml': deployment('free', { replicas: undefined }),
    'account.yaml': manifest('v1', 'ServiceAccount', 'account'),
  });
  web = world.path('apps/v1/deployments/web');
  await effective(world, 'apps/v1/deployments/web');
  editor = await editorOf(world);
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

const admitted = (path: string, body: unknown, options: object = {}) =>
  world.expect(200, 'PATCH', path, { body, ...options });

describe('refused', () => {
  it('kubectl edit and patch: the message names the fields, the source, and where to change them in Git', async () => {
    const message = await refused(world, 'PATCH', `${web}?fieldManager=kubectl-edit`, {
      body: { metadata: { labels: { 'plumbline.dev/name': null } }, spec: { replicas: 7, paused: true } },
    });
    const [, fields] = /denied request: (.*) is declared in Git by the/.exec(message)!;
    assert.deepEqual(fields!.split(', ').sort(), ['/metadata/labels/plumbline.dev/name', '/spec/replicas']);
    assert.ok(
      message.includes(`GitOpsSource ${world.namespace}/shop: change it there (${team.repository.url}, branch main)`),
    );
    assert.match(message, /plumbline:break-glass/);
  });

  it('kubectl set image, replace, scale, label, delete', async () => {
    const image = { spec: { template: { spec: { containers: [{ name: 'app', image: 'other:1' }] } } } };
    const contentType = 'application/strategic-merge-patch+json';
    assert.match(
      await refused(world, 'PATCH', web, { body: image, contentType }),
      /\/spec\/template\/spec is declared/,
    );
    const whole = (await world.get('apps/v1/deployments/web'))!;
    const body = { ...whole, spec: { ...(whole['spec'] as object), replicas: 9 } };
    await refused(world, 'PUT', web, { body });
    assert.match(
      await refused(world, 'PATCH', `${web}/scale`, { body: { spec: { replicas: 5 } } }),
      /the number of replicas is declared in Git by the GitOpsSource/,
    );
    const label = { metadata: { labels: { 'plumbline.dev/namespace': 'else' } } };
    await refused(world, 'PATCH', world.path('v1/serviceaccounts/account'), { body: label });
    assert.match(await refused(world, 'DELETE', web), /it is declared in Git by .*: remove it there/);
    await refused(world, 'DELETE', world.path('v1/configmaps'));
  });

  it('kubectl apply --server-side --force-conflicts, managedFields that are cleared, our name', async () => {
    const stolen = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 4 } };
    await refused(world, 'PATCH', `${web}?fieldManager=kubectl&force=true`, { body: stolen, contentType: APPLY });
    await refused(world, 'PATCH', web, { body: { metadata: { managedFields: [{}] } } });
    const { metadata, data } = (await world.get('v1/configmaps/a'))! as unknown as {
      metadata: { labels: object; annotations: object };
      data: object;
    };
    const { labels, annotations } = metadata;
    const same = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', labels, annotations } };
    // The same fields with other values: nothing in managedFields would show it.
    const path = `${world.path('v1/configmaps/a')}?fieldManager=plumbline&force=true`;
    const forged = { ...same, data: { ...data, key: 'forged' } };
    assert.match(await refused(world, 'PATCH', path, { body: forged, contentType: APPLY }), /use another name/);
  });

  it('the annotation that would open the object, to who may not edit the source', async () => {
    const open = { metadata: { annotations: { 'plumbline.dev/reconcile': 'disabled' } } };
    await refused(world, 'PATCH', web, { body: open, token: editor });
  });

  it('what is declared, also on an object that somebody says is only to be created: that counts in Git alone', async () => {
    const path = world.path('v1/configmaps/a');
    for (const value of ['IfNotPresent', 'Ignore']) {
      await admitted(path, { metadata: { annotations: { 'plumbline.dev/ssa': value } } });
      await refused(world, 'PATCH', path, { body: { data: { key: 'opened' } }, token: editor });
    }
    await admitted(path, { metadata: { annotations: { 'plumbline.dev/ssa': null } } });
  });

  // The server lets annotations of a built-in kind be written with its status.
  it('what is declared, by way of the status', async () => {
    const path = `${web}/status?fieldManager=status-writer`;
    const note = { metadata: { annotations: { 'plumbline.dev/owner': 'nobody' } } };
    assert.match(
      await refused(world, 'PATCH', path, { body: note }),
      /\/metadata\/annotations\/plumbline.dev\/owner is/,
    );
    const open = { metadata: { annotations: { 'plumbline.dev/reconcile': 'disabled' } } };
    const rules = [{ apiGroups: ['apps'], resources: ['deployments/status'], verbs: ['get', 'patch'] }];
    const token = await accountWith(world, 'status-writer', rules);
    await refused(world, 'PATCH', path, { body: open, token });
    await refused(world, 'PATCH', path, { body: note, token });
  });
});

// An expression that costs more than the API server allows would be let through.
it('objects of the largest size, within what the API server lets an expression cost', async () => {
  const keys = Array.from({ length: 8_000 }, (_, index) => `key-${index}`);
  const env = Array.from({ length: 60 }, (_, index) => ({ name: `VARIABLE_${index}`, value: 'x'.repeat(20) }));
  const containers = Array.from({ length: 60 }, (_, index) => ({ name: `c-${index}`, image: 'a:1', env }));
  const labels = { app: 'large' };
  const template = { metadata: { labels }, spec: { containers } };
  const large = await guarded(world, 'large', {
    'a.yaml': config('large', Object.fromEntries(keys.map((key) => [key, 'x'.repeat(60)]))),
    'b.yaml': manifest('apps/v1', 'Deployment', 'large', {
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    }),
  });
  await effective(world, 'v1/configmaps/large');
  const path = world.path('v1/configmaps/large');
  const all = Object.fromEntries(keys.map((key) => [key, 'other']));
  assert.match(await refused(world, 'PATCH', path, { body: { data: all } }), /\/data\/key-\d+, .*… is declared/);
  await refused(world, 'PATCH', path, { body: { metadata: { managedFields: [{}] } } });
  await admitted(path, { data: { other: 'mine' } });
  const deployed = world.path('apps/v1/deployments/large');
  await refused(world, 'PATCH', deployed, { body: { metadata: { managedFields: [{}] } } });
  await refused(world, 'PATCH', deployed, { body: { spec: { template: { spec: { containers: [containers[0]] } } } } });
  await admitted(deployed, { metadata: { annotations: { note: 'x' } } });
  await large.condition('Ready', 'True');
});

describe('passes', () => {
  it('what is not declared: annotations, labels, rollout restart, an env entry, a finalizer', async () => {
    await admitted(web, { metadata: { annotations: { note: 'x' }, labels: { mine: 'y' } } });
    const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-11-21T12:00:00Z' };
    await admitted(web, { spec: { template: { metadata: { annotations } } } });
    const env = { spec: { template: { spec: { containers: [{ name: 'app', env: [{ name: 'A', value: '1' }] }] } } } };
    await admitted(web, env, { contentType: 'application/strategic-merge-patch+json' });
    await admitted(world.path('v1/configmaps/a'), { metadata: { finalizers: ['example.com/held'] } });
    await admitted(world.path('v1/configmaps/a'), { metadata: { finalizers: null } });
    await admitted(world.path('v1/configmaps/a'), { data: { other: 'mine' } });
    await admitted(web, { spec: { replicas: 2 } });
  });

  it('replicas that Git does not declare, and those that stay as they are', async () => {
    await admitted(`${world.path('apps/v1/deployments/free')}/scale`, { spec: { replicas: 3 } });
    await admitted(world.path('apps/v1/deployments/free'), { spec: { replicas: 1 } });
    await admitted(`${web}/scale`, { spec: { replicas: 2 } });
  });

  it('status, and a rehearsal', async () => {
    const condition = { type: 'Probe', status: 'True', reason: 'a', message: '' };
    await admitted(`${web}/status`, { status: { conditions: [condition] } });
    await admitted(`${web}/status`, { metadata: { annotations: { note: 'by status' } } });
    await admitted(`${web}?dryRun=All`, { spec: { replicas: 7 } });
  });

  it('what is nobody of ours: a copy of the labels, an object without them', async () => {
    const { labels, annotations } = (await world.get('v1/configmaps/a'))!.metadata;
    const copy = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'copy', labels, annotations },
      data: { a: '1' },
    };
    await world.expect(201, 'POST', world.path('v1/configmaps'), { body: copy });
    await admitted(world.path('v1/configmaps/copy'), { data: { a: '2' } });
    await world.expect(200, 'DELETE', world.path('v1/configmaps/copy'));
  });

  it('the operator itself: new commits, and pruning', async () => {
    await team.push({ 'b.yaml': config('b'), 'web.yaml': deployment('web', { replicas: 1, image: 'app:2' }) });
    await effective(world, 'v1/configmaps/b');
    await team.push({ 'b.yaml': null });
    await until(async () => (await world.get('v1/configmaps/b')) === undefined);
    await refused(world, 'PATCH', `${web}/scale`, { body: { spec: { replicas: 5 } } });
    await admitted(web, { metadata: { annotations: { note: 'z' } } });
  });
});
