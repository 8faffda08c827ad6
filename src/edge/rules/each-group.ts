import { NONE } from '../../none.ts';
import type { Hit, Rule } from '../finding.ts';
import type { RouteGroup } from '../model.ts';
import { aboutGroups } from '../facts.ts';
import { Looks } from './looks.ts';

/** What makes a group of Mappings more than the one Mapping that most are. */
type Trait = 'several' | 'weighted' | 'shadow';

const looks = new Looks<RouteGroup>(
  aboutGroups,
  ({ groups }) => groups,
  ({ internal }) => (internal ? 'internal' : 'declared'),
  traitsOf,
);

function traitsOf({ members, shadows, redirect }: RouteGroup): readonly Trait[] {
  const [first] = members;
  if (members.length === 1 && shadows.length === 0 && !redirect && first?.weight === undefined) return NONE;
  const traits: Trait[] = [];
  if (members.length + shadows.length + (redirect ? 1 : 0) > 1) traits.push('several');
  if (members.some(({ weight }) => weight !== undefined)) traits.push('weighted');
  if (shadows.length > 0) traits.push('shadow');
  return traits;
}

/** The `find` of a rule that looks at nothing but one group of Mappings at a time, and finds something only in one with this trait. */
export function inEachGroup(trait: Trait, look: (group: RouteGroup) => Iterable<Hit>): Rule['find'] {
  const find = looks.add(look, { sorts: ['declared'], traits: [trait] });
  return ({ edge }) => find(edge);
}
