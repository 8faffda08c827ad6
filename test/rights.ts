// Rights are in force a moment after the role and its binding are stored, and go a moment after those: the API server's
// authorizer reads them from a watch. On a busy machine that moment was seen to take a tenth of a second.
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import { freshNamespace, serviceAccountToken, type Cluster } from './cluster.ts';
import { until } from './until.ts';

/** As in a Role. */
export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

/** Waits until the authorizer lets the user do all that the rules say in the namespace, and nothing of `gone`. */
export async function rightsInForce(
  cluster: Cluster,
  { user, namespace }: { user: string; namespace: string },
  rules: readonly Rule[],
  gone: readonly Rule[] = [],
): Promise<void> {
  const may = async (attributes: object) => {
    const spec = { user, resourceAttributes: { ...attributes, namespace } };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const { body } = await cluster.request<{ status: { allowed: boolean } }>('POST', path, { body: { spec } });
    return body.status.allowed;
  };
  const answers = (list: readonly Rule[]) => Promise.all(list.flatMap(requestsOf).map(may));
  await until(
    async () => {
      const [granted, left] = await Promise.all([answers(rules), answers(gone)]);
      return granted.every(Boolean) && !left.some(Boolean);
    },
    { what: `the rights of ${user} in ${namespace} are in force` },
  );
}

/** Each request that the rule allows, as an access review asks for it; what is `*` in the rule is asked for as such. */
function requestsOf({ apiGroups, resources, verbs }: Rule): object[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((path) => {
      const [resource, subresource] = path.split('/');
      return verbs.map((verb) => ({ group, resource, ...(subresource && { subresource }), verb }));
    }),
  );
}

/** All that the operator's own rights let it do in a test, a rule for each kind that somebody may take out. */
export const OPERATOR_LOOKS: readonly Rule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'create', 'update', 'patch', 'delete', 'impersonate'] },
  ...[
    ['', 'configmaps'],
    ['', 'secrets'],
    ['', 'services'],
    ['', 'namespaces'],
    ['plumbline.dev', 'gitopssources'],
    ['plumbline.dev', 'driftguards'],
    ['apiextensions.k8s.io', 'customresourcedefinitions'],
    ['admissionregistration.k8s.io', 'validatingadmissionpolicies'],
    ['admissionregistration.k8s.io', 'validatingadmissionpolicybindings'],
  ].map(([group, resource]) => ({ apiGroups: [group!], resources: [resource!], verbs: ['list', 'watch'] })),
];

/** An account whose rights in the whole cluster are a test's to take and to give. */
export interface WideRights extends AsyncDisposable {
  readonly token: string;
  /** Replaces the rules, and waits until those are in force and nothing of `gone` is. */
  set(rules: readonly Rule[], gone?: readonly Rule[]): Promise<void>;
}

export async function wideRights(cluster: Cluster, rules: readonly Rule[]): Promise<WideRights> {
  const namespace = await freshNamespace(cluster);
  const metadata = { name: namespace };
  const rbac = 'rbac.authorization.k8s.io';
  const path = (resource: string) => `/apis/${rbac}/v1/${resource}`;
  const create = (where: string, body: object) => cluster.request('POST', where, { body: { metadata, ...body } });
  await create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {});
  await create(path('clusterroles'), { rules });
  const subjects = [{ kind: 'ServiceAccount', namespace, name: namespace }];
  const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: namespace };
  await create(path('clusterrolebindings'), { roleRef, subjects });
  const who = { user: serviceAccountUser({ namespace, name: namespace }), namespace: '' };
  await rightsInForce(cluster, who, rules);
  return {
    token: await serviceAccountToken(cluster, namespace, namespace),
    async set(wanted, gone = []) {
      await cluster.request('PATCH', `${path('clusterroles')}/${namespace}`, { body: { rules: wanted } });
      await rightsInForce(cluster, who, wanted, gone);
    },
    async [Symbol.asyncDispose]() {
      for (const resource of ['clusterrolebindings', 'clusterroles'])
        await cluster.request('DELETE', `${path(resource)}/${namespace}`);
    },
  };
}
