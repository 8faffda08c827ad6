// Deleting a source ends although a kind of its objects cannot be listed; what may be left is named.
import { after, before, it } from 'node:test';
import { grantRestricted } from './namespace-user.ts';
import { World } from './operator.ts';
import { config, present, Team } from './team.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await World.create()));
after(async () => {
  for (const kind of ['clusterroles', 'clusterrolebindings'])
    await world.cluster.request('DELETE', `${RBAC}/${kind}/${world.namespace}-crd`);
  await world[Symbol.asyncDispose]();
});

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** Whether Plumbline is being removed must be known before anything is deleted. */
async function letReadCrd(subject: object): Promise<void> {
  const metadata = { name: `${world.namespace}-crd` };
  const rules = [
    {
      apiGroups: ['apiextensions.k8s.io'],
      resources: ['customresourcedefinitions'],
      resourceNames: ['gitopssources.plumbline.dev'],
      verbs: ['get'],
    },
  ];
  await world.expect(201, 'POST', `${RBAC}/clusterroles`, { body: { metadata, rules } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', ...metadata };
  await world.expect(201, 'POST', `${RBAC}/clusterrolebindings`, { body: { metadata, roleRef, subjects: [subject] } });
}

it('a source of whose objects a kind cannot be listed, ends, and says so', async () => {
  const team = await Team.ready(world, 'blind', { 'a.yaml': config('blind-a') });
  await world.operator.stop();
  // No list over all namespaces, which is what a list for lost labels is.
  const { subject } = await grantRestricted(world, [
    { apiGroups: [''], resources: ['configmaps', 'events', 'namespaces'], verbs: ['*'] },
    { apiGroups: ['plumbline.dev'], resources: ['*'], verbs: ['*'] },
  ]);
  await letReadCrd(subject);
  world.startOperator({ token: world.cluster.tokens.restricted });
  await team.delete();
  await team.gone();
  await present(world, 'blind-a');
  await until(async () => {
    const events = await world.expect(200, 'GET', world.path('v1/events'));
    const { items } = events as unknown as { items: { reason: string; message: string }[] };
    return items.some(({ reason, message }) => reason === 'Deleting' && message.includes('ConfigMap'));
  });
});
