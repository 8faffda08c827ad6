/** Codes that applying and pruning can raise; they are the `reason` of a failure in status. */
export const SYNC_ERRORS = {
  KindNotFound: {
    meaning: 'The cluster does not serve this kind in this version.',
    mend: 'Correct apiVersion and kind, or install the CRD; the object is applied as soon as the kind appears.',
  },
  OwnedByOtherSource: {
    meaning: 'Another GitOpsSource declares this object, or the live object proves to belong to it.',
    mend: 'Remove it from one of the two. Of a source of the same namespace it is taken over then as it is; of another namespace with plumbline.dev/prune: disabled on the live object there, and plumbline.dev/adopt: "true" here.',
  },
  TrackedByOtherTool: {
    meaning: 'Another GitOps tool still tracks the live object.',
    mend: 'Remove it from that tool without deleting it, or set plumbline.dev/adopt: "true" on its manifest.',
  },
  AdoptionRefused: {
    meaning: 'The object exists, others made it, and spec.adoption is Refuse.',
    mend: 'Set plumbline.dev/adopt: "true" on its manifest, or spec.adoption: Adopt.',
  },
  ImmutableField: {
    meaning: 'The change touches a field that cannot be changed once the object exists.',
    mend: 'Set spec.force: true, or plumbline.dev/force: enabled on the manifest, to have it deleted and created again.',
  },
  RecreateRefused: {
    meaning:
      'The object would have to be deleted and created again, but it must never be deleted, or a rehearsal showed that creating it fails.',
    mend: 'Mend the manifest; the live object was left as it is.',
  },
  ForeignFieldStays: {
    meaning:
      'spec.drift.foreignFields is Remove, and the API server refuses to take out a field that somebody added. The object is as declared otherwise.',
    mend: 'Declare the field, or leave it to its manager: name it in spec.drift.allowManagers, or the field in spec.drift.ignore.',
  },
  Terminating: {
    meaning: 'The live object is being deleted and its finalizers have not ended yet.',
    mend: 'Nothing: it is created again when it is gone. If it stays, see which of its finalizers does not end.',
  },
  WaitingForReference: {
    meaning: 'The edge would serve something wrong if this object came before what it refers to.',
    mend: 'Add what the message names, or correct the reference.',
  },
  CrdNotEstablished: {
    meaning: 'The API server has not begun to serve a CRD of this revision.',
    mend: "See the CRD's conditions.",
  },
  NotAttempted: {
    meaning: 'atomic: true, and another object of the revision would be refused.',
    mend: 'Mend the objects that are named beside this one.',
  },
  ServiceAccountMissing: {
    meaning: 'The ServiceAccount that would write the objects does not exist.',
    mend: 'Create it with the rights that the source needs; the message shows how.',
  },
  ReleaseNotStored: {
    meaning: 'That a commit was let through by a window or an approval could not be written into the status.',
    mend: 'Nothing: nothing of the commit is applied before that, and it is tried again. Look at the API server if it stays.',
  },
  InventoryNotStored: {
    meaning:
      'The status of the source could not be written, and a crash later could leave objects that nobody looks for.',
    mend: 'Nothing: it is tried again. If it stays, see the log for why the status cannot be written.',
  },
  OwnershipLost: {
    meaning: 'Between the decision and the write the object became another one, or somebody else claimed it.',
    mend: 'Nothing: it is judged again.',
  },
} as const;
