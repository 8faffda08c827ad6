import type { Hit, Rule } from '../finding.ts';
import type { Policy } from '../model.ts';
import { Looks } from './looks.ts';

const looks = new Looks<Policy>(({ policies }) => policies);

/** The `find` of a rule that looks at nothing but one policy at a time, of some kinds or of every one. */
export function inEach(kinds: readonly string[] | 'every', look: (policy: Policy) => Iterable<Hit>): Rule['find'] {
  if (kinds === 'every') return looks.add(look);
  const wanted = new Set(kinds);
  return looks.add((policy) => (wanted.has(policy.kind) ? look(policy) : []));
}
