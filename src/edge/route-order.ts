import type { RouteGroup } from './model.ts';

/**
 * Groups in the order in which Envoy tries them: precedence, length of the prefix, length of the header matches, of the
 * query matches, then the texts, each descending; of equal ones the younger first (ir/ir.py, ordered_groups). The order is one
 * for all Hosts: what a Host serves is a part of it, in this order.
 */
export function inMatchingOrder(groups: readonly RouteGroup[]): RouteGroup[] {
  return groups.toReversed().sort((a, b) => compareWeights(b.weight, a.weight));
}

/** Negative: `a` is tried later. */
export function compareWeights(a: RouteGroup['weight'], b: RouteGroup['weight']): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === y || x === undefined || y === undefined) continue;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}
