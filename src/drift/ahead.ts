import { FIELD_MANAGER } from '../api/names.ts';
import { isKept, type Desired } from '../sync/desired.ts';
import type { LiveObject } from '../sync/live.ts';
import { assess } from './assess.ts';
import { DEFAULT_POLICY } from './policy.ts';

/**
 * A live object that waits as a whole (`unjudged`) for its source to be rendered, as it is known when it is just what the source
 * is expected to declare: by a baseline, which holds if the source declares exactly that. undefined: it goes on waiting, for
 * there is something to say of it. Only for a source with a lax policy (`isLax`): what others have beside is not looked at. Pure.
 */
export function judgedAhead(waiting: LiveObject, expected: Desired): LiveObject | undefined {
  const { unjudged, reconcileDisabled } = waiting;
  if (!unjudged || reconcileDisabled || !isKept(expected)) return undefined;
  if (unjudged.apiVersion !== expected.apiVersion) return undefined;
  const { judgement } = assess(expected, unjudged, { manager: FIELD_MANAGER, policy: DEFAULT_POLICY });
  if (judgement.kind !== 'inSync') return undefined;
  const { identity, digest } = expected;
  return { ...waiting, identity, baseline: judgement.baseline, declaredDigest: digest, unjudged: undefined };
}
