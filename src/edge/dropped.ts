import type { Drop, Edge, Policy } from './model.ts';

const byEdge = new WeakMap<Edge, ReadonlyMap<Policy, Drop>>();

/** Why a policy has no effect; undefined: it was not dropped. The first reason when there are several. */
export function dropOf(edge: Edge, policy: Policy): Drop | undefined {
  const known = byEdge.get(edge);
  if (known) return known.get(policy);
  const drops = new Map(edge.drops.toReversed().map((drop) => [drop.policy, drop]));
  byEdge.set(edge, drops);
  return drops.get(policy);
}

/** The policies of one kind that the compiler looks at, in its order: without those that a later one of the same name replaces. */
export function* standing(edge: Edge, kind: string): Iterable<Policy> {
  for (const policy of edge.policies) {
    if (policy.kind === kind && dropOf(edge, policy)?.reason !== 'replaced') yield policy;
  }
}
