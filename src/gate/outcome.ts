import { fieldOf, isMap, parsePath, type FieldPath } from '../drift/fields.ts';
import { bodyWithout, parseExact } from '../sync/body.ts';
import type { Desired } from '../sync/desired.ts';

type Kept = Pick<Desired, 'policy' | 'body' | 'givenUp'>;

/** Does the cluster hold what is declared, once it is applied? Else it holds what is live, or some of it. */
export function isWhole({ policy, givenUp }: Kept): boolean {
  return isWritten(policy) && givenUp === undefined;
}

function isWritten({ reconcile, ssa }: Kept['policy']): boolean {
  return reconcile && ssa !== 'Ignore' && ssa !== 'IfNotPresent';
}

/** What the cluster will hold of a declared object, as JSON. `live`: what it holds now. */
export function outcomeOf({ policy, body, givenUp }: Kept, live: string | undefined): string {
  if (live === undefined) return (givenUp?.createBody ?? body).text;
  if (!isWritten(policy)) return live;
  if (!givenUp) return body.text;
  const now = parseExact(live);
  let outcome: unknown = parseExact(bodyWithout(body.text, givenUp.paths));
  for (const pointer of givenUp.paths) outcome = taking(outcome, now, mapPath(parsePath(pointer) ?? []));
  return JSON.stringify(outcome);
}

/** As far as the path leads through maps: of a list that is given up in part, the whole is taken as it is live. */
function mapPath(path: FieldPath): string[] {
  const end = path.findIndex((step) => !('field' in step) || step.field === '*');
  return path.slice(0, end < 0 ? path.length : end).map((step) => ('field' in step ? step.field : ''));
}

function taking(into: unknown, live: unknown, [field, ...rest]: string[]): unknown {
  if (field === undefined) return live;
  const now = fieldOf(live, field);
  if (now === undefined) return into;
  return { ...(isMap(into) ? into : {}), [field]: taking(fieldOf(into, field), now, rest) };
}
