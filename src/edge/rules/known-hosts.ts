import { HostNames } from '../host-names.ts';
import { isGlob } from '../hostglob.ts';
import type { Host } from '../model.ts';

/** Hosts by name, to say why none of them serves a Mapping. */
export class KnownHosts {
  readonly #hosts: readonly Host[];
  readonly #names: HostNames;
  /** The first of each bare name. */
  readonly #byName = new Map<string, Host>();
  readonly #fitting = new Map<string, Host | undefined>();

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
    this.#names = new HostNames(hosts.map(({ hostname }) => hostname));
    for (const host of hosts) {
      const name = bare(host.hostname);
      if (!this.#byName.has(name)) this.#byName.set(name, host);
    }
  }

  /** One whose hostname fits, of the same name rather than a glob: it is its selector that keeps it from serving it. */
  fitting(host: string): Host | undefined {
    if (!this.#fitting.has(host)) this.#fitting.set(host, this.#find(host));
    return this.#fitting.get(host);
  }

  reason(host: string): string {
    const fitting = this.fitting(host);
    if (fitting) return `: Host ${fitting.namespace}/${fitting.name} (${fitting.hostname}) asks for other labels`;
    const near = this.#byName.get(bare(host));
    if (!near) return '';
    const why = near.hostname.toLowerCase() === host.toLowerCase() ? 'letter case counts' : 'ports count';
    return `: Host ${near.namespace}/${near.name} has ${near.hostname}, and ${why}`;
  }

  #find(host: string): Host | undefined {
    const fitting = this.#names.overlapping(host).map((position) => this.#hosts[position]!);
    const name = bare(host);
    return fitting.find(({ hostname }) => bare(hostname) === name) ?? fitting.find(({ hostname }) => isGlob(hostname));
  }
}

/** In small letters, without the port. */
function bare(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}
