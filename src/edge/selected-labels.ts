import type { Host } from './model.ts';
import { SelectorIndex } from './selector-index.ts';

/** What a Mapping without a host is told apart by: the selectors of the Hosts that select it (ir/irhttpmapping.py `_group_id`). */
export class SelectedLabels {
  readonly #selectors: SelectorIndex;
  /** Of each Host the keys and values of its selector, one after the other. */
  readonly #texts: readonly string[];

  constructor(hosts: readonly Host[], strict: boolean) {
    this.#texts = hosts.map(({ selector }) =>
      Object.entries(selector ?? {})
        .flat()
        .join(''),
    );
    // A selector that asks for nothing adds nothing.
    const asking = hosts.map(({ selector }) => (Object.keys(selector ?? {}).length > 0 ? selector : undefined));
    this.#selectors = new SelectorIndex(asking, strict);
  }

  /** Keys and values of the selectors, one after the other, of all Hosts in their order. */
  identityOf(labels: Readonly<Record<string, string>>): string {
    const selecting = this.#selectors.matching(labels);
    return selecting.map((position) => this.#texts[position]!).join('');
  }
}
