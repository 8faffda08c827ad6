import { NAME_LABEL, NAMESPACE_LABEL } from '../api/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { POLICY, SCALE_POLICY } from './names.ts';
import { ADMISSION_VERSION, labels, MATCH_DEFAULTS, scopedName } from './policy.ts';

/** An object as admission names it. */
export interface Named {
  group: string;
  plural: string;
  namespace: string;
  name: string;
}

/** What the objects of one source need. */
export interface Wish {
  namespace: string;
  name: string;
  /** Carries the labels of the source, but is not declared any more: anybody's to change. */
  left: readonly Named[];
  /** Declares `spec.replicas` and has the subresource `scale`. */
  scaled: readonly Named[];
}

/**
 * The bindings of one source: one to the objects with its labels, and one for each namespace in which it declares replicas.
 * Without the source as their parameter they refuse nothing.
 */
export function bindings(wish: Wish, watchNamespace: string): KubeObject[] {
  const { namespace, name, left, scaled } = wish;
  const bind = (policy: string, suffix: string, matchResources: object): KubeObject => ({
    apiVersion: ADMISSION_VERSION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: `${policy}.${namespace}.${name}${suffix}`, labels: labels(watchNamespace) },
    spec: {
      policyName: scopedName(policy, watchNamespace),
      paramRef: { namespace, name, parameterNotFoundAction: 'Allow' },
      validationActions: ['Deny'],
      matchResources: { ...MATCH_DEFAULTS, ...matchResources },
    },
  });
  const own = { objectSelector: { matchLabels: { [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace } } };
  const excludeResourceRules = rules(left, '', ['UPDATE', 'DELETE']);
  return [
    bind(POLICY, '', { ...own, ...(left.length > 0 && { excludeResourceRules }) }),
    ...[...Map.groupBy(scaled, (object) => object.namespace)].map(([within, objects]) =>
      bind(SCALE_POLICY, `.${within}`, {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': within } },
        resourceRules: rules(objects, '/scale', ['UPDATE']),
      }),
    ),
  ];
}

/** `namespace/name` of the source that a binding is for. */
export function sourceOf(binding: KubeObject): string | undefined {
  const { paramRef } = (binding['spec'] ?? {}) as { paramRef?: { namespace?: string; name?: string } };
  return paramRef?.namespace && paramRef.name ? `${paramRef.namespace}/${paramRef.name}` : undefined;
}

/** One rule for each kind, in a steady order. */
function rules(objects: readonly Named[], subresource: string, operations: readonly string[]): object[] {
  const kinds = Map.groupBy(objects, ({ group, plural }) => `${group}/${plural}`);
  return [...kinds.values()]
    .map((of) => ({
      apiGroups: [of[0]!.group],
      apiVersions: ['*'],
      operations,
      resources: [of[0]!.plural + subresource],
      resourceNames: [...new Set(of.map(({ name }) => name))].sort(),
      scope: '*',
    }))
    .sort((a, b) => (a.apiGroups[0]! + a.resources[0]! < b.apiGroups[0]! + b.resources[0]! ? -1 : 1));
}
