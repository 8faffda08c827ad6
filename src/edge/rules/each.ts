import type { Hit, Rule } from '../finding.ts';
import type { Edge, Policy } from '../model.ts';
import { aboutPolicies } from '../facts.ts';
import { Looks } from './looks.ts';

const looks = new Looks<Policy>(
  aboutPolicies,
  ({ policies }) => policies,
  ({ kind }) => kind,
  ({ spec }) => Object.keys(spec),
);

type Kinds = readonly string[] | 'every';

/**
 * The `find` of a rule that looks at nothing but one policy at a time, of some kinds or of every one. `fields`: it finds
 * nothing in a policy whose spec has none of these. `ifAt`: nor where the answer to this is no; it saves the beginning.
 */
export function inEach(
  kinds: Kinds,
  look: (policy: Policy) => Iterable<Hit>,
  fields: readonly string[] | 'any' = 'any',
  ifAt?: (policy: Policy) => boolean,
): Rule['find'] {
  const find = looks.add(look, { sorts: kinds, traits: fields }, ifAt);
  return ({ edge }) => find(edge);
}

/** The policies of some kinds of which something is true that depends on nothing else, in the compiler's order, the dropped ones included. */
export function policiesThat(kinds: Kinds, isTrue: (policy: Policy) => boolean): (edge: Edge) => Iterable<Policy> {
  return looks.add((policy) => [policy], { sorts: kinds, traits: 'any' }, isTrue);
}

/** The policies of some kinds that have one of these fields, in the compiler's order, the dropped ones included. */
export function policiesWith(kinds: Kinds, fields: readonly string[]): (edge: Edge) => Iterable<Policy> {
  return looks.add((policy) => [policy], { sorts: kinds, traits: fields });
}
