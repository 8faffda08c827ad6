import { FIELD_MANAGER } from '../api/names.ts';
import { PlumblineError } from '../errors.ts';
import { isConflict, isGone } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { foldPredecessors, LAST_APPLIED_ANNOTATION, trackedByOther } from './predecessors.ts';
import type { LiveObjects } from './live.ts';
import { provenSource, sighted } from './sighting.ts';
import { impersonated, type WriteCall } from './actor.ts';

/** Whose object it was before. */
export interface Adopted {
  /** Managers whose fields became ours. */
  managers: string[];
}

export type Touch =
  | { kind: 'absent' }
  /** Ours already: only the labels were lost. */
  | { kind: 'own'; live: KubeObject }
  | { kind: 'adopt'; adopted: Adopted }
  /** Exists, and the manifest wants no more than that. */
  | { kind: 'leave' };

/** Somebody else writing the object at the same time is answered by reading it again. */
const ATTEMPTS = 5;

/**
 * Looks at an object that our watches do not know, with the rights of the source, and prepares it for its first apply: the
 * fields of known predecessors become ours, or a field that is later removed from Git would stay live for ever. Rejects when
 * it must not be taken.
 */
export async function firstTouch(deps: { api: KubeApi; live: LiveObjects }, call: WriteCall): Promise<Touch> {
  const { api } = deps;
  for (let attempt = 1; ; attempt += 1) {
    const live = await readLive(api, call);
    if (!live) return { kind: 'absent' };
    noteOwned(deps.live, live, call);
    const verdict = mayTake(live, call);
    if (verdict === 'own') return { kind: 'own', live };
    if (verdict === 'leave') return { kind: 'leave' };
    if (call.desired.policy.ssa === 'Merge') return { kind: 'adopt', adopted: { managers: [] } };
    try {
      return { kind: 'adopt', adopted: { managers: await fold(api, call, live) } };
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Rejects as `firstTouch` would, and changes nothing. */
export async function assertMayTouch(api: KubeApi, call: WriteCall): Promise<void> {
  const live = await readLive(api, call);
  if (live) mayTake(live, call);
}

/** The object with the rights of the source; undefined when it does not exist. */
export async function readLive(
  api: KubeApi,
  { actor, desired, resource, signal }: WriteCall,
): Promise<KubeObject | undefined> {
  const { namespace, name } = desired.identity;
  try {
    return await api.get(resource, namespace, name, { ...impersonated(actor), signal });
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function mayTake(live: KubeObject, { actor, desired }: WriteCall): 'own' | 'leave' | 'take' {
  const refuse = (code: string, message: string): never => {
    throw new PlumblineError(code, message, { object: desired.identity, file: desired.file, line: desired.line });
  };
  if (live.metadata.deletionTimestamp) refuse('Terminating', 'is being deleted and waits for its finalizers');
  const owner = provenSource(live);
  if (owner === actor.source) return 'own';
  if (desired.policy.ssa === 'IfNotPresent') return 'leave';
  if (desired.policy.adopt) return 'take';
  if (owner !== undefined && actor.sourceExists(owner) && !actor.inheritsFrom(owner)) {
    refuse(
      'OwnedByOtherSource',
      `belongs to the source ${owner}, and is not overwritten: remove it from one of the two`,
    );
  }
  const other = trackedByOther(live);
  if (other) {
    refuse(
      'TrackedByOtherTool',
      `is still managed by ${other.tool} (${other.detail}); set the annotation plumbline.dev/adopt: "true" on its manifest to take it over`,
    );
  }
  if (actor.adoption === 'Refuse' && owner === undefined) {
    refuse(
      'AdoptionRefused',
      'exists already and was made by others, and spec.adoption is Refuse; set the annotation plumbline.dev/adopt: "true" on its manifest to take it over',
    );
  }
  return 'take';
}

/** Another source's object whose labels were taken off: that source could not see it, and is to put it right or let it go. */
function noteOwned(known: LiveObjects, live: KubeObject, { actor, desired }: WriteCall): void {
  const owner = provenSource(live);
  if (owner === undefined || owner === actor.source || !actor.sourceExists(owner) || known.get(desired.key)) return;
  known.set(sighted(live, undefined, undefined));
}

async function fold(api: KubeApi, call: WriteCall, live: KubeObject): Promise<string[]> {
  const { actor, desired, resource, signal } = call;
  const folded = foldPredecessors(live, { ours: FIELD_MANAGER });
  if (!folded.changed && !folded.dropLastApplied) return [];
  const pointer = LAST_APPLIED_ANNOTATION.replace('/', '~1');
  const patch = [
    // A guard: the server answers 409 when somebody was faster.
    { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    ...(folded.changed ? [{ op: 'replace', path: '/metadata/managedFields', value: folded.managedFields }] : []),
    ...(folded.dropLastApplied ? [{ op: 'remove', path: `/metadata/annotations/${pointer}` }] : []),
  ];
  await api.jsonPatch(resource, desired.identity.namespace, desired.identity.name, patch, {
    fieldManager: FIELD_MANAGER,
    ...impersonated(actor),
    signal,
  });
  return folded.managers;
}
