// What is wrong with a world at the end of a round; pure.
import type { GitOpsSource } from '../../src/api/source.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { identityKey } from '../../src/kube/object.ts';
import { NAME_LABEL, NAMESPACE_LABEL, OWNER_ANNOTATION, ownerProof } from '../../src/api/names.ts';
import { isMarkedOnly } from '../../src/sync/sighting.ts';
import type { Addition } from './additions.ts';
import { falseClaims, isUnknown } from './claims.ts';
import {
  hasAddition,
  OBJECT_KINDS,
  SOURCES,
  valueOf,
  type Declared,
  type Key,
  type Kind,
  type Places,
  type SourceName,
} from './declared.ts';
import { ADDITIONS, type Standing } from './steps.ts';

export interface Sight {
  /** Every object of the kinds, whoever made it. */
  objects: Map<Key, KubeObject>;
  sources: Map<SourceName, GitOpsSource>;
  /** Names of the sources for which a DriftGuard has edits refused. */
  guarded: Set<string>;
}

export interface Wanted {
  standings: Record<SourceName, Standing>;
  /** The newest commit for each source. */
  tips: Record<SourceName, string>;
  /** What a commit declares of a source. */
  declaredBy: (commit: string, source: SourceName) => Declared | undefined;
  /** Objects that must not have been deleted and made again: their uids. */
  uids: ReadonlyMap<Key, string>;
  /** What may stay, without a proof, though nobody declares it. */
  unproven: ReadonlySet<Key>;
  /** Of these, what may stay with its labels. */
  forsaken: ReadonlySet<Key>;
  places: Places;
  /** An object that looks like ours and is not, with the resourceVersion that it must keep. */
  foreign: { key: Key; version: string };
  /** What others added, and what must still be there of it. */
  additions: readonly Addition[];
}

/** One line for each thing that is not as it should be. */
export function differences(sight: Sight, wanted: Wanted): string[] {
  return [
    ...lost(sight, wanted),
    ...orphans(sight, wanted),
    ...added(sight, wanted),
    ...SOURCES.flatMap((name) => falseClaims(name, sight, wanted)),
  ];
}

function lost({ objects }: Sight, { standings, uids, places }: Wanted): string[] {
  return SOURCES.flatMap((source) =>
    [...standings[source].live.keys(), ...standings[source].left].flatMap((key) => {
      const object = objects.get(key);
      if (!object) return [`${key} of ${source} is missing`];
      const live = valueOf(key.split('/')[0] as Kind, object);
      // What it let go, and another one has not taken yet, is nobody's to change.
      const value = standings[source].live.get(key) ?? live;
      const uid = uids.get(key);
      return [
        ...(live === value ? [] : [`${key} of ${source} has ${live}, not ${value}`]),
        ...(uid === undefined || uid === object.metadata.uid ? [] : [`${key} of ${source} was deleted and made again`]),
        ...owned(key, object, source, places),
      ];
    }),
  );
}

function owned(key: Key, { metadata }: KubeObject, source: SourceName, places: Places): string[] {
  const [plural, name] = key.split('/') as [Kind, string];
  const { group, kind } = OBJECT_KINDS[plural];
  const namespace = plural === 'secrets' ? places.other : places.namespace;
  const identity = { group: group.replace('GROUP', places.group), kind, namespace, name };
  const proof = ownerProof({ namespace: places.namespace, name: source }, identityKey(identity));
  const ours = (metadata.managedFields ?? []).filter(({ manager }) => manager === 'plumbline');
  return [
    ...(metadata.annotations?.[OWNER_ANNOTATION] === proof ? [] : [`${key} does not prove to belong to ${source}`]),
    ...(metadata.labels?.[NAME_LABEL] === source && metadata.labels[NAMESPACE_LABEL] === places.namespace
      ? []
      : [`${key} does not have the labels of ${source}`]),
    ...(ours.length === 1 && ours[0]!.operation === 'Apply' ? [] : [`${key} has ${ours.length} entries of ours`]),
  ];
}

function proofOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[OWNER_ANNOTATION];
}

/** Has it neither a proof nor the marks by which its source would know it, as far as it can? */
function isNobodys(key: Key, object: KubeObject, { unproven, forsaken }: Wanted): boolean {
  if (!unproven.has(key) || proofOf(object) !== undefined) return false;
  const { [NAMESPACE_LABEL]: namespace, [NAME_LABEL]: name } = object.metadata.labels ?? {};
  return forsaken.has(key) || !isMarkedOnly(object, `${namespace}/${name}`);
}

function orphans({ objects }: Sight, wanted: Wanted): string[] {
  const { standings, foreign } = wanted;
  const known = new Set<Key>(
    SOURCES.flatMap((source) => [...standings[source].live.keys(), ...standings[source].left]),
  );
  const isStray = ([key, object]: [Key, KubeObject]) =>
    !known.has(key) && key !== foreign.key && !isNobodys(key, object, wanted);
  const strays = [...objects].filter(isStray).map(([key]) => key);
  const stranger = objects.get(foreign.key)?.metadata.resourceVersion;
  return [
    ...strays.map(
      (key) => `${key} is an orphan: nobody declares it; it proves to be ${proofOf(objects.get(key)!) ?? 'nobody’s'}`,
    ),
    ...(stranger === foreign.version ? [] : [`${foreign.key}, which is not ours, was touched`]),
  ];
}

/** Under Leave and Report what others added stays, under Remove it goes. */
function added({ objects }: Sight, { standings, additions }: Wanted): string[] {
  const removed = SOURCES.filter((source) => standings[source].foreignFields === 'Remove').flatMap((source) =>
    [...standings[source].live.keys()].flatMap((key) => {
      const object = objects.get(key);
      const left = ADDITIONS.filter((what) => object && !isUnknown(object) && hasAddition(key, object, what));
      return left.map((what) => `${key} of ${source} still has the ${what} that somebody added`);
    }),
  );
  const kept = additions.flatMap(({ key, uid, what }) => {
    const object = objects.get(key);
    const isLost = object?.metadata.uid === uid && !hasAddition(key, object, what);
    return isLost ? [`${key} has lost the ${what} that somebody added`] : [];
  });
  return [...removed, ...kept];
}
