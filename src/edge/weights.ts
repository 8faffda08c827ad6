/** The shares of the members of a group. */
export interface Weights {
  /** For each member: its new place is its place in `order`, its cumulative weight here. */
  readonly cumulative: readonly number[];
  /** Positions of the members as they were given, in their final order: those with a weight first. */
  readonly order: readonly number[];
  /** What is posted; undefined: nothing. Traffic flows all the same. */
  readonly problem: 'over-100' | 'sum-over-100' | undefined;
}

/**
 * Shares of 100 as upstream computes them (ir/irbasemappinggroup.py): explicit weights are summed up in order, the rest is
 * shared by those without one, rounded half to even, the last one closing at 100. One alone gets all, whatever it asks for.
 *
 * What is computed before a weight above 100 is met stays: the members after it get 0.
 */
export function weightsOf(weights: readonly (number | undefined)[]): Weights {
  const asGiven = weights.map((_, position) => position);
  if (weights.length === 1) return { cumulative: [100], order: asGiven, problem: undefined };
  const cumulative = weights.map(() => 0);
  let sum = 0;
  for (const position of asGiven) {
    const weight = weights[position];
    if (weight === undefined) continue;
    if (weight > 100) return { cumulative, order: asGiven, problem: 'over-100' };
    sum += roundHalfToEven(weight);
    cumulative[position] = sum;
  }
  if (sum > 100) return { cumulative, order: asGiven, problem: 'sum-over-100' };
  const weightless = asGiven.filter((position) => weights[position] === undefined);
  const each = roundHalfToEven((100 - sum) / weightless.length);
  for (const position of weightless) cumulative[position] = sum += each;
  const last = weightless.at(-1);
  if (last !== undefined) cumulative[last] = 100;
  const order = [...asGiven.filter((position) => weights[position] !== undefined), ...weightless];
  return { cumulative: order.map((position) => cumulative[position] ?? 0), order, problem: undefined };
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** What each member really gets: what its cumulative weight leaves after all members before it, in percent. */
export function sharesOf(cumulative: readonly number[]): number[] {
  let reached = 0;
  return cumulative.map((end) => {
    const share = Math.max(0, Math.min(end, 100) - reached);
    reached += share;
    return share;
  });
}
