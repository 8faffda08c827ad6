import { FIELD_MANAGER, INITIAL_FIELD_MANAGER } from '../api/names.ts';
import { foreignFields } from '../drift/foreign.ts';
import { formatPath } from '../drift/fields.ts';
import { shownPath } from '../drift/mask.ts';
import { policyFor } from '../drift/policy.ts';
import { disowned, removal } from '../drift/removal.ts';
import { PlumblineError } from '../errors.ts';
import { isConflict } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { impersonated, type WriteCall } from './actor.ts';

/** Somebody else writing the object at the same time is answered by looking at what he made of it. */
const ATTEMPTS = 5;
const PATHS_NAMED = 3;

/**
 * Takes out what others added to an object, where its source wants that, and resolves with what the server holds then.
 * `live` is the answer to the apply a moment ago; `again` repeats that apply when somebody was faster, so that what is removed
 * was always seen beside our fields as they should be. Sends nothing when there is nothing to remove.
 */
export async function withoutForeign(
  api: KubeApi,
  call: WriteCall,
  live: KubeObject,
  again: () => Promise<KubeObject>,
): Promise<KubeObject> {
  const { actor, desired, resource, signal } = call;
  if (!actor.removes) return live;
  const declared = JSON.parse(desired.body.text) as KubeObject;
  const { foreignFields: wish, tolerated } = policyFor(actor.removes, desired, declared);
  if (wish !== 'Remove') return live;
  const { namespace, name } = desired.identity;
  const patch = async ({ metadata }: KubeObject, operations: readonly object[]): Promise<KubeObject> => {
    // A guard: the server answers 409 when somebody was faster.
    const guard = { op: 'replace', path: '/metadata/resourceVersion', value: metadata.resourceVersion };
    // What the server puts in the place of a removed field is a default, and nobody's business: never ours as declared.
    const options = { fieldManager: INITIAL_FIELD_MANAGER, ...impersonated(actor), signal };
    return (await api.jsonPatch(resource, namespace, name, [guard, ...operations], options)).object;
  };
  let now = live;
  for (let attempt = 1; ; attempt += 1) {
    const input = { declared, live: now, manager: FIELD_MANAGER, tolerated };
    const fields = foreignFields(input);
    if (fields.length === 0) return now;
    try {
      const object = await patch(now, removal(input, fields));
      const back = foreignFields({ ...input, live: object });
      if (back.length === 0) return object;
      const value = disowned(object, FIELD_MANAGER, back);
      return await patch(object, [{ op: 'replace', path: '/metadata/managedFields', value }]);
    } catch (error) {
      if (!isConflict(error))
        throw refused(
          call,
          fields.map(({ path }) => shownPath(formatPath(path))),
          error,
        );
      if (attempt === ATTEMPTS) throw error;
      now = await again();
    }
  }
}

function refused({ desired, signal }: WriteCall, paths: readonly string[], error: unknown): unknown {
  if (signal.aborted) return error;
  const more = paths.length > PATHS_NAMED ? ` and ${paths.length - PATHS_NAMED} more` : '';
  const named = `${paths.slice(0, PATHS_NAMED).join(', ')}${more}`;
  const message = `${named} was added by others and cannot be removed: ${(error as Error).message}`;
  const { identity: object, file, line } = desired;
  return new PlumblineError('ForeignFieldStays', message, { object, file, line, cause: error });
}
