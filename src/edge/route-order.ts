import type { EdgeSettings } from './input.ts';
import type { RouteGroup } from './model.ts';
import { Resorted } from './resorted.ts';

/**
 * Groups in the order in which Envoy tries them: precedence, length of the prefix, length of the header matches, of the
 * query matches, then the texts, each descending; of equal ones the younger first (ir/ir.py, ordered_groups). The order is one
 * for all Hosts: what a Host serves is a part of it, in this order.
 */
export function inMatchingOrder(groups: readonly RouteGroup[], settings: EdgeSettings): RouteGroup[] {
  const order = orders.get(settings) ?? new Resorted<RouteGroup>();
  orders.set(settings, order);
  return order.sort(groups.toReversed(), (a, b) => compareWeights(b.weight, a.weight));
}

const orders = new WeakMap<EdgeSettings, Resorted<RouteGroup>>();

/** Negative: `a` is tried later. */
export function compareWeights(a: RouteGroup['weight'], b: RouteGroup['weight']): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Integers up to this size, of either sign, keep their order as text. */
const OFFSET = 2 ** 52;

/** What decides, first things first, as one text that compares like the list: a large edge sorts thousands of them at each change. */
export function weightText(weight: readonly (number | string)[]): string {
  return weight.map((part) => (typeof part === 'number' ? numberText(part) : part)).join('\0');
}

/** The digits behind a letter for their count, as more of them are more; a negative number by how far it is from the least one. */
function numberText(number: number): string {
  const whole = Math.trunc(Math.min(Math.max(number, -OFFSET), OFFSET));
  if (whole < 0) return `-${String(whole + OFFSET).padStart(16, '0')}`;
  const digits = String(whole);
  return String.fromCharCode(64 + digits.length) + digits;
}
