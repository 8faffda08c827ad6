import { labelsMatch } from './selector.ts';
import type { Host } from './model.ts';

/** What a Mapping without a host is told apart by: the selectors of the Hosts that select it (ir/irhttpmapping.py `_group_id`). */
export class SelectedLabels {
  readonly #strict: boolean;
  /** Hosts with a selector by its labels, in the order of the Hosts: not every Mapping is held against every Host. */
  readonly #byLabel = new Map<string, Set<number>>();
  readonly #selectors: readonly Readonly<Record<string, string>>[];

  constructor(hosts: readonly Host[], strict: boolean) {
    this.#strict = strict;
    this.#selectors = hosts.map(({ selector }) => selector ?? {});
    for (const [index, selector] of this.#selectors.entries()) {
      const labels = Object.entries(selector);
      for (const label of strict ? labels.slice(0, 1) : labels) {
        const known = this.#byLabel.get(labelKey(label)) ?? new Set();
        this.#byLabel.set(labelKey(label), known.add(index));
      }
    }
  }

  /** Keys and values of the selectors, one after the other, of all Hosts in their order. */
  identityOf(labels: Readonly<Record<string, string>>): string {
    const candidates = new Set<number>();
    for (const label of Object.entries(labels)) {
      for (const index of this.#byLabel.get(labelKey(label)) ?? []) candidates.add(index);
    }
    return [...candidates]
      .sort((a, b) => a - b)
      .map((index) => this.#selectors[index] ?? {})
      .filter((selector) => labelsMatch(selector, labels, this.#strict))
      .map((selector) => Object.entries(selector).flat().join(''))
      .join('');
  }
}

function labelKey([name, value]: [string, string]): string {
  return `${name}\0${value}`;
}
