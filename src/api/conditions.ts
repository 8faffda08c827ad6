/** metav1.Condition; `lastTransitionTime` in RFC 3339. */
export interface Condition {
  type: ConditionType;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
}

/** The types of conditions, and what True means. Documented in docs/reference/conditions.md. */
export const CONDITION_TYPES = {
  Ready:
    'The newest revision that may be applied is applied as a whole (and healthy, with wait: true); one that waits for a window or an approval does not count. Always present. Of an EdgePolicy: it holds for its gateway as it is written.',
  Reconciling:
    'Plumbline is at work on a new revision or a repeated attempt, or a new revision waits. Present only while True.',
  Stalled: 'Nothing will change until somebody edits the source or the repository. Present only while True.',
  Drifted:
    'The cluster differs from Git. Unknown when that cannot be told, for instance without Git and without a cache.',
  DriftPrevented:
    'The API server refuses changes of declared fields by others. Absent when spec.drift.mode is not Prevent.',
  Healthy: 'Every managed object is healthy by the rules of kstatus.',
  EdgeHealthy:
    'The newest commit passed the edge gate and nothing is wrong on the Emissary-ingress edge where this source is concerned. Absent when it declares nothing there.',
  Overridden:
    'Of an EdgePolicy: a commit that is enforced now is one that spec.overrides lets pass, whatever is found. Present only while True.',
} as const;

export type ConditionType = keyof typeof CONDITION_TYPES;

/**
 * Every reason that does not come from an error. A condition about an error carries the error's code as its reason; those
 * are in docs/reference/errors.md.
 */
export const REASONS = {
  ReconciliationSucceeded: 'Everything in the revision is applied.',
  ReconciliationFailed: 'At least one object could not be applied; status.failures names the first ones.',
  Progressing: 'At work on this revision.',
  WaitingForWindow:
    'A commit waits to be applied (Reconciling, Ready), or drift to be healed (Drifted), until a window of spec.windows opens; the message says when.',
  WaitingForApproval:
    'spec.sync is Manual, and nobody has approved this commit yet; status.pending shows what it would do.',
  ProgressingWithRetry: 'The last attempt failed; it will be repeated.',
  Suspended: 'spec.suspend is true: nothing is applied, healed or pruned.',
  InvalidSpec:
    'The resource itself is malformed; the message names the fields. Of an EdgePolicy holds what can be read, and the strictest value for the rest.',
  DependencyNotReady: 'A source in spec.dependsOn is missing or not Ready at its newest revision.',
  AccessDenied: 'The ServiceAccount may not do what the revision asks for; status.failures names the first objects.',
  BuildFailed: 'The files at the revision could not be turned into objects; each problem has its file and line.',
  EmptyRevision: 'There is not one object below spec.path any more; nothing is pruned.',
  PruneFailed: 'An object that is no longer in Git could not be deleted.',
  PruneBlocked:
    'A prune needs approval: it is larger than spec.pruneGuard allows, or meets a Namespace, a CRD or a volume claim.',
  ConflictDetected: 'Objects of the revision belong to another source; status.failures names the first ones.',
  HealthCheckFailed: 'The objects are applied, but at least one has failed.',
  HealthCheckTimeout: 'The objects are applied, but not all were healthy within spec.timeout.',
  Healthy: 'Every managed object is healthy.',
  InSync: 'Every declared field has its declared value.',
  DriftDetected: 'Declared fields were changed by others and are left so, as spec.drift.mode says.',
  DriftNotHolding:
    'Somebody changes the same field again and again: the message names the field, the field manager and the rate. It is healed each time, more and more slowly when he is fast. Ends by itself.',
  DriftRewritten: 'Admission rewrites declared fields each time they are applied.',
  ForeignFields:
    'Others added fields to managed objects; spec.drift.foreignFields is Report, and status.drift.foreign names them.',
  DriftUnknown: 'Whether the cluster differs from Git is not known yet.',
  Preventing: 'The API server refuses changes of declared fields by others.',
  PreventNotAllowed:
    'The platform does not allow spec.drift.mode: Prevent in this namespace (--prevent-namespaces); drift is healed instead.',
  EdgeSound: 'Nothing on the edge is wrong where this source is concerned.',
  EdgeFindings: 'Something on the edge is wrong where this source is concerned; status.edge.findings says what.',
  InForce: 'The EdgePolicy holds for its gateway.',
  AmbassadorIdTaken: 'Another EdgePolicy, first by name, is about the same gateway; this one does not count.',
  OverridesInUse:
    'spec.overrides lets commits pass that are enforced now; the message names them. Each is in the audit log.',
  Deleting: 'The source is being deleted; its objects follow spec.deletionPolicy.',
  Unexpected: 'A defect of Plumbline; please report it with the lines of the log. It is tried again.',
} as const;

export type Reason = keyof typeof REASONS;

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

/**
 * The conditions with this one in place. `lastTransitionTime` moves only when the status flips. Returns the same array when
 * nothing changed, so that the caller can skip a write.
 */
export function setCondition(conditions: Condition[], next: NewCondition, now: Date): Condition[] {
  const index = conditions.findIndex(({ type }) => type === next.type);
  const before = conditions[index];
  if (before && sameCondition(before, next)) return conditions;
  const flipped = before?.status !== next.status;
  // The API server's own precision; finer digits would be a difference on every read.
  const lastTransitionTime = flipped ? now.toISOString().replace(/\.\d+Z$/, 'Z') : before.lastTransitionTime;
  const changed = { ...next, lastTransitionTime };
  return before ? conditions.with(index, changed) : [...conditions, changed];
}

/** The conditions without this one; the same array when it is not there. */
export function removeCondition(conditions: Condition[], type: ConditionType): Condition[] {
  return conditions.some((condition) => condition.type === type)
    ? conditions.filter((condition) => condition.type !== type)
    : conditions;
}

export function findCondition(conditions: readonly Condition[], type: ConditionType): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

function sameCondition(a: NewCondition, b: NewCondition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  );
}
