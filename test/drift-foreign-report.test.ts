// spec.drift.foreignFields: Report. What others add is told, without a request, and left; it is no drift.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import { World } from './operator.ts';
import { config, dataOf, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(() => world[Symbol.asyncDispose]());

type Shown = NonNullable<GitOpsSourceStatus['drift']>['objects'][number];

function foreign(team: Team, paths: readonly string[]): Promise<Shown[]> {
  return until(
    async () => {
      const { count = 0, objects = [] } = (await team.status()).drift?.foreign ?? {};
      const found = objects.flatMap(({ fields }) => fields.map(({ path }) => path)).sort();
      return count === objects.length && found.join() === paths.toSorted().join() ? objects : undefined;
    },
    { what: `foreign fields ${paths.join(', ')}` },
  );
}

const REPORT = { drift: { foreignFields: 'Report' as const } };

describe('foreign fields are reported', () => {
  it('with path, value and who did it; they stay, and are not drift', async () => {
    const team = await Team.ready(world, 'told', { 'a.yaml': config('told-a') }, REPORT);
    await world.edit(
      'v1/configmaps/told-a',
      { data: { extra: 'theirs' }, metadata: { labels: { x: 'y' } } },
      'somebody',
    );
    const [object] = await foreign(team, ['/data/extra', '/metadata/labels/x']);
    assert.equal(object!.action, 'Foreign');
    const { time, since, ...field } = object!.fields.find(({ path }) => path === '/data/extra')!;
    assert.ok(time && since);
    const told = { path: '/data/extra', live: 'theirs', manager: 'somebody', operation: 'Update', action: 'Reported' };
    assert.deepEqual(field, told);
    const source = await team.condition('Drifted', 'False', { reason: 'ForeignFields' });
    assert.equal(source.status?.drift?.count, 0);
    assert.deepEqual(await dataOf(world, 'told-a'), { key: 'value', extra: 'theirs' });
    await world.edit('v1/configmaps/told-a', { data: { extra: null }, metadata: { labels: { x: null } } });
    await foreign(team, []);
    await team.condition('Drifted', 'False', { reason: 'InSync' });
    assert.deepEqual(team.writes, [`created ConfigMap ${world.namespace}/told-a`]);
  });

  it('also those that were there before: of an adopted object, after a restart, when the policy changes', async () => {
    await world.expect(201, 'POST', `${world.path('v1/configmaps/')}?fieldManager=other-operator`, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'before-a' }, data: { key: 'x', old: 'theirs' } },
    });
    const team = await Team.ready(world, 'before', { 'a.yaml': config('before-a') }, REPORT);
    await foreign(team, ['/data/old']);
    await world.operator.stop();
    await world.edit('v1/configmaps/before-a', { data: { later: 'theirs' } });
    world.startOperator();
    await foreign(team, ['/data/later', '/data/old']);
    await team.patch({ spec: { drift: { allowManagers: ['other-*'] } } });
    await foreign(team, ['/data/later']);
    await team.patch({ spec: { drift: { foreignFields: 'Leave' } } });
    await foreign(team, []);
    await team.patch({ spec: { drift: { foreignFields: 'Report', allowManagers: null } } });
    await foreign(team, ['/data/later', '/data/old']);
    await team.push({ 'a.yaml': null, 'b.yaml': config('before-b') });
    await foreign(team, []);
  });

  it('but not what the controllers of a cluster do, nor kubectl rollout restart', async () => {
    const files = { 'web.yaml': deployment('quiet', { replicas: 1 }) };
    const team = await Team.ready(world, 'quiet', files, REPORT);
    const place = 'apps/v1/deployments/quiet';
    await until(async () => (await world.get(place))?.metadata.annotations?.['deployment.kubernetes.io/revision']);
    const restarted = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
    const template = { metadata: { annotations: restarted } };
    await world.edit(place, { spec: { template } }, 'kubectl-rollout');
    await world.edit(place, { metadata: { annotations: { note: 'mine' } } }, 'somebody');
    const [object] = await foreign(team, ['/metadata/annotations/note']);
    assert.equal(object!.name, 'quiet');
  });

  it('a container that was added is one field; a Secret shows no value, nor does a token in an annotation', async () => {
    const files = {
      'web.yaml': deployment('masked'),
      's.yaml': manifest('v1', 'Secret', 'masked-s', { data: { a: 'YQ==' } }),
    };
    const team = await Team.ready(world, 'masked', files, REPORT);
    await world.expect(200, 'PATCH', `${world.path('apps/v1/deployments/masked')}?fieldManager=injector`, {
      body: {
        metadata: { annotations: { 'example.com/config': JSON.stringify({ deep: { apiToken: 'hunter2' } }) } },
        spec: {
          template: {
            spec: { containers: [{ name: 'side', image: 's', env: [{ name: 'PASSWORD', value: 'hunter2' }] }] },
          },
        },
      },
      contentType: 'application/strategic-merge-patch+json',
    });
    await world.edit('v1/secrets/masked-s', { data: { b: Buffer.from('hunter2').toString('base64') } });
    const objects = await foreign(team, [
      '/data/b',
      '/metadata/annotations/example.com~1config',
      '/spec/template/spec/containers[name=side]',
    ]);
    const text = JSON.stringify([objects, await team.source(), world.operator.lines]);
    assert.ok(!text.includes('hunter2') && !text.includes(Buffer.from('hunter2').toString('base64')));
    assert.ok(text.includes('***'));
  });
});
