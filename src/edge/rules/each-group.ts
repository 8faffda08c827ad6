import type { Hit, Rule } from '../finding.ts';
import type { RouteGroup } from '../model.ts';

/**
 * The `find` of a rule that looks at nothing but one group of Mappings at a time. What it finds is remembered with the
 * group, and a group of which nothing changed is the same object after the next compilation.
 */
export function inEachGroup(look: (group: RouteGroup) => Iterable<Hit>): Rule['find'] {
  const remembered = new WeakMap<RouteGroup, readonly Hit[]>();
  return function* ({ edge }) {
    for (const group of edge.groups) {
      if (group.internal) continue;
      const known = remembered.get(group);
      const hits = known ?? [...look(group)];
      if (!known) remembered.set(group, hits);
      yield* hits;
    }
  };
}
