import type { DriftGuardSpec, GuardedSource } from '../api/drift-guard.ts';

/** An object as admission names it. */
export interface Named {
  group: string;
  plural: string;
  /** '' for what lives in no namespace. */
  namespace: string;
  name: string;
}

/** What a source with `drift.mode: Prevent` asks for. */
export interface Wish {
  /** `namespace/name` */
  source: string;
  by: GuardedSource;
  /** What it declares and holds; `isScaled`: with the field that the subresource `scale` of its kind sets. */
  objects: readonly (Named & { isScaled: boolean })[];
}

/** The part of one source in the guard of one namespace; names by `group/resource`. */
export interface Share {
  by: GuardedSource;
  objects: ReadonlyMap<string, readonly string[]>;
  scaled: ReadonlyMap<string, readonly string[]>;
}

/** What a source asks for, namespace by namespace; `home` has what lives in none. */
export function sharesOf({ by, objects }: Wish, home: string): Map<string, Share> {
  const namespaces = Map.groupBy(objects, ({ namespace }) => namespace || home);
  return new Map(
    [...namespaces].map(([namespace, within]) => [
      namespace,
      { by, objects: byKind(within), scaled: byKind(within.filter(({ isScaled }) => isScaled)) },
    ]),
  );
}

function byKind(objects: readonly Named[]): Map<string, string[]> {
  const kinds = Map.groupBy(objects, ({ group, plural }) => `${group}/${plural}`);
  return new Map([...kinds].map(([kind, of]) => [kind, of.map(({ name }) => name)]));
}

/** The spec of a guard, from the shares of all its sources; of an object that two of them name, the later one has it. */
export function specOf(shares: ReadonlyMap<string, Share>): DriftGuardSpec {
  const all = (part: (share: Share) => ReadonlyMap<string, readonly string[]>) => {
    const kinds = new Map<string, Map<string, string>>();
    for (const [source, share] of shares)
      for (const [kind, names] of part(share)) {
        const known = kinds.get(kind) ?? new Map<string, string>();
        kinds.set(kind, known);
        for (const name of names) known.set(name, source);
      }
    // An object, not assignments: a name can be `__proto__`.
    return Object.fromEntries([...kinds].map(([kind, names]) => [kind, Object.fromEntries(names)]));
  };
  return {
    sources: Object.fromEntries([...shares].map(([source, { by }]) => [source, by])),
    objects: all(({ objects }) => objects),
    scaled: all(({ scaled }) => scaled),
  };
}

/** What a guard in the cluster says, source by source. */
export function sharesIn({ sources, objects, scaled }: DriftGuardSpec): Map<string, Share> {
  const [declared, rescaled] = [bySource(objects), bySource(scaled)];
  return new Map(
    Object.entries(sources).map(([source, by]) => [
      source,
      { by, objects: declared.get(source) ?? new Map(), scaled: rescaled.get(source) ?? new Map() },
    ]),
  );
}

function bySource(kinds: DriftGuardSpec['objects']): Map<string, Map<string, string[]>> {
  const all = new Map<string, Map<string, string[]>>();
  for (const [kind, names] of Object.entries(kinds))
    for (const [source, of] of Map.groupBy(Object.keys(names), (name) => names[name]!)) {
      const known = all.get(source) ?? new Map<string, string[]>();
      all.set(source, known.set(kind, of));
    }
  return all;
}

/** Do both say the same? The order in which objects are named says nothing. */
export function isSameShare(one: Share | undefined, other: Share | undefined): boolean {
  const told = (share: Share) => JSON.stringify([share.by, sorted(share.objects), sorted(share.scaled)]);
  return one === other || (one !== undefined && other !== undefined && told(one) === told(other));
}

function sorted(kinds: ReadonlyMap<string, readonly string[]>) {
  return [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, names]) => [kind, [...names].sort()]);
}
