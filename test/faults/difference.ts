// What is wrong with a world at the end of a round; pure.
import type { GitOpsSource } from '../../src/api/source.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { identityKey } from '../../src/kube/object.ts';
import { NAME_LABEL, NAMESPACE_LABEL, OWNER_ANNOTATION, ownerProof } from '../../src/api/names.ts';
import {
  KINDS,
  SOURCES,
  valueOf,
  type Declared,
  type Key,
  type Kind,
  type Places,
  type SourceName,
} from './declared.ts';

export interface Sight {
  /** Every object of the kinds, whoever made it. */
  objects: Map<Key, KubeObject>;
  sources: Map<SourceName, GitOpsSource>;
}

export interface Wanted {
  declared: Record<SourceName, Declared>;
  /** The commit that each source is to have applied. */
  commits: Record<SourceName, string>;
  /** Objects that must not have been deleted and made again: their uids. */
  uids: ReadonlyMap<Key, string>;
  places: Places;
  /** An object that looks like ours and is not, with the resourceVersion that it must keep. */
  foreign: { key: Key; version: string };
}

const OBJECT_KINDS: Record<Kind, { group: string; kind: string }> = {
  configmaps: { group: '', kind: 'ConfigMap' },
  secrets: { group: '', kind: 'Secret' },
  services: { group: '', kind: 'Service' },
  widgets: { group: 'GROUP', kind: 'Widget' },
};

/** One line for each thing that is not as it should be. */
export function differences(sight: Sight, wanted: Wanted): string[] {
  return [...lost(sight, wanted), ...orphans(sight, wanted), ...SOURCES.flatMap((name) => claims(name, sight, wanted))];
}

function lost({ objects }: Sight, { declared, uids, places }: Wanted): string[] {
  return SOURCES.flatMap((source) =>
    [...declared[source]].flatMap(([key, value]) => {
      const object = objects.get(key);
      if (!object) return [`${key} of ${source} is missing`];
      const kind = key.split('/')[0] as Kind;
      const live = valueOf(kind, object);
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

function orphans({ objects }: Sight, { declared, foreign }: Wanted): string[] {
  const known = new Set<Key>(SOURCES.flatMap((source) => [...declared[source].keys()]));
  const strays = [...objects.keys()].filter((key) => !known.has(key) && key !== foreign.key);
  const stranger = objects.get(foreign.key)?.metadata.resourceVersion;
  return [
    ...strays.map((key) => `${key} is an orphan: nobody declares it`),
    ...(stranger === foreign.version ? [] : [`${foreign.key}, which is not ours, was touched`]),
  ];
}

/** What the status of a source says that is not so; everything is applied and nothing disturbs it. */
function claims(name: SourceName, { sources }: Sight, { declared, commits }: Wanted): string[] {
  const source = sources.get(name);
  const status = source?.status;
  if (!source || !status) return [`the source ${name} has no status`];
  const said = Object.fromEntries((status.conditions ?? []).map((one) => [one.type, `${one.status} ${one.reason}`]));
  const own = KINDS.map((kind) => [
    kind,
    [...declared[name].keys()].filter((key) => key.startsWith(`${kind}/`)).length,
  ]);
  const counted = KINDS.map((kind) => [
    kind,
    status.inventory?.kinds.find((one) => one.kind === OBJECT_KINDS[kind].kind)?.count ?? 0,
  ]);
  const facts: [string, unknown, unknown][] = [
    ['Ready', said['Ready'], 'True ReconciliationSucceeded'],
    ['Drifted', said['Drifted'], 'False InSync'],
    ['Healthy', said['Healthy'], 'True Healthy'],
    ['Reconciling', said['Reconciling'], undefined],
    ['Stalled', said['Stalled'], undefined],
    ['lastAppliedRevision', status.lastAppliedRevision?.slice(-40), commits[name]],
    ['lastAttemptedRevision', status.lastAttemptedRevision?.slice(-40), commits[name]],
    ['observedGeneration', status.observedGeneration, source.metadata.generation],
    ['drift.count', status.drift?.count, 0],
    ['failures', status.failures?.length, undefined],
    ['inventory', String(counted), String(own)],
  ];
  return facts
    .filter(([, is, should]) => is !== should)
    .map(([what, is, should]) => `${name}: ${what} is ${String(is)}, not ${String(should)}`);
}
