import type { Drop, Edge, Policy } from './model.ts';
import { policiesOf } from './party.ts';

/** What is asked of one edge again and again, worked out once. */
interface Index {
  readonly drops: ReadonlyMap<Policy, Drop>;
  /** By kind, as far as it was asked for. */
  readonly standing: Map<string, readonly Policy[]>;
}

const indexes = new WeakMap<Edge, Index>();

/** Why a policy has no effect; undefined: it was not dropped. The first reason when there are several. */
export function dropOf(edge: Edge, policy: Policy): Drop | undefined {
  return indexOf(edge).drops.get(policy);
}

/** The policies of one kind that the compiler looks at, in its order: without those that a later one of the same name replaces. */
export function standing(edge: Edge, kind: string): readonly Policy[] {
  const { drops, standing } = indexOf(edge);
  const known = standing.get(kind);
  if (known) return known;
  const all = policiesOf(edge, kind);
  const left = drops.size === 0 ? all : all.filter((policy) => drops.get(policy)?.reason !== 'replaced');
  standing.set(kind, left);
  return left;
}

function indexOf(edge: Edge): Index {
  const known = indexes.get(edge);
  if (known) return known;
  const drops = new Map(edge.drops.toReversed().map((drop) => [drop.policy, drop]));
  const index = { drops, standing: new Map<string, readonly Policy[]>() };
  indexes.set(edge, index);
  return index;
}
