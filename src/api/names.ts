// Every name that we write into a cluster stands here once.
export const GROUP = 'plumbline.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Server-side apply manager of everything that Git declares. */
export const FIELD_MANAGER = 'plumbline';
/** Holds fields that were given once at creation and are nobody's afterwards (ignored, autoscaled). */
export const INITIAL_FIELD_MANAGER = 'plumbline-initial';
/** Writes status and finalizers of our own resources; never a managed object. */
export const STATUS_FIELD_MANAGER = 'plumbline-status';

/** Labels on managed objects: which source. The value of NAME_LABEL is why a source's name has at most 63 characters. */
export const NAME_LABEL = `${GROUP}/name`;
export const NAMESPACE_LABEL = `${GROUP}/namespace`;
/**
 * Annotation that proves ownership: `<source namespace>/<source name>:<group>/<kind>/<namespace>/<name>`. It holds the
 * object's own identity, so a copy of the labels and annotations onto another object proves nothing.
 */
export const OWNER_ANNOTATION = `${GROUP}/owner`;

/** Per-object opt-outs, read from Git and from the live object. */
export const PRUNE_ANNOTATION = `${GROUP}/prune`;
export const RECONCILE_ANNOTATION = `${GROUP}/reconcile`;
export const SSA_ANNOTATION = `${GROUP}/ssa`;
export const FORCE_ANNOTATION = `${GROUP}/force`;
export const ADOPT_ANNOTATION = `${GROUP}/adopt`;

/** On Mappings of different owners, that share a route on purpose: the namespaces that do, on each. */
export const ROUTE_GROUP_ANNOTATION = `${GROUP}/route-group`;

/** On a source: reconcile now and verify everything; the token is echoed in status.lastHandledReconcileAt. */
export const REQUESTED_AT_ANNOTATION = `${GROUP}/requestedAt`;
export const FLUX_REQUESTED_AT_ANNOTATION = 'reconcile.fluxcd.io/requestedAt';
/** On a source: approves the prune of exactly this revision (`branch@sha1:…` or the commit id). */
export const APPROVE_PRUNE_ANNOTATION = `${GROUP}/approve-prune`;

/** On a source: lets exactly this commit through (`branch@sha1:…` or the commit id), where `spec.sync` is Manual. */
export const APPROVE_ANNOTATION = `${GROUP}/approve`;
/** On a source: applies exactly this commit (as above) although the windows for sync are closed. */
export const SYNC_NOW_ANNOTATION = `${GROUP}/syncNow`;
/** On a source: heals once what waits for a window; the token is echoed in status.lastHandledHealNow. */
export const HEAL_NOW_ANNOTATION = `${GROUP}/healNow`;

/** On the events of a source: which revision they are about, and its commit id. */
export const REVISION_ANNOTATION = `${GROUP}/revision`;
export const COMMIT_ANNOTATION = `${GROUP}/commit`;

/** What people may write on objects in Git; the rest of the prefix is nothing, and whoever writes it means something. */
export const MANIFEST_ANNOTATIONS: ReadonlySet<string> = new Set([
  PRUNE_ANNOTATION,
  RECONCILE_ANNOTATION,
  SSA_ANNOTATION,
  FORCE_ANNOTATION,
  ADOPT_ANNOTATION,
  ROUTE_GROUP_ANNOTATION,
  REQUESTED_AT_ANNOTATION,
  APPROVE_PRUNE_ANNOTATION,
  APPROVE_ANNOTATION,
  SYNC_NOW_ANNOTATION,
  HEAL_NOW_ANNOTATION,
  OWNER_ANNOTATION,
]);

export const FINALIZER = `${GROUP}/finalizer`;

/** The owner annotation's value for one object of one source. */
export function ownerProof(source: { namespace: string; name: string }, identityKey: string): string {
  return `${source.namespace}/${source.name}:${identityKey}`;
}
