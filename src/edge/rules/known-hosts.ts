import { globsOverlap, isGlob } from '../hostglob.ts';
import type { Host } from '../model.ts';

/** Hosts by name, to say why none of them serves a Mapping. */
export class KnownHosts {
  readonly #byName = new Map<string, Host[]>();
  readonly #globs: readonly Host[];

  constructor(hosts: readonly Host[]) {
    this.#globs = hosts.filter(({ hostname }) => isGlob(hostname));
    for (const host of hosts) {
      const same = this.#byName.get(bare(host.hostname));
      if (same) same.push(host);
      else this.#byName.set(bare(host.hostname), [host]);
    }
  }

  /** Those whose hostname fits: it is their selector that keeps them from serving it. */
  fitting(host: string): Host[] {
    return this.#near(host).filter(({ hostname }) => globsOverlap(hostname, host));
  }

  reason(host: string): string {
    const [fitting] = this.fitting(host);
    const [near] = this.#near(host);
    if (fitting) return `: Host ${fitting.namespace}/${fitting.name} (${fitting.hostname}) asks for other labels`;
    if (!near) return '';
    const why = near.hostname.toLowerCase() === host.toLowerCase() ? 'letter case counts' : 'ports count';
    return `: Host ${near.namespace}/${near.name} has ${near.hostname}, and ${why}`;
  }

  #near(host: string): Host[] {
    const globs = this.#globs.filter(({ hostname }) => globsOverlap(hostname, host));
    return [...(this.#byName.get(bare(host)) ?? []), ...globs];
  }
}

/** In small letters, without the port. */
function bare(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}
