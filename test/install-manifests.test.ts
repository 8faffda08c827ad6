// Applies deploy/install.yaml to a control plane of its own: it changes rights of the whole cluster.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { freshNamespace, serviceAccountToken, startCluster } from './cluster.ts';
import { applyObject, objectsOf, pathOf } from './install.ts';
import { until } from './until.ts';

const cluster = await startCluster();
after(() => cluster.stop());
const installed = objectsOf('deploy/install.yaml');
for (const object of installed) await applyObject(cluster, object);
const platform = installed.find(({ metadata }) => metadata.name === 'plumbline-platform')!;
const operator = 'system:serviceaccount:plumbline-system:plumbline-operator';
const team = await freshNamespace(cluster, 'team');

interface Access {
  verb: string;
  group?: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
}

/** What the API server's authorizer says. */
async function may(user: string, resourceAttributes: Access): Promise<boolean> {
  const groups = user.startsWith('system:serviceaccount:')
    ? ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${user.split(':')[2]}`]
    : ['system:authenticated'];
  const { body } = await cluster.request<{ status: { allowed: boolean } }>(
    'POST',
    '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user, groups, resourceAttributes },
      },
    },
  );
  return body.status.allowed;
}

function describe({ verb, group, resource, subresource, namespace }: Access): string {
  return `${verb} ${group ? `${group}/` : ''}${resource}${subresource ? `/${subresource}` : ''}${namespace ? ` in ${namespace}` : ''}`;
}

async function without(object: KubeObject, body: () => Promise<void>): Promise<void> {
  await cluster.request('DELETE', pathOf(object));
  try {
    await body();
  } finally {
    await applyObject(cluster, object);
  }
}

/** Binds a ClusterRole in the team's namespace. */
function bind(name: string, role: string, subject: object): Promise<KubeObject> {
  return applyObject(cluster, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace: team },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [subject],
  });
}

test('the operator looks everywhere, and writes only its own', async () => {
  const source = { group: 'plumbline.dev', resource: 'gitopssources', namespace: team };
  const lease = { group: 'coordination.k8s.io', resource: 'leases' };
  const group = 'admissionregistration.k8s.io';
  const policy = { group, resource: 'validatingadmissionpolicies' };
  const binding = { group, resource: 'validatingadmissionpolicybindings' };
  const allowed: Access[] = [
    { verb: 'watch', group: 'getambassador.io', resource: 'mappings' },
    { verb: 'list', resource: 'secrets' },
    { verb: 'watch', group: 'plumbline.dev', resource: 'edgepolicies' },
    { verb: 'watch', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
    { verb: 'get', resource: 'secrets', namespace: team },
    { verb: 'patch', ...source },
    { verb: 'patch', ...source, subresource: 'status' },
    { verb: 'impersonate', resource: 'serviceaccounts', namespace: team, name: 'plumbline' },
    { verb: 'create', resource: 'events', namespace: team },
    { verb: 'create', ...lease, namespace: 'plumbline-system' },
    { verb: 'update', ...lease, namespace: 'plumbline-system' },
    { verb: 'patch', ...policy, name: 'plumbline-prevent' },
    { verb: 'delete', ...policy, name: 'plumbline-prevent-scale' },
    { verb: 'create', ...binding, name: 'plumbline-prevent-cluster' },
    { verb: 'patch', group: 'plumbline.dev', resource: 'driftguards', namespace: team },
  ];
  const refused: Access[] = [
    { verb: 'get', resource: 'nodes', subresource: 'proxy' },
    { verb: 'get', resource: 'pods', subresource: 'exec', namespace: team },
    { verb: 'create', resource: 'pods', subresource: 'exec', namespace: team },
    { verb: 'create', resource: 'serviceaccounts', subresource: 'token', namespace: team },
    { verb: 'patch', resource: 'configmaps', namespace: team },
    { verb: 'patch', resource: 'secrets', namespace: 'plumbline-system' },
    { verb: 'delete', resource: 'namespaces' },
    { verb: 'create', ...source },
    { verb: 'update', group: 'plumbline.dev', resource: 'edgepolicies' },
    { verb: 'delete', ...source },
    { verb: 'update', ...lease, namespace: 'kube-system' },
    { verb: 'create', ...policy },
    { verb: 'patch', ...policy, name: 'plumbline-ownership' },
    { verb: 'delete', ...binding, name: 'plumbline-ownership' },
    { verb: 'create', group, resource: 'mutatingadmissionpolicies' },
    { verb: 'impersonate', resource: 'users', name: 'admin' },
    { verb: 'impersonate', resource: 'groups', name: 'system:masters' },
    { verb: 'escalate', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
    { verb: 'bind', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  ];
  await without(platform, async () => {
    const exec = refused[1]!;
    await until(async () => !(await may(operator, exec)), { what: 'the platform binding is gone' });
    for (const access of allowed) assert.equal(await may(operator, access), true, `may ${describe(access)}`);
    for (const access of refused) assert.equal(await may(operator, access), false, `may not ${describe(access)}`);
  });
});

test('with the platform binding, sources of plumbline-system may do everything', async () => {
  const access = { verb: 'create', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' };
  await until(() => may(operator, access), { what: 'the platform binding works' });
});

test('the operator acts as a ServiceAccount with exactly its rights, and as nobody else', async () => {
  await applyObject(cluster, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'plumbline', namespace: team },
  });
  // Rights through the account's group: only the server adds it, no header of ours names a group.
  const group = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `system:serviceaccounts:${team}` };
  await bind('through-the-group', 'edit', group);
  const account = `system:serviceaccount:${team}:plumbline`;
  await until(() => may(account, { verb: 'patch', resource: 'configmaps', namespace: team }));
  await without(platform, async () => {
    await until(async () => !(await may(operator, { verb: 'impersonate', resource: 'users', name: 'admin' })));
    const token = await serviceAccountToken(cluster, 'plumbline-system', 'plumbline-operator');
    const apply = async (headers: Record<string, string>, namespace = team) => {
      const path = `/api/v1/namespaces/${namespace}/configmaps/probe?fieldManager=plumbline&force=true`;
      const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"probe"}}';
      const answer = await cluster.request('PATCH', path, {
        token,
        headers,
        body,
        contentType: 'application/apply-patch+yaml',
      });
      return answer.status;
    };
    assert.equal(await apply({ 'impersonate-user': account }), 201);
    assert.equal(await apply({ 'impersonate-user': account }, 'default'), 403, 'not outside of its namespace');
    assert.equal(await apply({}), 403, 'not in its own name');
    assert.equal(await apply({ 'impersonate-user': 'admin' }), 403, 'not as a user');
    assert.equal(await apply({ 'impersonate-user': account, 'impersonate-group': 'system:masters' }), 403, 'no group');
  });
});

test('editors of a namespace write sources, viewers read them, others see nothing', async () => {
  const subject = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name });
  await bind('ann', 'edit', subject('ann'));
  await bind('vic', 'view', subject('vic'));
  const source = { group: 'plumbline.dev', resource: 'gitopssources', namespace: team };
  await until(() => may('ann', { verb: 'create', ...source }), { what: 'the role is aggregated into edit' });
  await until(() => may('vic', { verb: 'list', ...source }), { what: 'the role is aggregated into view' });
  assert.equal(await may('ann', { verb: 'patch', ...source, subresource: 'status' }), false);
  assert.equal(await may('vic', { verb: 'create', ...source }), false);
  assert.equal(await may('eve', { verb: 'list', ...source }), false);
  assert.equal(await may('ann', { verb: 'create', ...source, namespace: 'plumbline-system' }), false);
});

test('the Deployment passes the strictest admission, and all its pods come up', async () => {
  const deployment = installed.find(({ kind }) => kind === 'Deployment')!;
  await until(
    async () => {
      const { body } = await cluster.request(`GET`, pathOf(deployment));
      const status = body['status'] as { readyReplicas?: number } | undefined;
      return status?.readyReplicas === 2;
    },
    { what: 'both replicas are ready' },
  );
});

test('the pod writes nowhere but to its cache, and no other port is open than the Deployment says', () => {
  const { spec } = installed.find(({ kind }) => kind === 'Deployment') as unknown as { spec: DeploymentSpec };
  const [container, ...others] = spec.template.spec.containers;
  assert.deepEqual(others, []);
  assert.equal(container!.securityContext.readOnlyRootFilesystem, true);
  const [mount, ...mounts] = container!.volumeMounts;
  assert.deepEqual(mounts, []);
  assert.ok(container!.args.includes(`--cache-dir=${mount!.mountPath}`));
  const ports = Object.fromEntries(container!.ports.map(({ name, containerPort }) => [name, containerPort]));
  assert.ok(container!.args.includes(`--metrics-address=:${ports['metrics']}`));
  assert.ok(container!.args.includes(`--health-address=:${ports['health']}`));
  assert.ok(spec.template.spec.volumes[0]!.emptyDir.sizeLimit);
});

interface DeploymentSpec {
  template: {
    spec: {
      containers: {
        args: string[];
        ports: { name: string; containerPort: number }[];
        securityContext: { readOnlyRootFilesystem: boolean };
        volumeMounts: { mountPath: string }[];
      }[];
      volumes: { emptyDir: { sizeLimit: string } }[];
    };
  };
}
