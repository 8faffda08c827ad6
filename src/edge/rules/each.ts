import type { Hit, Rule } from '../finding.ts';
import type { Policy } from '../model.ts';
import { Looks } from './looks.ts';

const looks = new Looks<Policy>(
  ({ policies }) => policies,
  ({ kind }) => kind,
);

/** The `find` of a rule that looks at nothing but one policy at a time, of some kinds or of every one. */
export function inEach(kinds: readonly string[] | 'every', look: (policy: Policy) => Iterable<Hit>): Rule['find'] {
  return looks.add(look, kinds === 'every' ? 'every' : new Set(kinds));
}
