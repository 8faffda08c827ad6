import type { Drop, Edge, Policy } from './model.ts';

/** What is asked of one edge again and again, worked out once. */
interface Index {
  readonly drops: ReadonlyMap<Policy, Drop>;
  readonly standing: ReadonlyMap<string, readonly Policy[]>;
}

const indexes = new WeakMap<Edge, Index>();

/** Why a policy has no effect; undefined: it was not dropped. The first reason when there are several. */
export function dropOf(edge: Edge, policy: Policy): Drop | undefined {
  return indexOf(edge).drops.get(policy);
}

/** The policies of one kind that the compiler looks at, in its order: without those that a later one of the same name replaces. */
export function standing(edge: Edge, kind: string): readonly Policy[] {
  return indexOf(edge).standing.get(kind) ?? [];
}

function indexOf(edge: Edge): Index {
  const known = indexes.get(edge);
  if (known) return known;
  const drops = new Map(edge.drops.toReversed().map((drop) => [drop.policy, drop]));
  const byKind = new Map<string, Policy[]>();
  for (const policy of edge.policies) {
    if (drops.get(policy)?.reason === 'replaced') continue;
    const same = byKind.get(policy.kind);
    if (same) same.push(policy);
    else byKind.set(policy.kind, [policy]);
  }
  const index = { drops, standing: byKind };
  indexes.set(edge, index);
  return index;
}
