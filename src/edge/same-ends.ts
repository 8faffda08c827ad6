/** How much of a list is as it was: so many items at its beginning, and of the others so many at its end. */
export interface SameEnds {
  readonly start: number;
  readonly end: number;
}

/** What two lists begin and end with alike; no item is counted twice. */
export function sameEnds(before: readonly unknown[], now: readonly unknown[]): SameEnds {
  const shorter = Math.min(before.length, now.length);
  let start = 0;
  while (start < shorter && now[start] === before[start]) start++;
  let end = 0;
  while (end < shorter - start && now[now.length - 1 - end] === before[before.length - 1 - end]) end++;
  return { start, end };
}
