import type { DriftGuardSpec } from '../api/drift-guard.ts';
import { isSameShare, sharesIn, specOf, type Share } from './shares.ts';

/** Which source has which share in the guard of which namespace: what is wanted, whatever the cluster holds. */
export class Ledger {
  readonly #byNamespace = new Map<string, Map<string, Share>>();
  readonly #bySource = new Map<string, Set<string>>();

  get isEmpty(): boolean {
    return this.#byNamespace.size === 0;
  }

  sources(): string[] {
    return [...this.#bySource.keys()];
  }

  sourcesIn(namespace: string): string[] {
    return [...(this.#byNamespace.get(namespace)?.keys() ?? [])];
  }

  namespacesOf(source: string): string[] {
    return [...(this.#bySource.get(source) ?? [])];
  }

  /** What the guard of this namespace should say; undefined: there should be none. */
  specOf(namespace: string): DriftGuardSpec | undefined {
    const shares = this.#byNamespace.get(namespace);
    return shares && specOf(shares);
  }

  /** Takes over what an earlier process wrote. */
  adopt(namespace: string, spec: DriftGuardSpec): void {
    for (const [source, share] of sharesIn(spec)) this.#set(namespace, source, share);
  }

  /** Replaces what the source has. Returns the namespaces whose guards say something else now. */
  put(source: string, shares: ReadonlyMap<string, Share>): string[] {
    const known = this.namespacesOf(source);
    return [...new Set([...known, ...shares.keys()])].filter((namespace) => {
      const [before, after] = [this.#byNamespace.get(namespace)?.get(source), shares.get(namespace)];
      if (isSameShare(before, after)) return false;
      this.#set(namespace, source, after);
      return true;
    });
  }

  /** Has the source act as another user. Returns the namespaces whose guards say something else now. */
  rename(source: string, account: string): string[] {
    const shares = this.namespacesOf(source).map((namespace) => {
      const share = this.#byNamespace.get(namespace)!.get(source)!;
      return [namespace, { ...share, by: { ...share.by, account } }] as const;
    });
    return this.put(source, new Map(shares));
  }

  #set(namespace: string, source: string, share: Share | undefined): void {
    const shares = this.#byNamespace.get(namespace) ?? new Map<string, Share>();
    const namespaces = this.#bySource.get(source) ?? new Set<string>();
    // Put behind all others: of an object that two of them name, the later one has it.
    shares.delete(source);
    if (share) shares.set(source, share);
    if (share) namespaces.add(namespace);
    else namespaces.delete(namespace);
    if (shares.size > 0) this.#byNamespace.set(namespace, shares);
    else this.#byNamespace.delete(namespace);
    if (namespaces.size > 0) this.#bySource.set(source, namespaces);
    else this.#bySource.delete(source);
  }
}
