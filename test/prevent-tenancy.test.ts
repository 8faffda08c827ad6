// drift.mode Prevent with the rights of deploy/install.yaml and no more: a team guards its own, by its own account.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { serviceAccountToken } from './cluster.ts';
import type { World } from './operator.ts';
import { refused } from './prevent.ts';
import { config, deployment } from './team.ts';
import { installedWorld, mayEdit, Tenant } from './tenancy.ts';
import { until } from './until.ts';

let world: World;
before(async () => void (world = await installedWorld()));
after(async () => {
  await world[Symbol.asyncDispose]();
  await world.cluster.stop();
});

it("the operator's own rights are enough; the account of the source passes, others of its team do not", async () => {
  await world.operator.stop();
  // It would be cluster-admin otherwise.
  const platform = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/plumbline-platform';
  await world.expect(200, 'DELETE', platform);
  world.startOperator({ args: ['--watch-namespace=', '--prevent-namespaces=shop-*'] });
  const team = await Tenant.create(world, 'shop');
  const { cluster } = world;
  const files = { 'a.yaml': config('a'), 'web.yaml': deployment('web', { replicas: 1 }) };
  const source = await team.source('app', files, { drift: { mode: 'Prevent' } });
  await source.ready('True');
  await until(async () => {
    const conditions = (await source.status()).conditions ?? [];
    return conditions.some(({ type, status }) => type === 'DriftPrevented' && status === 'True');
  });
  const editor = { name: 'editor', namespace: team.namespace };
  const accounts = `/api/v1/namespaces/${team.namespace}/serviceaccounts`;
  await world.expect(201, 'POST', accounts, { body: { metadata: editor } });
  await mayEdit(cluster, editor, team.namespace);
  const token = await serviceAccountToken(cluster, team.namespace, 'editor');
  const path = `/api/v1/namespaces/${team.namespace}/configmaps/a`;
  let round = 0;
  await until(
    async () => {
      const body = { data: { key: `edited-${(round += 1)}` } };
      return (await cluster.request('PATCH', `${path}?fieldManager=m${round}`, { body, token })).status === 403;
    },
    { intervalMs: 200, what: 'edits are refused' },
  );
  await until(async () => (await team.get('configmaps/a'))?.metadata.labels?.['plumbline.dev/name'] === 'app');
  const scale = `/apis/apps/v1/namespaces/${team.namespace}/deployments/web/scale`;
  await refused(world, 'PATCH', scale, { body: { spec: { replicas: 4 } }, token });
  // The operator goes on, as the ServiceAccount plumbline of the namespace; an editor may act as it, too.
  await source.repository.write({ 'a.yaml': config('a', { key: 'second' }) });
  await until(async () => ((await team.get('configmaps/a'))?.['data'] as { key?: string })?.key === 'second');
  const account = `system:serviceaccount:${team.namespace}:plumbline`;
  const body = { data: { key: 'by its account' } };
  await world.expect(200, 'PATCH', path, { body, token, headers: { 'Impersonate-User': account } });
  const guard = `/apis/plumbline.dev/v1alpha1/namespaces/${team.namespace}/driftguards/plumbline-prevent`;
  for (const method of ['DELETE', 'PATCH'] as const)
    assert.equal((await cluster.request(method, guard, { body: {}, token })).status, 403, 'nobody is given the guards');
  await world.expect(200, 'GET', guard);
  await source.delete();
  await until(async () => (await cluster.request('GET', guard)).status === 404);
  const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
  await until(async () => (await cluster.request('GET', `${bindings}/plumbline-prevent`)).status === 404);
});
