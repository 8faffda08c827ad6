import type { Severity } from './finding.ts';

/** TLS versions as the policies write them, weakest first. */
export const TLS_VERSIONS = ['v1.0', 'v1.1', 'v1.2', 'v1.3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** Who may publish what: hosts and prefixes that belong to somebody. */
export interface Grant {
  /** For messages: who holds it. */
  readonly holder: string;
  /** Does an object of this namespace fall under it? Selectors are resolved before. */
  readonly namespaces: ReadonlySet<string>;
  /** Host globs as Hosts write them; empty: every host. */
  readonly hosts: readonly string[];
  /** Path prefixes; empty: every path. */
  readonly prefixes: readonly string[];
  /** Kinds beside Mapping and TCPMapping that the holder may declare; empty: no restriction by kind. */
  readonly kinds: readonly string[];
}

/**
 * What the platform team asks of everybody (EdgePolicy), and what a source asks of itself (`spec.edge`), as the rules need
 * it. Plain data: the defaults hold where nobody says anything.
 */
export interface Guard {
  /** Less is an error. */
  readonly tlsFloor: TlsVersion;
  readonly grants: readonly Grant[];
  /** FirstCome: what nobody was granted belongs to whoever has it first. Deny: it is refused. */
  readonly unclaimed: 'FirstCome' | 'Deny';
  /** Rules that are left out, with the reason that was given. */
  readonly ignored: ReadonlyMap<string, string>;
  /** At and above this severity a new finding stops a commit. */
  readonly failOn: Severity;
  /** apiVersions of group getambassador.io that the cluster serves; undefined: not known (offline). */
  readonly servedVersions: ReadonlySet<string> | undefined;
}

export const DEFAULT_GUARD: Guard = {
  tlsFloor: 'v1.2',
  grants: [],
  unclaimed: 'FirstCome',
  ignored: new Map(),
  failOn: 'error',
  servedVersions: undefined,
};
