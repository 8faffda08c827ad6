/** Fields by their place in a managedFields trie. */
export interface FieldPlace {
  /** Only of this kind. */
  readonly kind?: string;
  /** One pattern for each trie key on the way. */
  readonly path: readonly RegExp[];
}

const METADATA = /^f:metadata$/;
const ANNOTATIONS = /^f:annotations$/;
const SPEC = /^f:spec$/;
const TEMPLATE_METADATA = [SPEC, /^f:template$/, METADATA];

/**
 * Fields that anybody's entry may name although no manifest declared them: the system put them there. They are not taken over
 * from a predecessor, and not reported or removed. Without its finalizers a volume in use is deleted, without volumeName a
 * bound claim is refused as immutable, and a removed restartedAt restarts every pod. (Addresses and node ports of a Service
 * need no place here: the server puts them back itself.)
 */
export const SYSTEM_FIELDS: readonly FieldPlace[] = [
  { path: [/^f:status$/] },
  { path: [METADATA, /^f:(finalizers|ownerReferences|generateName)$/] },
  {
    path: [METADATA, ANNOTATIONS, /^f:(deployment|pv|volume|volume\.beta|batch|autoscaling\.alpha)\.kubernetes\.io\//],
  },
  { path: [METADATA, /^f:labels$/, /^f:kubernetes\.io\/metadata\.name$/] },
  { path: [...TEMPLATE_METADATA, ANNOTATIONS, /^f:kubectl\.kubernetes\.io\/restartedAt$/] },
  { kind: 'Namespace', path: [SPEC, /^f:finalizers$/] },
  { kind: 'PersistentVolumeClaim', path: [SPEC, /^f:volumeName$/] },
  { kind: 'PersistentVolume', path: [SPEC, /^f:claimRef$/] },
  { kind: 'Pod', path: [SPEC, /^f:nodeName$/] },
  { kind: 'Job', path: [SPEC, /^f:selector$/] },
  {
    kind: 'Job',
    path: [...TEMPLATE_METADATA, /^f:labels$/, /^f:(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/],
  },
];
