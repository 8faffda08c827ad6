/** Fields by their place in a managedFields trie. */
export interface FieldPlace {
  /** Only of this kind. */
  readonly kind?: string;
  /** One pattern for each trie key on the way. */
  readonly path: readonly RegExp[];
  /** The place for people, as paths are written; `…` stands for anything. */
  readonly shown: string;
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
  { path: [/^f:status$/], shown: '/status' },
  {
    path: [METADATA, /^f:(finalizers|ownerReferences|generateName)$/],
    shown: '/metadata/finalizers, /metadata/ownerReferences, /metadata/generateName',
  },
  {
    path: [METADATA, ANNOTATIONS, /^f:(deployment|pv|volume|volume\.beta|batch|autoscaling\.alpha)\.kubernetes\.io\//],
    shown: '/metadata/annotations/{deployment,pv,volume,volume.beta,batch,autoscaling.alpha}.kubernetes.io~1…',
  },
  {
    path: [METADATA, /^f:labels$/, /^f:kubernetes\.io\/metadata\.name$/],
    shown: '/metadata/labels/kubernetes.io~1metadata.name',
  },
  {
    path: [...TEMPLATE_METADATA, ANNOTATIONS, /^f:kubectl\.kubernetes\.io\/restartedAt$/],
    shown: '/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt',
  },
  { kind: 'Namespace', path: [SPEC, /^f:finalizers$/], shown: '/spec/finalizers' },
  { kind: 'PersistentVolumeClaim', path: [SPEC, /^f:volumeName$/], shown: '/spec/volumeName' },
  { kind: 'PersistentVolume', path: [SPEC, /^f:claimRef$/], shown: '/spec/claimRef' },
  { kind: 'Pod', path: [SPEC, /^f:nodeName$/], shown: '/spec/nodeName' },
  { kind: 'Job', path: [SPEC, /^f:selector$/], shown: '/spec/selector' },
  {
    kind: 'Job',
    path: [...TEMPLATE_METADATA, /^f:labels$/, /^f:(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/],
    shown:
      '/spec/template/metadata/labels/{controller-uid,job-name}, /spec/template/metadata/labels/batch.kubernetes.io~1{controller-uid,job-name}',
  },
];
