// Objects that others made before us: taken over with an event, so that Git alone decides from then on; or refused.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { World } from './operator.ts';
import { config, dataOf, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const live = (name: string, data: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

function create(name: string, manager: string, data: object, metadata: object = {}): Promise<KubeObject> {
  const path = `${world.path('v1/configmaps')}?fieldManager=${manager}`;
  return world.expect(201, 'POST', path, { body: live(name, data, metadata) });
}

function apply(name: string, manager: string, data: object, metadata: object = {}): Promise<KubeObject> {
  const path = `${world.path(`v1/configmaps/${name}`)}?fieldManager=${manager}`;
  const contentType = 'application/apply-patch+yaml';
  return world.expect(201, 'PATCH', path, { body: live(name, data, metadata), contentType });
}

const data = { kept: 'before', removed: 'before', theirs: 'before' };

/** How each of them leaves an object behind. */
const PREDECESSORS: Record<string, (name: string) => Promise<unknown>> = {
  'kubectl-apply': (name) =>
    create(name, 'kubectl-client-side-apply', data, {
      annotations: { [LAST_APPLIED]: JSON.stringify(live(name, data)) },
    }),
  'kubectl-apply-server-side': (name) => apply(name, 'kubectl', data),
  'kubectl-create': (name) => create(name, 'kubectl-create', data),
  helm: (name) =>
    create(name, 'helm', data, {
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': world.namespace },
    }),
  'flux-without-labels': (name) => apply(name, 'kustomize-controller', data),
};

/** Still tracked: two tools would write the object for ever. */
const TRACKED: Record<string, (name: string) => Promise<unknown>> = {
  flux: (name) => apply(name, 'kustomize-controller', data, { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }),
  argo: (name) =>
    apply(name, 'argocd-controller', data, {
      annotations: { 'argocd.argoproj.io/tracking-id': `apps:/ConfigMap:${world.namespace}/${name}` },
    }),
};

const wanted = (name: string, more: Record<string, string> = {}, metadata: object = {}) =>
  config(name, { kept: 'git', ...more }, metadata);

describe('an object that others made', { concurrency: true }, () => {
  for (const [how, make] of Object.entries(PREDECESSORS)) {
    it(`${how}: is taken over, and Git alone decides from then on`, async () => {
      const name = `adopt-${how}`;
      await make(name);
      const team = await Team.ready(world, name, { 'a.yaml': wanted(name, { removed: 'git' }) });
      // What the predecessor declared and Git does not is gone; what Git drops later goes too.
      assert.deepEqual(await dataOf(world, name), { kept: 'git', removed: 'git' });
      await team.push({ 'a.yaml': wanted(name) });
      assert.deepEqual(await dataOf(world, name), { kept: 'git' });
      const { metadata } = (await world.get(`v1/configmaps/${name}`))!;
      assert.equal(metadata.annotations?.[LAST_APPLIED], undefined);
      assert.deepEqual(
        metadata.managedFields?.map(({ manager }) => manager),
        ['plumbline'],
      );
      assert.deepEqual(team.writes.slice(0, 1), [`adopted ConfigMap ${world.namespace}/${name}`]);
      await until(async () => {
        const events = await world.expect(200, 'GET', world.path('v1/events'));
        const items = (events as unknown as { items: { reason: string; message: string; regarding?: object }[] }).items;
        return items.some(({ reason, message }) => reason === 'Adopted' && message.includes(name));
      });
    });
  }

  for (const [tool, make] of Object.entries(TRACKED)) {
    it(`${tool} still tracks: is refused until the declaration says adopt`, async () => {
      const name = `tracked-${tool}`;
      await make(name);
      const team = await Team.create(world, name, { 'a.yaml': wanted(name), 'b.yaml': config(`${name}-b`) });
      const failure = await team.failure(name, 'TrackedByOtherTool');
      assert.match(failure.message, tool === 'flux' ? /Flux.*plumbline\.dev\/adopt/ : /Argo CD.*plumbline\.dev\/adopt/);
      assert.deepEqual(await dataOf(world, name), data);
      await present(world, `${name}-b`);
      await team.push({ 'a.yaml': wanted(name, {}, { annotations: { 'plumbline.dev/adopt': 'true' } }) });
      assert.deepEqual(await dataOf(world, name), { kept: 'git' });
    });
  }

  it('adoption: Refuse leaves it alone until the declaration says adopt', async () => {
    await create('refuse', 'kubectl-create', data);
    const team = await Team.create(world, 'refuse', { 'a.yaml': wanted('refuse') }, { adoption: 'Refuse' });
    await team.failure('refuse', 'AdoptionRefused');
    assert.deepEqual(await dataOf(world, 'refuse'), data);
    await team.push({ 'a.yaml': wanted('refuse', {}, { annotations: { 'plumbline.dev/adopt': 'true' } }) });
    assert.deepEqual(await dataOf(world, 'refuse'), { kept: 'git' });
  });

  it('fields of controllers of the cluster stay theirs', async () => {
    await create('mixed', 'kubectl-create', { kept: 'before' });
    await world.edit('v1/configmaps/mixed', { data: { controller: 'x' } }, 'some-controller');
    await Team.ready(world, 'mixed', { 'a.yaml': wanted('mixed') });
    assert.deepEqual(await dataOf(world, 'mixed'), { kept: 'git', controller: 'x' });
  });

  it('made in the very moment in which we would have created it: is taken over all the same', async () => {
    const files: Record<string, string> = {};
    for (let index = 0; index < 40; index += 1) files[`${index}.yaml`] = config(`race-${index}`, { kept: 'git' });
    const racing = Promise.all(
      Object.keys(files).map((_, index) =>
        world.cluster.request('POST', `${world.path('v1/configmaps')}?fieldManager=kubectl-create`, {
          body: live(`race-${index}`, data),
        }),
      ),
    );
    await Team.ready(world, 'race', files);
    await racing;
    await until(async () => {
      for (let index = 0; index < 40; index += 1)
        assert.deepEqual(await dataOf(world, `race-${index}`), { kept: 'git' });
      return true;
    });
  });
});
