// spec.drift.foreignFields: Remove. What others add is drift: it goes, exactly it, and nothing that may stay.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const REMOVE = { drift: { foreignFields: 'Remove' as const } };

type Deployment = KubeObject & {
  spec: {
    strategy: unknown;
    template: {
      metadata: { annotations?: Record<string, string> };
      spec: { containers: Record<string, unknown>[]; volumes?: unknown[] };
    };
  };
};

const get = async (name: string) => (await world.get(`apps/v1/deployments/${name}`)) as Deployment;

const patch = (name: string, body: object, manager: string) =>
  world.expect(200, 'PATCH', `${world.path(`apps/v1/deployments/${name}`)}?fieldManager=${manager}`, {
    body,
    contentType: 'application/strategic-merge-patch+json',
  });

/** Paths of the fields that were taken out or put back, as the audit log has them. */
function healed(name: string): string[] {
  const lines = world.operator.lines.filter(({ audit, action }) => audit && action === 'healed');
  const own = lines.filter(({ object }) => (object as { name: string }).name === name);
  return own.flatMap(({ fields }) => (fields as { path: string }[]).map(({ path }) => path));
}

describe('foreign fields are removed', () => {
  it('labels, annotations and data; with an audit line and in the status', async () => {
    const team = await Team.ready(world, 'plain', { 'a.yaml': config('plain-a') }, REMOVE);
    const edit = { data: { extra: 'theirs' }, metadata: { labels: { x: 'y' }, annotations: { n: '1' } } };
    await world.edit('v1/configmaps/plain-a', edit, 'somebody');
    const object = await until(async () => {
      const now = await world.get('v1/configmaps/plain-a');
      return JSON.stringify(now?.['data']) === '{"key":"value"}' ? now : undefined;
    });
    assert.equal(object.metadata.labels?.['x'], undefined);
    assert.equal(object.metadata.annotations?.['n'], undefined);
    const managers = object.metadata.managedFields?.map(({ manager }) => manager);
    assert.deepEqual(managers, ['plumbline'], 'and nobody owns anything beside us');
    await until(() => healed('plain-a').length === 3);
    assert.deepEqual(healed('plain-a').sort(), ['/data/extra', '/metadata/annotations/n', '/metadata/labels/x']);
    const shown = await until(async () => (await team.status()).drift?.objects.find(({ name }) => name === 'plain-a'));
    const extra = shown.fields.find(({ path }) => path === '/data/extra');
    const { declared, live, manager, action } = extra!;
    assert.deepEqual([declared, live, manager, action], [undefined, 'theirs', 'somebody', 'Healed']);
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('list items by their key, trees whole, defaults come back; controllers and restarts keep theirs', async () => {
    const team = await Team.ready(world, 'deep', { 'web.yaml': deployment('deep', { replicas: 1 }) }, REMOVE);
    const initial = (await get('deep')).spec.strategy;
    const restarted = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
    await patch('deep', { spec: { template: { metadata: { annotations: restarted } } } }, 'kubectl-rollout');
    const template = {
      metadata: { annotations: { note: 'mine' } },
      spec: {
        containers: [
          {
            name: 'app',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
            tty: true,
          },
          { name: 'debug', image: 'debug:1' },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    };
    await patch('deep', { spec: { strategy: { rollingUpdate: { maxSurge: 3 } }, template } }, 'kubectl-edit');
    const now = await until(async () => {
      const { spec } = await get('deep');
      return spec.template.spec.containers.length === 1 && (await get('deep'));
    });
    const [container] = now.spec.template.spec.containers;
    assert.deepEqual([container?.['name'], container?.['env'], container?.['tty']], ['app', undefined, undefined]);
    assert.equal(now.spec.template.spec.volumes, undefined);
    assert.deepEqual(now.spec.strategy, initial, 'the server puts its defaults back');
    assert.deepEqual(now.spec.template.metadata.annotations, restarted);
    assert.ok(now.metadata.annotations?.['deployment.kubernetes.io/revision']);
    await until(() => healed('deep').length > 0, { what: 'the operator has heard of what it did' });
    assert.ok(
      !healed('deep').some((path) => path.includes('restartedAt') || path.includes('deployment.kubernetes.io')),
    );
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    const writes = team.writes.length;
    await world.edit('apps/v1/deployments/deep', { metadata: { annotations: { probe: '1' } } });
    await until(async () => (await get('deep')).metadata.annotations?.['probe'] === undefined);
    await until(() => team.writes.length === writes + 1);
    assert.deepEqual(healed('deep').slice(-1), ['/metadata/annotations/probe'], "what the server put back is nobody's");
  });

  it('once, where the API server puts the same value back as a default: it is nobody’s then', async () => {
    await Team.ready(world, 'default', { 'web.yaml': deployment('default') }, REMOVE);
    const { apiVersion, kind, metadata } = await get('default');
    const { name, namespace } = metadata;
    const same = { apiVersion, kind, metadata: { name, namespace }, spec: { revisionHistoryLimit: 10 } };
    await world.expect(200, 'PATCH', `${world.path('apps/v1/deployments/default')}?fieldManager=somebody`, {
      body: same,
      contentType: 'application/apply-patch+yaml',
    });
    const owners = async () => (await get('default')).metadata.managedFields!.map(({ manager }) => manager);
    await until(async () => !(await owners()).includes('somebody'), { what: 'somebody holds nothing' });
    await world.edit('apps/v1/deployments/default', { metadata: { labels: { probe: '1' } } });
    await until(() => healed('default').includes('/metadata/labels/probe'));
    assert.deepEqual(healed('default'), ['/spec/revisionHistoryLimit', '/metadata/labels/probe']);
    assert.equal(((await get('default')).spec as unknown as { revisionHistoryLimit: number }).revisionHistoryLimit, 10);
  });

  it('together with a declared field that was changed', async () => {
    const files = {
      'web.yaml': manifest('apps/v1', 'Deployment', 'both', {
        spec: {
          selector: { matchLabels: { app: 'both' } },
          template: { metadata: { labels: { app: 'both' } }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
        },
      }),
    };
    await Team.ready(world, 'both', files, REMOVE);
    const app = [{ name: 'app', image: 'app:2', tty: true }];
    await patch('both', { spec: { template: { spec: { containers: app } } } }, 'kubectl-edit');
    await until(async () => {
      const [container] = (await get('both')).spec.template.spec.containers;
      return container?.['image'] === 'app:1' && container['tty'] === undefined;
    });
  });

  it('never those of allowed managers, nor what is ignored', async () => {
    const drift = {
      foreignFields: 'Remove' as const,
      allowManagers: ['friend-*'],
      ignore: [{ paths: ['/metadata/annotations/free'] }, { paths: ['/data/bound'], managers: ['binder'] }],
    };
    await Team.ready(world, 'allowed', { 'a.yaml': config('allowed-a') }, { drift });
    const place = 'v1/configmaps/allowed-a';
    await world.edit(place, { data: { friendly: '1' } }, 'friend-1');
    await world.edit(place, { data: { bound: '1' } }, 'binder');
    await world.edit(place, { metadata: { annotations: { free: '1' } } }, 'anybody');
    await world.edit(place, { data: { other: '1', shared: '1' } }, 'anybody');
    await until(async () => (await dataOf(world, 'allowed-a'))?.['other'] === undefined);
    const object = (await world.get(place))!;
    assert.deepEqual(object['data'], { key: 'value', friendly: '1', bound: '1' });
    assert.equal(object.metadata.annotations?.['free'], '1');
    await world.edit(place, { data: { bound: '2' } }, 'anybody');
    await until(async () => (await dataOf(world, 'allowed-a'))?.['bound'] === undefined);
  });

  it('of what was there before: when it is adopted, after a restart, when the policy changes', async () => {
    await world.expect(201, 'POST', `${world.path('v1/configmaps/')}?fieldManager=other-operator`, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old-a' }, data: { key: 'x', old: 'theirs' } },
    });
    const team = await Team.ready(world, 'old', { 'a.yaml': config('old-a') }, REMOVE);
    await until(async () => (await dataOf(world, 'old-a'))?.['old'] === undefined);
    await world.operator.stop();
    await world.edit('v1/configmaps/old-a', { data: { later: 'theirs' } });
    world.startOperator();
    await until(async () => (await dataOf(world, 'old-a'))?.['later'] === undefined);
    await team.patch({ spec: { drift: { foreignFields: 'Leave' } } });
    await team.condition('Ready', 'True');
    await world.edit('v1/configmaps/old-a', { data: { left: 'theirs' } });
    await team.patch({ spec: { drift: { foreignFields: 'Remove' } } });
    await until(async () => (await dataOf(world, 'old-a'))?.['left'] === undefined);
  });

  it('never of an object that is applied by Merge: its manifest says that others have a part in it', async () => {
    const merged = { annotations: { 'plumbline.dev/ssa': 'Merge' } };
    await world.expect(201, 'POST', `${world.path('v1/configmaps/')}?fieldManager=helm`, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'merged-a' }, data: { key: 'x', old: 'theirs' } },
    });
    const files = { 'a.yaml': config('merged-a', { key: 'value' }, merged), 'b.yaml': config('merged-b') };
    const team = await Team.ready(world, 'merged', files, REMOVE);
    await world.edit('v1/configmaps/merged-a', { data: { key: 'edited', extra: 'theirs' } }, 'anybody');
    await until(async () => (await dataOf(world, 'merged-a'))?.['key'] === 'value');
    // Its neighbour shows that they are removed elsewhere, and that all events before this one were judged.
    await world.edit('v1/configmaps/merged-b', { data: { extra: 'theirs' } }, 'anybody');
    await until(async () => (await dataOf(world, 'merged-b'))?.['extra'] === undefined);
    const whole = { key: 'value', old: 'theirs', extra: 'theirs' };
    assert.deepEqual(await dataOf(world, 'merged-a'), whole);
    await team.push({ 'a.yaml': config('merged-a', { key: 'second' }, merged) });
    assert.deepEqual(await dataOf(world, 'merged-a'), { ...whole, key: 'second' });
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.ok(!healed('merged-a').some((path) => path !== '/data/key'), healed('merged-a').join());
    await team.push({ 'a.yaml': config('merged-a') });
    await until(async () => JSON.stringify(await dataOf(world, 'merged-a')) === JSON.stringify({ key: 'value' }), {
      what: 'without Merge they are drift again',
    });
  });

  it('only told with mode Report, as drift', async () => {
    const drift = { foreignFields: 'Remove' as const, mode: 'Report' as const };
    const team = await Team.ready(world, 'only', { 'a.yaml': config('only-a'), 'b.yaml': config('only-b') }, { drift });
    await world.edit('v1/configmaps/only-a', { data: { extra: 'theirs' } });
    await team.condition('Drifted', 'True', { reason: 'DriftDetected' });
    await team.push({ 'b.yaml': config('only-b', { key: 'new' }) });
    assert.deepEqual(await dataOf(world, 'only-a'), { key: 'value', extra: 'theirs' });
    await world.edit('v1/configmaps/only-a', { data: { extra: null } });
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });

  it('but one that cannot be removed is a failure that says so, and changes nothing', async () => {
    const claim = manifest('v1', 'PersistentVolumeClaim', 'claim', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await world.expect(201, 'POST', `${world.path('v1/persistentvolumeclaims/')}?fieldManager=storage-operator`, {
      body: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'claim', labels: { theirs: 'x' } },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'theirs',
          resources: { requests: { storage: '1Gi' } },
        },
      },
    });
    const team = await Team.create(world, 'kept', { 'a.yaml': claim }, { ...REMOVE, force: true });
    const failure = await team.failure('claim', 'ForeignFieldStays');
    assert.match(failure.message, /\/spec\/storageClassName.* cannot be removed/);
    const object = (await world.get('v1/persistentvolumeclaims/claim')) as KubeObject & {
      spec: Record<string, unknown>;
    };
    assert.equal(object.spec['storageClassName'], 'theirs');
    assert.equal(object.metadata.labels?.['theirs'], 'x', 'a patch is carried out as a whole or not at all');
    await team.patch({ spec: { drift: { allowManagers: ['storage-operator'] } } });
    await team.condition('Ready', 'True');
  });

  it('is not what the API server itself had filled in, where managedFields were cleared', async () => {
    const files = {
      's.yaml': manifest('v1', 'Service', 'cleared', { spec: { selector: { app: 'cleared' }, ports: [{ port: 80 }] } }),
      'd.yaml': deployment('cleared'),
    };
    const team = await Team.ready(world, 'cleared', files, REMOVE);
    const spec = async (place: string) => (await world.get(place))?.['spec'];
    for (const place of ['v1/services/cleared', 'apps/v1/deployments/cleared']) {
      const before = await spec(place);
      await world.expect(200, 'PATCH', world.path(place), { body: { metadata: { managedFields: [{}] } } });
      await until(async () =>
        (await world.get(place))?.metadata.managedFields?.some(({ manager }) => manager === 'plumbline'),
      );
      await team.annotate({ 'plumbline.dev/requestedAt': place });
      await until(async () => (await team.status()).lastHandledReconcileAt === place);
      assert.deepEqual(await spec(place), before);
    }
    assert.equal((await team.status()).failures, undefined);
    await team.condition('Ready', 'True');
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.deepEqual(
      healed('cleared').filter((path) => /[tT]ype|[pP]olicy|Limit|sessionAffinity/.test(path)),
      [],
    );
  });

  it('again and again becomes a fight, which names who adds it', async () => {
    const team = await Team.ready(world, 'fight', { 'a.yaml': config('fight-a') }, REMOVE);
    const over = new AbortController();
    const rival = (async () => {
      while (!over.signal.aborted) {
        if ((await dataOf(world, 'fight-a'))?.['extra'] === undefined)
          await world.edit('v1/configmaps/fight-a', { data: { extra: 'theirs' } }, 'rival');
      }
    })();
    try {
      const source = await team.condition('Drifted', 'True', { reason: 'DriftNotHolding', timeoutMs: 60_000 });
      assert.match(source.status!.conditions!.find(({ type }) => type === 'Drifted')!.message, /\/data\/extra.*rival/);
    } finally {
      over.abort();
      await rival;
    }
    await until(async () => (await dataOf(world, 'fight-a'))?.['extra'] === undefined, { timeoutMs: 90_000 });
  });
});
