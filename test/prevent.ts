// What the tests of drift.mode Prevent share: a world that allows it, requests as people send them, and what was refused.
import assert from 'node:assert/strict';
import type { DriftGuard, DriftGuardSpec } from '../src/api/drift-guard.ts';
import type { GitOpsSourceSpecInput } from '../src/api/source.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import type { ClusterResponse, RequestOptions } from './cluster-request.ts';
import { World, type OperatorOptions } from './operator.ts';
import { rightsInForce, type Rule } from './rights.ts';
import { Team } from './team.ts';
import type { Files } from './git-repository.ts';
import { until } from './until.ts';
import { serviceAccountToken, startCluster, type Cluster } from './cluster.ts';

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** Beside the usual users: `ann` may break the glass, `bob` may do everything else. */
export function preventCluster(options: { audit?: boolean } = {}): Promise<Cluster> {
  const users = { ann: ['system:masters', 'plumbline:break-glass'], bob: ['system:masters'] };
  return startCluster({ ...options, users });
}

export function preventWorld(cluster: Cluster, options: Partial<OperatorOptions> = {}): Promise<World> {
  return World.create({ cluster, args: ['--prevent-namespaces=*'], ...options });
}

/** A source with `drift.mode: Prevent` whose first commit is applied, and whose drift is refused from now on. */
export async function guarded(
  world: World,
  name: string,
  files: Files,
  spec: Partial<GitOpsSourceSpecInput> = {},
): Promise<Team> {
  const team = await Team.ready(world, name, files, { drift: { mode: 'Prevent' }, ...spec });
  await team.condition('DriftPrevented', 'True', { reason: 'Preventing' });
  return team;
}

export type Method = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Is refused by our policy, in the end: policies take effect a moment after they are stored. Gives the message. */
export async function refused(
  { cluster }: World,
  method: Method,
  path: string,
  options: RequestOptions = {},
): Promise<string> {
  const { status, body } = await cluster.request(method, path, options);
  const { message } = body as unknown as { message: string };
  assert.equal(status, 403, `${method} ${path}: ${JSON.stringify(body)}`);
  assert.match(message, /ValidatingAdmissionPolicy 'plumbline-prevent/);
  return message;
}

/** Waits until an edit of the object is refused. Each try has another value: what was taken once is nobody's any more. */
export async function effective(world: World, place: string): Promise<void> {
  let round = 0;
  await until(
    async () => {
      const labels = { 'plumbline.dev/name': `probe-${(round += 1)}` };
      const { status } = await world.cluster.request('PATCH', `${world.path(place)}?fieldManager=probe-${round}`, {
        body: { metadata: { labels } },
      });
      return status === 403;
    },
    { what: `edits of ${place} are refused`, intervalMs: 200 },
  );
  // Whatever was let through before is put back.
  await until(async () => {
    const labels = (await world.get(place))?.metadata.labels ?? {};
    return labels['plumbline.dev/namespace'] === world.namespace && !labels['plumbline.dev/name']?.startsWith('probe-');
  });
}

const MADE = {
  policies: `${ADMISSION}/validatingadmissionpolicies`,
  bindings: `${ADMISSION}/validatingadmissionpolicybindings`,
  guards: '/apis/plumbline.dev/v1alpha1/driftguards',
};

/** Names of the policies or bindings, or the namespaces of the guards, that this operator has made. */
export async function made(world: World, what: keyof typeof MADE): Promise<string[]> {
  const selector = encodeURIComponent(`plumbline.dev/prevent=${world.namespace}`);
  const { body }: ClusterResponse<{ items?: KubeObject[] }> = await world.cluster.request(
    'GET',
    `${MADE[what]}?labelSelector=${selector}`,
  );
  return (body.items ?? []).map(({ metadata: { name, namespace } }) => namespace ?? name).sort();
}

/** What the guard of this namespace says. */
export async function guardIn(world: World, namespace = world.namespace): Promise<DriftGuardSpec | undefined> {
  const { status, body } = await world.cluster.request<DriftGuard>('GET', guardPath(world, namespace));
  return status === 404 ? undefined : body.spec;
}

export function guardPath(world: World, namespace = world.namespace): string {
  return `/apis/plumbline.dev/v1alpha1/namespaces/${namespace}/driftguards/plumbline-prevent.${world.namespace}`;
}

/** The token of a new account with these rights in the namespace of the world, and no others. They are in force. */
export async function accountWith(world: World, name: string, rules: Rule[]): Promise<string> {
  const { cluster, namespace } = world;
  const metadata = { name };
  const rbac = 'rbac.authorization.k8s.io';
  await world.expect(201, 'POST', world.path('v1/serviceaccounts'), { body: { metadata } });
  await world.expect(201, 'POST', world.path(`${rbac}/v1/roles`), { body: { metadata, rules } });
  await world.expect(201, 'POST', world.path(`${rbac}/v1/rolebindings`), {
    body: {
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  });
  await rightsInForce(cluster, { user: serviceAccountUser({ name, namespace }), namespace }, rules);
  return serviceAccountToken(cluster, namespace, name);
}

/** Whoever may edit whatever is in the namespace of the world, but no sources. */
export function editorOf(world: World): Promise<string> {
  return accountWith(world, 'editor', [{ apiGroups: ['', 'apps'], resources: ['*'], verbs: ['*'] }]);
}
