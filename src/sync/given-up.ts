import { FIELD_MANAGER, INITIAL_FIELD_MANAGER } from '../api/names.ts';
import { formatPath, ownEntry } from '../drift/fields.ts';
import { leavesOutside, pick, withPicked } from '../drift/handover.ts';
import type { FieldsV1, KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { impersonated, type WriteCall } from './actor.ts';

/**
 * Makes `plumbline-initial` co-owner of the given-up fields that we still own, with their live values: the next apply may leave
 * them out, and they stay. Not forced and with the live value, so it can change nothing. `known`: the object as it is now; read
 * where it is left out.
 */
export async function handOver(api: KubeApi, call: WriteCall, known?: KubeObject): Promise<void> {
  const { actor, desired, resource, signal } = call;
  const { namespace, name } = desired.identity;
  const live = known ?? (await api.get(resource, namespace, name, { ...impersonated(actor), signal }));
  const [initial = {}, ours] = entriesOfBoth(live);
  if (!ours || !desired.givenUp) return;
  const whole = JSON.parse(desired.givenUp.createBody.text) as KubeObject;
  const fresh = pick(whole, desired.givenUp.paths, ours, live);
  if (!fresh) return;
  // What an apply leaves out, its manager lets go: what was handed over before is said again.
  const held = leavesOutside(initial, undefined).map(formatPath);
  await applyAsInitial(api, call, withPicked(fresh, { declared: live, live }, held, initial));
}

/**
 * What was given up once and is declared again is ours alone: as long as `plumbline-initial` owns it too, it would stay in
 * the cluster when Git drops it. Fields that only the second manager holds stay with it. Returns the object as it is then.
 */
export async function takeBack(api: KubeApi, call: WriteCall, object: KubeObject): Promise<KubeObject> {
  const [initial, ours] = entriesOfBoth(object);
  if (!initial || !ours) return object;
  const kept = leavesOutside(initial, ours).map(formatPath);
  if (kept.length === leavesOutside(initial, undefined).length) return object;
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const nothing = { apiVersion, kind, metadata: { name, ...(namespace && { namespace }) } };
  return applyAsInitial(api, call, pick(object, kept, initial) ?? nothing);
}

function entriesOfBoth(object: KubeObject): (FieldsV1 | undefined)[] {
  return [INITIAL_FIELD_MANAGER, FIELD_MANAGER].map((name) => ownEntry(object, name)?.fieldsV1);
}

async function applyAsInitial(api: KubeApi, call: WriteCall, body: KubeObject): Promise<KubeObject> {
  const { actor, desired, resource, signal } = call;
  const { namespace, name } = desired.identity;
  const options = { fieldManager: INITIAL_FIELD_MANAGER, force: false, ...impersonated(actor), signal };
  return (await api.apply(resource, namespace, name, JSON.stringify(body), options)).object;
}
