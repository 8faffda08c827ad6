import type { FieldsV1, KubeObject, ManagedFieldsEntry } from '../kube/object.ts';
import { isLeaf, ownedBy, ownEntry, unionOf } from '../drift/fields.ts';
import { matchesAny } from '../drift/managers.ts';
import { SYSTEM_FIELDS } from '../drift/system-fields.ts';

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
 *
 * What no manifest had declared stays with its owner. It may not become nobody's: the server removes a map with everything
 * in it that is nobody's when the last field that we own there goes.
 */
export function foldPredecessors(
  live: KubeObject,
  { ours, predecessors = PREDECESSOR_MANAGERS }: { ours: string; predecessors?: readonly string[] },
): Folded {
  const entries = live.metadata.managedFields ?? [];
  const own = ownEntry(live, ours);
  const taken: ManagedFieldsEntry[] = [];
  const kept: ManagedFieldsEntry[] = [];
  for (const entry of entries) {
    if (entry === own) continue;
    const [folded, left] = isPredecessor(entry, ours, predecessors) ? split(entry, live.kind) : [undefined, entry];
    if (folded) taken.push(folded);
    if (left) kept.push(left);
  }
  const dropLastApplied = live.metadata.annotations?.[LAST_APPLIED_ANNOTATION] !== undefined;
  if (taken.length === 0) return { managedFields: entries, changed: false, dropLastApplied, managers: [] };
  const managers = [...new Set(taken.map(({ manager }) => manager ?? ''))];
  return {
    managedFields: [...kept, united(own, taken, ours, live.apiVersion)],
    changed: true,
    dropLastApplied,
    managers,
  };
}

function isPredecessor(entry: ManagedFieldsEntry, ours: string, predecessors: readonly string[]): boolean {
  if (entry.subresource) return false;
  // An Update under our own name would share our fields and keep them alive.
  return entry.manager === ours || matchesAny(predecessors, entry.manager);
}

function united(
  own: ManagedFieldsEntry | undefined,
  taken: readonly ManagedFieldsEntry[],
  manager: string,
  apiVersion: string,
): ManagedFieldsEntry {
  const entries = own ? [own, ...taken] : taken;
  const time = entries.map((entry) => entry.time ?? '').reduce((latest, next) => (next > latest ? next : latest));
  return {
    manager,
    operation: 'Apply',
    apiVersion: own?.apiVersion ?? apiVersion,
    ...(time !== '' && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: ownedBy(entries),
  };
}

/** Removed from the object by the same patch. */
const LAST_APPLIED = [/^f:metadata$/, /^f:annotations$/, /^f:kubectl\.kubernetes\.io\/last-applied-configuration$/];

/** What is folded of an entry, and what stays with its owner; undefined when that is nothing. */
function split(
  entry: ManagedFieldsEntry,
  kind: string,
): [ManagedFieldsEntry | undefined, ManagedFieldsEntry | undefined] {
  const paths = SYSTEM_FIELDS.filter((one) => one.kind === undefined || one.kind === kind).map(({ path }) => path);
  const fields = without(entry.fieldsV1 ?? {}, LAST_APPLIED);
  const folded = paths.reduce(without, fields);
  const left = unionOf(paths.map((path) => only(fields, path)));
  const holding = (fieldsV1: FieldsV1): ManagedFieldsEntry | undefined =>
    isLeaf(fieldsV1) ? undefined : { ...entry, fieldsV1 };
  return [holding(folded), holding(left)];
}

/** The trie without what the path matches. */
function without(node: FieldsV1, [first, ...rest]: readonly RegExp[]): FieldsV1 {
  const kept: FieldsV1 = {};
  for (const trieKey in node) {
    const child = node[trieKey]!;
    if (!first?.test(trieKey)) {
      kept[trieKey] = child;
    } else if (rest.length > 0) {
      const inner = without(child, rest);
      // An emptied node would claim everything below it, and one that holds nothing but itself says nothing.
      if (isLeaf(child) || !Object.keys(inner).every((key) => key === '.')) kept[trieKey] = inner;
    }
  }
  return kept;
}

/** Only what the path matches. */
function only(node: FieldsV1, [first, ...rest]: readonly RegExp[]): FieldsV1 {
  const found: FieldsV1 = {};
  for (const trieKey in node) {
    if (!first?.test(trieKey)) continue;
    const child = rest.length > 0 ? only(node[trieKey]!, rest) : node[trieKey]!;
    if (rest.length === 0 || !isLeaf(child)) found[trieKey] = child;
  }
  return found;
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
