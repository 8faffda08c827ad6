import { NONE } from '../none.ts';
import { Frozen } from './compilation.ts';
import { isRecord } from './spec.ts';
import type { Policy, RouteGroup } from './model.ts';

// The schema lets a header that is to be added have no value, as in `{x-team: {append: true}}`, and the watcher leaves an empty
// one out; the compiler takes the value without asking whether it is there.

/** The names in `add_request_headers` or `add_response_headers` that have no value. */
export function bareHeaders(added: unknown): readonly string[] {
  if (!isRecord(added)) return NONE;
  return Object.keys(added).filter((name) => isRecord(added[name]) && !Object.hasOwn(added[name], 'value'));
}

/** Throws for the first route that the compiler cannot write. */
export function raiseForAddedHeaders(groups: readonly RouteGroup[]): void {
  const policy = groups.find(({ unwritable }) => unwritable)?.unwritable;
  if (policy) throw new Frozen({ stage: 'envoy', message: bareMessage(policy), policy });
}

/** For `policy`, which holds it. */
export function bareMessage({ kind, namespace, name }: Policy): string {
  return `${kind} ${namespace}/${name}: a header that is to be added has no value, or an empty one`;
}
