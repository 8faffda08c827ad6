import type { HttpChains } from './chains.ts';
import { insecureActionOf } from './hosts.ts';
import { binds, type Binding } from './listeners.ts';
import type { Host } from './model.ts';

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
  readonly #bound = new Map<string, BoundHosts>();

  constructor(hosts: readonly Host[], strict: boolean) {
    this.#hosts = hosts;
    this.#strict = strict;
  }

  of(binding: Binding): BoundHosts {
    const key = JSON.stringify([binding.namespace ?? null, Object.entries(binding.selector)]);
    const known = this.#bound.get(key);
    if (known) return known;
    const hosts = this.#hosts.filter((host) => binds(binding, host, this.#strict));
    const unknown = hosts.filter(({ policy }) => policy && insecureActionOf(policy.spec) === undefined);
    const bound = { hosts, unknownActions: new Set(unknown), chains: new Map<string, HttpChains>() };
    this.#bound.set(key, bound);
    return bound;
  }
}
