import type { Hit, Rule } from '../finding.ts';
import type { Policy } from '../model.ts';

/**
 * The `find` of a rule that looks at nothing but one policy at a time. What it finds is remembered with the policy, and
 * policies outlive compilations: after a change only the changed ones are looked at.
 */
export function inEach(kinds: readonly string[] | 'every', look: (policy: Policy) => Iterable<Hit>): Rule['find'] {
  const wanted = kinds === 'every' ? undefined : new Set(kinds);
  const remembered = new WeakMap<Policy, readonly Hit[]>();
  return function* ({ edge }) {
    for (const policy of edge.policies) {
      if (wanted && !wanted.has(policy.kind)) continue;
      const known = remembered.get(policy);
      const hits = known ?? [...look(policy)];
      if (!known) remembered.set(policy, hits);
      yield* hits;
    }
  };
}
