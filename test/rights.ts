// Rights are in force a moment after the role and its binding are stored, and go a moment after those: the API server's
// authorizer reads them from a watch. On a busy machine that moment was seen to take a tenth of a second.
import type { Cluster } from './cluster.ts';
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
