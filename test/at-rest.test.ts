// In sync, the operator sends the API server nothing: not for status changes, not for what others add, not by the clock.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { readAudit, settled, type AuditEvent } from './audit.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { config, crd, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';
import { closed, waiting } from './windows.ts';

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await startCluster({ audit: true });
  world = await World.create({ cluster });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

/** What the operator asked for; opened watches are told when they are opened. */
function requests(): AuditEvent[] {
  return readAudit(cluster, 'operator').filter(({ verb, stage }) => verb !== 'watch' || stage === 'ResponseStarted');
}

const count = () => requests().length;

const said = (events: AuditEvent[]) => events.map(({ verb, requestURI }) => `${verb} ${requestURI}`);

it('nothing is sent in sync, whatever is not drift happens', async () => {
  const pods = {
    metadata: { labels: { app: 'job' } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a:1' }] },
  };
  const many = Array.from({ length: 50 }, (_, index) => config(`many-${index}`)).join('---\n');
  const kinds = {
    'crd.yaml': crd('rest.example.com', 'Thing', 'things'),
    'things.yaml': manifest('rest.example.com/v1', 'Thing', 'one', { spec: { a: 1 } }),
    'many.yaml': many,
    'web.yaml': deployment('web', { replicas: 1 }),
    'service.yaml': manifest('v1', 'Service', 'web', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }),
    'secret.yaml': manifest('v1', 'Secret', 'secret', { stringData: { token: 'x' } }),
    'account.yaml': manifest('v1', 'ServiceAccount', 'account'),
    'job.yaml': manifest('batch/v1', 'Job', 'job', { spec: { template: pods } }),
    'budget.yaml': manifest('policy/v1', 'PodDisruptionBudget', 'web', {
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
    }),
    'rules.yaml': manifest('networking.k8s.io/v1', 'NetworkPolicy', 'rules', { spec: { podSelector: {} } }),
    'role.yaml': manifest('rbac.authorization.k8s.io/v1', 'Role', 'role', {
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    }),
    'claim.yaml': manifest('v1', 'PersistentVolumeClaim', 'claim', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
    }),
  };
  const team = await Team.ready(world, 'rest', kinds);
  // All but the claim, for which nobody provides a volume.
  await until(async () => (await team.status()).health?.progressing === 1);
  const before = await settled(count);
  const git = world.git.requests.length;

  const place = '/apis/rest.example.com/v1/namespaces/' + world.namespace + '/things/one';
  for (let round = 0; round < 5; round += 1) {
    await world.expect(200, 'PATCH', place, {
      body: { status: { round }, metadata: { annotations: { round: `${round}` } } },
    });
    await world.edit('apps/v1/deployments/web', { metadata: { annotations: { round: `${round}` } } });
    await world.edit('v1/configmaps/many-7', { data: { round: `${round}` } });
    await world.edit('v1/services/web', { metadata: { labels: { round: `${round}` } } });
    await world.expect(200, 'PATCH', `${world.path('v1/services/web')}/status?fieldManager=balancer`, {
      body: {
        status: {
          conditions: [
            {
              type: 'Round',
              status: 'True',
              reason: `Round${round}`,
              message: '',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
        },
      },
    });
  }
  // Some seconds in which Git is polled several times, too.
  await until(() => world.git.requests.length > git + 3);
  assert.deepEqual(said(requests().slice(before)), []);

  // All of that has been seen: what comes after it in the same watches is healed, each by one request.
  await world.expect(200, 'PATCH', place, { body: { spec: { a: 2 } } });
  await world.edit('apps/v1/deployments/web', { spec: { revisionHistoryLimit: 3, replicas: 2 } });
  await world.edit('v1/configmaps/many-7', { data: { key: 'edited' } });
  await until(async () => (await team.status()).drift?.healedCount === 3);
  await settled(count);
  const patched = requests()
    .slice(before)
    .filter(({ verb, objectRef }) => verb === 'patch' && objectRef?.resource !== 'gitopssources')
    .map(({ objectRef }) => objectRef?.resource);
  assert.deepEqual(new Set(patched), new Set(['configmaps', 'deployments', 'things']));
  assert.equal(patched.length, 3);
  const rest = requests()
    .slice(before)
    .filter(({ verb }) => verb !== 'patch')
    .map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}`);
  assert.deepEqual([...new Set(rest)], ['create events'], 'no reads, no lists, no new watches');
});

it('fields that others add are reported without a question about them', async () => {
  const files = { 'told.yaml': config('told-by-event') };
  const team = await Team.ready(world, 'told', files, { drift: { foreignFields: 'Report' } });
  const before = await settled(count);
  await world.edit('v1/configmaps/told-by-event', { data: { theirs: 'x' } });
  await until(async () => (await team.status()).drift?.foreign?.count === 1);
  await settled(count);
  const asked = requests().slice(before);
  const about = asked.filter(({ objectRef }) => !['gitopssources', 'events'].includes(objectRef?.resource ?? ''));
  assert.deepEqual(said(about), []);
});

it('what waits, for an approval or for a window, asks for nothing', async () => {
  const approval = await Team.ready(world, 'approval', { 'a.yaml': config('approval-a') });
  const window = await Team.ready(world, 'window', { 'a.yaml': config('window-a') });
  await approval.patch({ spec: { sync: 'Manual' } });
  await window.patch({ spec: { windows: [closed('sync'), closed('heal')] } });
  const commits = await Promise.all(
    [approval, window].map((team) => team.commit({ 'b.yaml': config(`${team.name}-b`) })),
  );
  await waiting(approval, commits[0]!, 'WaitingForApproval');
  await waiting(window, commits[1]!, 'WaitingForWindow');
  await world.edit('v1/configmaps/window-a', { data: { key: 'edited' } });
  await window.condition('Drifted', 'True', { reason: 'WaitingForWindow' });
  const before = await settled(count);
  const polls = world.git.requests.length;
  await until(() => world.git.requests.length > polls + 6, { what: 'Git was polled several times' });
  assert.deepEqual(said(requests().slice(before)), []);
  assert.equal(await world.get('v1/configmaps/approval-b'), undefined);
});

it('by the clock everything is listed and compared, as often as the flag says, and nothing is written', async () => {
  const { resourceVersion } = (await world.get('v1/configmaps/many-1'))!.metadata;
  await world.operator.stop();
  const before = requests().length;
  world.startOperator({ args: ['--verify-interval=1s'] });
  const lists = () => said(requests().slice(before)).filter((line) => /^list .*configmaps\?.*labelSelector/.test(line));
  await until(() => lists().length >= 4, { what: 'the list of the start, and three more' });
  assert.equal((await world.get('v1/configmaps/many-1'))!.metadata.resourceVersion, resourceVersion);
  assert.deepEqual(world.operator.writes, []);
});
