// The proof of ownership cannot be forged: whose an object is, only that team can say. With the policy of deploy/install.yaml.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { load } from 'js-yaml';
import type { KubeObject } from '../src/kube/object.ts';
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import { serviceAccountToken } from './cluster.ts';
import { applyObject } from './install.ts';
import type { World } from './operator.ts';
import { rightsInForce } from './rights.ts';
import { config, deployment } from './team.ts';
import { installedWorld, Tenant } from './tenancy.ts';
import { until } from './until.ts';

let world: World;
let attacker: Tenant;
let victim: Tenant;
let token: string;
before(async () => {
  world = await installedWorld();
  [attacker, victim] = await Promise.all([Tenant.create(world, 'attacker'), Tenant.create(world, 'victim')]);
  token = await serviceAccountToken(world.cluster, attacker.namespace, 'plumbline');
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await world.cluster.stop();
});

/** A ConfigMap of the attacker's namespace that says it is the victim's; `proven`: the object that the proof names. */
const forged = (name: string, proven = name) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace: attacker.namespace,
    labels: { 'plumbline.dev/name': 'app', 'plumbline.dev/namespace': victim.namespace },
    annotations: { 'plumbline.dev/owner': `${victim.namespace}/app:/ConfigMap/${attacker.namespace}/${proven}` },
  },
});

/** As a controller of the attacker's might be allowed to. */
async function mayWriteStatus(): Promise<void> {
  const { namespace } = attacker;
  const group = 'rbac.authorization.k8s.io';
  const rules = [{ apiGroups: ['apps'], resources: ['deployments/status'], verbs: ['patch'] }];
  const metadata = { name: 'statuses', namespace };
  await applyObject(world.cluster, { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules });
  await applyObject(world.cluster, {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: group, kind: 'Role', name: 'statuses' },
    subjects: [{ kind: 'ServiceAccount', name: 'plumbline', namespace }],
  });
  await rightsInForce(world.cluster, { user: serviceAccountUser({ name: 'plumbline', namespace }), namespace }, rules);
}

it('nobody can make objects of his own count as those of another team', async () => {
  const own = await victim.source('app', { 'a.yaml': config('a'), 'b.yaml': deployment('web', { replicas: 1 }) });
  await own.ready('True');
  const place = `/api/v1/namespaces/${attacker.namespace}/configmaps`;
  // Policies take effect a moment after they are stored.
  await until(
    async () => {
      const tried = await world.cluster.request('POST', `${place}?dryRun=All`, { body: forged('forged'), token });
      return tried.status === 403;
    },
    { what: 'a forged proof is refused' },
  );
  assert.equal((await world.cluster.request('POST', place, { body: forged('other', 'elsewhere'), token })).status, 201);
  const { metadata } = forged('other');
  const patched = await world.cluster.request('PATCH', `${place}/other`, { body: { metadata }, token });
  assert.equal(patched.status, 403, 'nor afterwards');
  assert.match(JSON.stringify(patched.body), /only who may write its sources may set it/);
  await mayWriteStatus();
  const web = `/apis/apps/v1/namespaces/${attacker.namespace}/deployments/site`;
  const named = { name: 'site', namespace: attacker.namespace };
  const made = deployment('site', { replicas: 0 });
  await applyObject(world.cluster, { ...(load(made) as KubeObject), metadata: named });
  const proof = `${victim.namespace}/app:apps/Deployment/${attacker.namespace}/site`;
  const body = { metadata: { annotations: { 'plumbline.dev/owner': proof } } };
  const withStatus = await world.cluster.request('PATCH', `${web}/status`, { body, token });
  assert.equal(withStatus.status, 403, 'nor with the status, which takes annotations too');
  assert.match(JSON.stringify(withStatus.body), /only who may write its sources may set it/);
  // Whoever restores a backup may write sources everywhere.
  assert.equal((await world.cluster.request('POST', place, { body: forged('restored') })).status, 201);
});

it('everybody else goes on as before: the operator, controllers that copy annotations, edits of other fields', async () => {
  const own = await attacker.source('own', { 'a.yaml': config('own'), 'b.yaml': deployment('web', { replicas: 1 }) });
  await own.ready('True');
  await until(async () => (await own.status()).health?.ready === 2, { what: 'the Deployment has rolled out' });
  const path = `/api/v1/namespaces/${attacker.namespace}/configmaps/own`;
  const edited = await world.cluster.request('PATCH', path, { body: { metadata: { labels: { a: 'b' } } }, token });
  assert.equal(edited.status, 200);
});
