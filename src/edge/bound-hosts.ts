import type { HttpChains } from './chains.ts';
import { insecureActionOf } from './hosts.ts';
import { append } from './lists.ts';
import { binds, type Binding } from './listeners.ts';
import type { Host } from './model.ts';
import { labelTexts } from './selector-index.ts';

/** The Hosts that a Listener takes, and what they make of it; one for all Listeners that ask for the same. */
export interface BoundHosts {
  readonly hosts: readonly Host[];
  /** Those whose action for requests without TLS the compiler does not know. */
  readonly unknownActions: ReadonlySet<Host>;
  /** By what else a Listener says that its chains depend on. */
  readonly chains: Map<string, HttpChains>;
}

/** Which Hosts each Listener takes: many Listeners that take many Hosts hold them but once. */
export class Bindings {
  readonly #hosts: readonly Host[];
  readonly #strict: boolean;
  /** Places of Hosts, by the namespace and by each of the labels that Listeners ask for. */
  readonly #places = new Map<string, number[]>();
  readonly #bound = new Map<string, BoundHosts>();

  constructor(hosts: readonly Host[], strict: boolean) {
    this.#hosts = hosts;
    this.#strict = strict;
    for (const [place, { namespace, policy }] of hosts.entries()) {
      append(this.#places, namespaceKey(namespace), place);
      for (const label of labelTexts(policy?.labels ?? {})) append(this.#places, label, place);
    }
  }

  of(binding: Binding): BoundHosts {
    const key = JSON.stringify([binding.namespace ?? null, Object.entries(binding.selector)]);
    const known = this.#bound.get(key);
    if (known) return known;
    const hosts = this.#candidates(binding).filter((host) => binds(binding, host, this.#strict));
    const unknown = hosts.filter(({ policy }) => policy && insecureActionOf(policy.spec) === undefined);
    const bound = { hosts, unknownActions: new Set(unknown), chains: new Map<string, HttpChains>() };
    this.#bound.set(key, bound);
    return bound;
  }

  /** The few that a Listener may take, in their order: many Listeners that ask for other labels each do not look at all of them. */
  #candidates({ namespace, selector }: Binding): readonly Host[] {
    const places = labelTexts(selector).map((label) => this.#places.get(label) ?? []);
    const asked = this.#strict || places.length === 0 ? places : [[...new Set(places.flat())].sort((a, b) => a - b)];
    if (namespace !== undefined) asked.push(this.#places.get(namespaceKey(namespace)) ?? []);
    const [fewest] = asked.sort((a, b) => a.length - b.length);
    return fewest ? fewest.map((place) => this.#hosts[place]!) : this.#hosts;
  }
}

/** No label has such a key. */
function namespaceKey(namespace: string): string {
  return `namespace ${namespace}`;
}
