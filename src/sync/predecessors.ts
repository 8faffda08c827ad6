import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { isApplyOf, isLeaf, ownEntry, unionOf } from '../drift/fields.ts';
import { matchesAny } from '../drift/managers.ts';

export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Managers that wrote what a human or another tool had declared, before the object was ours. A name is enough, because only
 * whole-object writes are folded: entries of a subresource stay. Controllers of the cluster are never among them.
 */
export const PREDECESSOR_MANAGERS: readonly string[] = [
  // The server's own name for everything that was there before the first apply.
  'before-first-apply',
  'kubectl',
  'kubectl-*',
  'helm',
  'Helm',
  'helm-controller',
  'kustomize-controller',
  'flux',
  'gotk-*',
  'argocd-controller',
  'argocd-application-controller',
  'argocd-server',
  'configsync.gke.io',
  'fleetagent',
  'fleet-agent',
  'kapp',
  'kapp-server-side',
  'kapp-controller',
  'rancher',
  'terraform*',
  'Terraform',
  'pulumi*',
];

export interface Folded {
  /** The whole new list, for one JSON patch that is guarded by resourceVersion. */
  readonly managedFields: ManagedFieldsEntry[];
  /** false: no predecessor was found, nothing needs to be sent. */
  readonly changed: boolean;
  /** Its annotation is there: a later client-side apply would merge against it. */
  readonly dropLastApplied: boolean;
  /** Names of the managers whose fields became ours, each once. */
  readonly managers: string[];
}

/**
 * Makes the fields of an object's former owners ours, so that what Git does not declare goes away with our first apply
 * instead of staying live for ever with nobody to remove it. Union of their tries with our entry, if there is one; paths of
 * an older apiVersion that no longer exist do no harm, the server just finds nothing there.
 */
