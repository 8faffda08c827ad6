import type { Grant, Guard } from './guard.ts';
import { globsOverlap, isGlob } from './hostglob.ts';
import { append } from './lists.ts';

/** What an object claims: host names, and the paths below a prefix. */
export interface Claim {
  /** A host name or a glob; undefined: any host can be meant (a regular expression). */
  readonly host: string | undefined;
  /** undefined: every path. */
  readonly prefix: string | undefined;
}

/** The grants of a guard by the namespaces that they are made to. */
export class Grants {
  readonly #all: readonly Grant[];
  readonly #byNamespace = new Map<string, Grant[]>();
  /** By host name in lower case; the others say nothing of hosts, or name globs. */
  readonly #byHost = new Map<string, Grant[]>();
  readonly #wide: Grant[] = [];

  constructor({ grants }: Guard) {
    this.#all = grants;
    for (const grant of grants) {
      for (const namespace of grant.namespaces) append(this.#byNamespace, namespace, grant);
      if (grant.hosts.length === 0 || grant.hosts.some(isGlob)) this.#wide.push(grant);
      else for (const host of grant.hosts) append(this.#byHost, host.toLowerCase(), grant);
    }
  }

  of(namespace: string): readonly Grant[] {
    return this.#byNamespace.get(namespace) ?? [];
  }

  /** May that namespace publish it? Then one grant alone holds all of the claim. */
  allow(namespace: string, claim: Claim): boolean {
    return this.of(namespace).some((grant) => covers(grant, claim));
  }

  /** A grant of somebody else that a claim touches. */
  holderOf(namespace: string, claim: Claim): Grant | undefined {
    const { host } = claim;
    const near =
      host === undefined || isGlob(host) ? this.#all : [...(this.#byHost.get(host.toLowerCase()) ?? []), ...this.#wide];
    return near.find((grant) => !grant.namespaces.has(namespace) && touches(grant, claim));
  }

  /** Is there a grant that both namespaces have? */
  together(one: string, other: string): boolean {
    return one === other || this.of(one).some(({ namespaces }) => namespaces.has(other));
  }
}

function covers({ hosts, prefixes }: Grant, { host, prefix }: Claim): boolean {
  const hostIn = hosts.length === 0 || (host !== undefined && hosts.some((granted) => globCovers(granted, host)));
  return (
    hostIn &&
    (prefixes.length === 0 || (prefix !== undefined && prefixes.some((granted) => prefix.startsWith(granted))))
  );
}

function touches({ hosts, prefixes }: Grant, { host, prefix }: Claim): boolean {
  const name = host?.toLowerCase();
  const hostTouched =
    hosts.length === 0 || name === undefined || hosts.some((granted) => globsOverlap(granted.toLowerCase(), name));
  // A Mapping may take paths in any letter case.
  const path = prefix?.toLowerCase();
  const near = (granted: string) => path === undefined || isWithin(path, granted.toLowerCase());
  return hostTouched && (prefixes.length === 0 || prefixes.some(near));
}

/** Is one of them below the other? */
function isWithin(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** Is every name that the second means one that the first means? A `*` stands for at least one character. */
export function globCovers(glob: string, host: string): boolean {
  const [outer, inner] = [glob.toLowerCase(), host.toLowerCase()];
  if (outer === inner || outer === '*') return true;
  if (inner.length < outer.length || inner === '*') return false;
  if (outer.startsWith('*')) return inner.endsWith(outer.slice(1)) && !inner.endsWith('*');
  return outer.endsWith('*') && inner.startsWith(outer.slice(0, -1)) && !inner.startsWith('*');
}

/**
 * What every path that a regular expression matches begins with: its literal start. Empty when it could be anything; an
 * alternative makes it so, wherever it stands.
 */
export function literalStart(regex: string): string {
  if (regex.includes('|')) return '';
  const [start = ''] = /^\^?([\w/~%:@!&=,;-]|\\[./-])*/.exec(regex) ?? [];
  const optional = /^[?*{]/.test(regex.slice(start.length));
  const plain = start.replace(/^\^/, '').replaceAll('\\', '');
  return optional ? plain.slice(0, -1) : plain;
}
