import type { KubeObject } from '../kube/object.ts';
import { CLUSTER_SUFFIX, labels, POLICY, SCALE_POLICY, scopedName } from './names.ts';
import { ADMISSION_VERSION, ANYTHING, homeOf, MATCH_DEFAULTS, type Platform } from './policy.ts';

/**
 * Each policy twice, however many sources there are: the API server goes through all bindings of a policy for each request
 * that the policy matches. The parameter of one is the guard in the namespace of the object that is written, so that no
 * namespace can say anything about another; of the other, for what lives in no namespace, the guard of the operator's own.
 */
export function bindings(platform: Platform): KubeObject[] {
  const { watchNamespace } = platform;
  const guard = { name: scopedName(POLICY, watchNamespace), parameterNotFoundAction: 'Allow' };
  const bind = (policy: string, suffix: string, scope: 'Namespaced' | 'Cluster', paramRef: object): KubeObject => ({
    apiVersion: ADMISSION_VERSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: scopedName(policy + suffix, watchNamespace), labels: labels(watchNamespace) },
    spec: {
      policyName: scopedName(policy, watchNamespace),
      paramRef,
      validationActions: ['Deny'],
      matchResources: {
        ...MATCH_DEFAULTS,
        resourceRules: [{ ...ANYTHING, scope, operations: ['UPDATE', 'DELETE'], resources: ['*/*'] }],
      },
    },
  });
  // The one that most requests meet comes last: once it refuses, all the others do.
  return [SCALE_POLICY, POLICY].flatMap((policy) => [
    bind(policy, CLUSTER_SUFFIX, 'Cluster', { ...guard, namespace: homeOf(platform) }),
    bind(policy, '', 'Namespaced', guard),
  ]);
}