export function foldPredecessors(
  live: KubeObject,
  { ours, predecessors = PREDECESSOR_MANAGERS }: { ours: string; predecessors?: readonly string[] },
): Folded {
  const entries = live.metadata.managedFields ?? [];
  const isFolded = (entry: ManagedFieldsEntry): boolean =>
    !entry.subresource &&
    !isApplyOf(entry, ours) &&
    // An Update under our own name would share our fields and keep them alive.
    (entry.manager === ours || matchesAny(predecessors, entry.manager));
  const folded = entries.filter(isFolded);
  const dropLastApplied = live.metadata.annotations?.[LAST_APPLIED_ANNOTATION] !== undefined;
  if (folded.length === 0) return { managedFields: entries, changed: false, dropLastApplied, managers: [] };

  const own = ownEntry(live, ours);
  const tries = [own, ...folded].flatMap((entry) => (entry?.fieldsV1 ? [withoutUnfoldable(entry.fieldsV1)] : []));
  const time = folded.map((entry) => entry.time ?? '').reduce((latest, next) => (next > latest ? next : latest));
  const entry: ManagedFieldsEntry = {
    manager: ours,
    operation: 'Apply',
    apiVersion: own?.apiVersion ?? live.apiVersion,
    ...(time !== '' && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: unionOf(tries),
  };
  const kept = entries.filter((other) => other !== own && !folded.includes(other));
  const managers = [...new Set(folded.map(({ manager }) => manager ?? ''))];
  return { managedFields: [...kept, entry], changed: true, dropLastApplied, managers };
}

/**
 * Fields that a predecessor's entry may name although no manifest declared them: the system put them there, and our first
 * apply would take them away. Without finalizers a volume in use is deleted, without volumeName a bound claim is refused as
 * immutable, and a removed restartedAt restarts every pod.
 */
const UNFOLDABLE: readonly (readonly RegExp[])[] = [
  [/^f:metadata$/, /^f:(finalizers|ownerReferences|generateName)$/],
  [
    /^f:metadata$/,
    /^f:annotations$/,
    /^f:(deployment\.kubernetes\.io|pv\.kubernetes\.io|volume\.(beta\.)?kubernetes\.io|batch\.kubernetes\.io|autoscaling\.alpha\.kubernetes\.io)\//,
  ],
  [/^f:metadata$/, /^f:annotations$/, /^f:kubectl\.kubernetes\.io\/last-applied-configuration$/],
  [/^f:metadata$/, /^f:labels$/, /^f:kubernetes\.io\/metadata\.name$/],
  [/^f:spec$/, /^f:(volumeName|clusterIP|clusterIPs|healthCheckNodePort|claimRef|finalizers|nodeName|providerID)$/],
  [/^f:spec$/, /^f:ports$/, /^k:/, /^f:nodePort$/],
  [/^f:spec$/, /^f:selector$/, /^f:matchLabels$/, /^f:(batch\.kubernetes\.io\/)?controller-uid$/],
  [/^f:spec$/, /^f:template$/, /^f:metadata$/, /^f:annotations$/, /^f:kubectl\.kubernetes\.io\/restartedAt$/],
  [/^f:spec$/, /^f:template$/, /^f:metadata$/, /^f:labels$/, /^f:(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/],
  [/^f:status$/],
];

function withoutUnfoldable(fields: FieldsV1): FieldsV1 {
  return UNFOLDABLE.reduce((trie, pattern) => prune(trie, pattern), fields);
}

function prune(node: FieldsV1, [first, ...rest]: readonly RegExp[], isItem = false): FieldsV1 {
  const kept: FieldsV1 = {};
  for (const trieKey in node) {
    const child = node[trieKey]!;
    if (!first?.test(trieKey)) {
      kept[trieKey] = child;
    } else if (rest.length > 0) {
      const pruned = prune(child, rest, trieKey.startsWith('k:'));
      // An emptied node would claim everything below it.
      if (isLeaf(child) || !isLeaf(pruned)) kept[trieKey] = pruned;
    }
  }
  // Who owns a map itself takes away what is in it and nobody's. A list item must go as one.
  const isTouched = rest.length === 0 && Object.keys(kept).length < Object.keys(node).length;
  if (isTouched && !isItem) delete kept['.'];
  return kept;
}

/** Who says of an object that it is theirs. */
export interface Tracker {
  readonly tool: string;
  /** What says so, for people: `label kustomize.toolkit.fluxcd.io/name=apps`. */
  readonly detail: string;
}

interface Mark {
  readonly tool: string;
  readonly on: 'label' | 'annotation';
  readonly name: string;
}

const MARKS: readonly Mark[] = [
  { tool: 'Flux', on: 'label', name: 'kustomize.toolkit.fluxcd.io/name' },
  { tool: 'Flux', on: 'label', name: 'helm.toolkit.fluxcd.io/name' },
  { tool: 'Argo CD', on: 'annotation', name: 'argocd.argoproj.io/tracking-id' },
  { tool: 'Argo CD', on: 'label', name: 'argocd.argoproj.io/instance' },
  { tool: 'Config Sync', on: 'annotation', name: 'configsync.gke.io/resource-id' },
  { tool: 'Config Sync', on: 'annotation', name: 'configmanagement.gke.io/managed' },
  { tool: 'Fleet', on: 'annotation', name: 'objectset.rio.cattle.io/id' },
  { tool: 'kapp', on: 'label', name: 'kapp.k14s.io/app' },
  { tool: 'Sveltos', on: 'annotation', name: 'projectsveltos.io/owner-name' },
];

/**
 * The other GitOps tool that still tracks the object, if any: both would write it for ever. Helm's own marks do not count,
 * because nothing re-applies a release by itself. `app.kubernetes.io/instance` is Argo CD's only beside Argo CD's manager:
 * charts set it everywhere.
 */
export function trackedByOther(live: KubeObject): Tracker | undefined {
  const { labels = {}, annotations = {}, managedFields = [] } = live.metadata;
  for (const { tool, on, name } of MARKS) {
    const value = (on === 'label' ? labels : annotations)[name];
    if (value !== undefined && value !== 'disabled') return { tool, detail: `${on} ${name}=${value}` };
  }
  const instance = labels['app.kubernetes.io/instance'];
  const byArgo = managedFields.some(({ manager }) =>
    matchesAny(['argocd-controller', 'argocd-application-controller'], manager),
  );
  if (instance === undefined || !byArgo) return undefined;
  return { tool: 'Argo CD', detail: `label app.kubernetes.io/instance=${instance}` };
}
