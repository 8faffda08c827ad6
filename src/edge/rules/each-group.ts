import type { Hit, Rule } from '../finding.ts';
import type { RouteGroup } from '../model.ts';
import { Looks } from './looks.ts';

const looks = new Looks<RouteGroup>(
  ({ groups }) => groups,
  ({ internal }) => (internal ? 'internal' : 'declared'),
);

const DECLARED = new Set(['declared']);

/** The `find` of a rule that looks at nothing but one group of Mappings at a time. */
export function inEachGroup(look: (group: RouteGroup) => Iterable<Hit>): Rule['find'] {
  return looks.add(look, DECLARED);
}
