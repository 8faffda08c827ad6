import { append } from './lists.ts';
import { labelsMatch } from './selector.ts';

type Labels = Readonly<Record<string, string>>;

/** A selector, and where it stands. */
interface Selecting {
  readonly selector: Labels;
  readonly positions: number[];
}

/**
 * Finds those of many selectors that fit to labels: the same as asking `labelsMatch` of each. A strict one lies under only one
 * of its labels, that which the fewest ask for, so that many with one label in common do not lie at one place.
 */
export class SelectorIndex {
  readonly #strict: boolean;
  /** Those that ask for nothing, so that they fit to everything. */
  readonly #unasking: readonly Selecting[];
  readonly #byLabel = new Map<string, Selecting[]>();

  constructor(selectors: readonly (Labels | undefined)[], strict: boolean) {
    this.#strict = strict;
    const different = differentOf(selectors);
    this.#unasking = different.filter(({ selector }) => Object.keys(selector).length === 0);
    const counts = new Map<string, number>();
    for (const { selector } of different)
      for (const label of labelTexts(selector)) counts.set(label, (counts.get(label) ?? 0) + 1);
    for (const selecting of different) {
      const labels = labelTexts(selecting.selector).sort((a, b) => counts.get(a)! - counts.get(b)!);
      for (const label of strict ? labels.slice(0, 1) : labels) append(this.#byLabel, label, selecting);
    }
  }

  /** The positions of those that fit, ascending; what is undefined is no selector and never does. */
  matching(labels: Labels): number[] {
    const found = new Set(this.#unasking);
    for (const label of labelTexts(labels))
      for (const selecting of this.#byLabel.get(label) ?? [])
        if (labelsMatch(selecting.selector, labels, this.#strict)) found.add(selecting);
    return [...found].flatMap(({ positions }) => positions).sort((a, b) => a - b);
  }
}

/** Equal selectors taken together. */
function differentOf(selectors: readonly (Labels | undefined)[]): Selecting[] {
  const different = new Map<string, Selecting>();
  for (const [position, selector] of selectors.entries()) {
    if (!selector) continue;
    const key = labelTexts(selector).sort().join();
    const same = different.get(key);
    if (same) same.positions.push(position);
    else different.set(key, { selector, positions: [position] });
  }
  return [...different.values()];
}

/** One text for each name with its value, as JSON so that nothing else has the same. */
export function labelTexts(labels: Labels): string[] {
  return Object.entries(labels).map((label) => JSON.stringify(label));
}
