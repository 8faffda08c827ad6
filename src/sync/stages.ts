import type { Identity } from '../kube/object.ts';

/**
 * The order in which objects are applied; deletion goes the other way. Each stage holds what the next ones need, so that no
 * moment in between serves traffic wrongly: a Host before its Secret would be served in cleartext, a Mapping before its
 * Service would answer 503, a webhook before the workload that answers it would refuse everything after it.
 */
export const STAGES = [
  'foundations',
  'configuration',
  'secrets',
  'tlsContexts',
  'hosts',
  'workloads',
  'mappings',
  'globalPolicies',
  'admission',
] as const;
export type Stage = (typeof STAGES)[number];

const EDGE_GROUP = 'getambassador.io';

/** `group/kind` of everything that does not belong to the workloads, which hold the rest (and all unknown kinds). */
const STAGE_OF_KIND: Readonly<Record<string, Stage>> = {
  '/Namespace': 'foundations',
  'apiextensions.k8s.io/CustomResourceDefinition': 'foundations',

  '/ServiceAccount': 'configuration',
  'rbac.authorization.k8s.io/Role': 'configuration',
  'rbac.authorization.k8s.io/RoleBinding': 'configuration',
  'rbac.authorization.k8s.io/ClusterRole': 'configuration',
  'rbac.authorization.k8s.io/ClusterRoleBinding': 'configuration',
  '/ConfigMap': 'configuration',
  '/ResourceQuota': 'configuration',
  '/LimitRange': 'configuration',
  '/PersistentVolume': 'configuration',
  '/PersistentVolumeClaim': 'configuration',
  'networking.k8s.io/NetworkPolicy': 'configuration',

  '/Secret': 'secrets',

  [`${EDGE_GROUP}/TLSContext`]: 'tlsContexts',

  [`${EDGE_GROUP}/Host`]: 'hosts',
  [`${EDGE_GROUP}/Listener`]: 'hosts',
  // A Mapping that names an unknown resolver is dropped.
  [`${EDGE_GROUP}/ConsulResolver`]: 'hosts',
  [`${EDGE_GROUP}/KubernetesEndpointResolver`]: 'hosts',
  [`${EDGE_GROUP}/KubernetesServiceResolver`]: 'hosts',

  [`${EDGE_GROUP}/Mapping`]: 'mappings',
  [`${EDGE_GROUP}/TCPMapping`]: 'mappings',

  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': 'admission',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': 'admission',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': 'admission',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': 'admission',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': 'admission',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': 'admission',
  // Sends requests of a whole API group to a Service, as a webhook does.
  'apiregistration.k8s.io/APIService': 'admission',
};

type Kind = Pick<Identity, 'group' | 'kind'>;

export function stageNameOf({ group, kind }: Kind): Stage {
  const named = STAGE_OF_KIND[`${group}/${kind}`];
  if (named) return named;
  // StorageClass, IngressClass, GatewayClass, PriorityClass…: named by others, naming nobody.
  if (kind.endsWith('Class')) return 'configuration';
  // The rest of Emissary's kinds act on all traffic: Module, AuthService, RateLimitService, LogService, TracingService,
  // and Edge Stack's Filter, FilterPolicy and RateLimit.
  return group === EDGE_GROUP ? 'globalPolicies' : 'workloads';
}

/** Position in the order of application, from 0. */
export function stageOf(identity: Kind): number {
  return STAGES.indexOf(stageNameOf(identity));
}

export function isCrd({ group, kind }: Kind): boolean {
  return group === 'apiextensions.k8s.io' && kind === 'CustomResourceDefinition';
}

/** The stages from last to first, each with its objects in the given order: how objects are deleted. */
export function deletionStages<T extends { identity: Kind }>(objects: readonly T[]): T[][] {
  const stages = Map.groupBy(objects, ({ identity }) => stageOf(identity));
  return [...stages].sort(([a], [b]) => b - a).map(([, members]) => members);
}
