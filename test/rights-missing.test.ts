// The operator starts without a right that it had before.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { startCluster, type Cluster } from './cluster.ts';
import { World } from './operator.ts';
import { wideRights, type Rule, type WideRights } from './rights.ts';
import { config, manifest, present, Team } from './team.ts';
import { until } from './until.ts';

/** Rights name what is allowed only, so whoever may see all but Secrets has a rule of other kinds. */
const ALL: Rule[] = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
const LOOKS_AT_SECRETS: Rule[] = [{ apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] }];
let withoutSecrets: Rule[];
const secret = (name: string) => manifest('v1', 'Secret', name, { stringData: { a: 'b' } });

let cluster: Cluster;
let world: World;
let rights: WideRights;
before(async () => {
  cluster = await startCluster();
  withoutSecrets = await allBut('secrets');
  rights = await wideRights(cluster, ALL);
  world = await World.create({ cluster, token: rights.token });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

/** Of the core group, where it is, each kind by its name. */
async function allBut(without: string): Promise<Rule[]> {
  const { body } = await cluster.request<{ resources: { name: string }[] }>('GET', '/api/v1');
  const resources = body.resources.map(({ name }) => name).filter((name) => name !== without);
  const { body: list } = await cluster.request<{ groups: { name: string }[] }>('GET', '/apis');
  return [
    { apiGroups: list.groups.map(({ name }) => name), resources: ['*'], verbs: ['*'] },
    { apiGroups: ['plumbline.dev'], resources: ['*'], verbs: ['*'] },
    { apiGroups: [''], resources, verbs: ['*'] },
    { apiGroups: [''], resources: [without], verbs: ['get', 'create', 'patch', 'delete'] },
  ];
}

/** As a backup brings a source back: without its status. */
async function loseStatus(team: Team): Promise<void> {
  const path = `/apis/plumbline.dev/v1alpha1/namespaces/${world.namespace}/gitopssources/${team.name}/status`;
  await world.expect(200, 'PATCH', path, { body: { status: null } });
}

it('a kind of a source whose status was lost is looked for as soon as it may be listed', async () => {
  const team = await Team.ready(world, 'lost', { 'a.yaml': config('lost-a'), 's.yaml': secret('lost-s') });
  await world.operator.stop();
  await loseStatus(team);
  await rights.set(withoutSecrets, LOOKS_AT_SECRETS);
  const commit = await team.commit({ 's.yaml': null, 'a.yaml': config('lost-a', { key: 'new' }) });
  world.startOperator();
  await team.condition('Ready', 'True', { revision: commit });
  const { status } = await team.condition('Drifted', 'Unknown');
  assert.match(status!.conditions!.find(({ type }) => type === 'Drifted')!.message, /Secret \(v1\) cannot be listed/);
  await rights.set(ALL);
  await until(async () => (await world.get('v1/secrets/lost-s')) === undefined, { what: 'the Secret is pruned' });
  await team.condition('Drifted', 'False');
});

it('a source that is deleted then says what it could not look for', async () => {
  const spec = { deletionPolicy: 'Delete' as const };
  const team = await Team.ready(
    world,
    'deleted',
    { 'a.yaml': config('deleted-a'), 's.yaml': secret('deleted-s') },
    spec,
  );
  await world.operator.stop();
  await loseStatus(team);
  await rights.set(withoutSecrets, LOOKS_AT_SECRETS);
  await team.delete();
  world.startOperator();
  await team.gone();
  await present(world, 'deleted-a', false);
  await until(async () => {
    const events = await world.expect(200, 'GET', world.path('v1/events'));
    const { items } = events as unknown as { items: { reason: string; message: string }[] };
    return items.some(({ reason, message }) => reason === 'Deleting' && message.includes('Secret'));
  });
  await rights.set(ALL);
});

it('a source whose deletion cannot go on says why', async () => {
  const team = await Team.ready(world, 'held', { 'a.yaml': config('held-a') }, { deletionPolicy: 'Delete' });
  // Whether Plumbline itself is being removed cannot be told without it.
  const withoutCrds = (await allBut('secrets')).map((rule) => ({
    ...rule,
    apiGroups: rule.apiGroups.filter((group) => group !== 'apiextensions.k8s.io'),
  }));
  const get = [{ apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: ['get'] }];
  await rights.set(withoutCrds, get);
  await team.delete();
  await until(async () => {
    const ready = (await team.status()).conditions?.find(({ type }) => type === 'Ready');
    return ready?.reason === 'Deleting' && /cannot get resource "customresourcedefinitions"/.test(ready.message);
  });
  await present(world, 'held-a');
  await rights.set(ALL);
  await team.gone();
  await present(world, 'held-a', false);
});
