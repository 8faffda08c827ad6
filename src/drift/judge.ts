import { hash } from 'node:crypto';
import type { FieldsV1, KubeObject } from '../kube/object.ts';
import { NONE } from '../none.ts';
import { digestOwned } from './baseline.ts';
import { differences, type Difference } from './compare.ts';
import { surplus, uncovered } from './coverage.ts';
import { entriesOfOthers, formatPath, isWithin, ownedBy, ownEntry, type FieldPath } from './fields.ts';
import { AUTOSCALED, partLost, type Concession } from './surrender.ts';

/** What is remembered of an object that was last seen as declared. Some 150 bytes; the object itself is not kept. */
export interface Baseline {
  /** digestOwned of it. */
  readonly digest: string;
  readonly resourceVersion: string;
  /** Declared paths (formatPath) that the server's answer to our own apply did not cover: they cannot be owned, never drift. */
  readonly neverOwned: readonly string[];
  /** Digest of the values that the server writes its own way, so that the same ones ask for no second dry-run; '' for none. */
  readonly settled: string;
}

/** Differs from everything, so that the next look compares in full. */
export const NEVER_COMPARED: Baseline = { digest: '', resourceVersion: '', neverOwned: [], settled: '' };

export interface Sighting {
  /** As it is sent, parsed; without the fields that are given up on purpose (see ignore.ts). */
  readonly declared: KubeObject;
  /** As read from the cluster in the declared apiVersion, with managedFields. undefined: a GET answered 404. */
  readonly live: KubeObject | undefined;
  /** Our server-side apply manager. */
  readonly manager: string;
  /** Absent after a restart, and for an object that was never applied. */
  readonly baseline?: Baseline | undefined;
  /** Who may take which declared fields; by default only autoscalers, replicas. */
  readonly concessions?: readonly Concession[];
}

export type Judgement =
  /** Nothing to do and nothing to say. `baseline` is to be kept for the next event. */
  | { kind: 'inSync'; baseline: Baseline }
  /** Those to whom they are conceded hold these paths; the rest is in sync. Leave them out of any later apply. */
  | { kind: 'surrendered'; paths: FieldPath[]; baseline: Baseline }
  /** These declared paths are no longer ours: drift, one apply heals it (without `surrendered`, which must stay as they are). */
  | { kind: 'lost'; paths: FieldPath[]; surrendered: FieldPath[] }
  /** We hold fields that are not declared (any more): one apply removes them, unless they are to be given up first. */
  | { kind: 'surplus'; paths: FieldPath[]; surrendered: FieldPath[] }
  /** All is covered, but values differ: an admission webhook, the server's own notation, or our name used by another. One dry-run decides. */
  | { kind: 'valuesDiffer'; differences: Difference[]; surrendered: FieldPath[] }
  /** Our entry was written in another apiVersion, and its paths may not fit: one apply. */
  | { kind: 'versionChanged'; from: string }
  /** We have no entry at all: never applied by us, or managedFields was cleared. First touch decides (sync/predecessors.ts). */
  | { kind: 'unowned'; differences: Difference[] }
  /** Being deleted: wait until it is gone, then create. */
  | { kind: 'terminating' }
  /** Not there: create. */
  | { kind: 'gone' };

/**
 * Judges one sighting of a managed object without any request. Events that our own write in flight explains are not brought
 * here: its answer makes the new baseline (`baselineOf`).
 */
export function judge(sighting: Sighting): Judgement {
  const { declared, live, manager, baseline } = sighting;
  if (!live) return { kind: 'gone' };
  if (live.metadata.deletionTimestamp) return { kind: 'terminating' };
  const resourceVersion = live.metadata.resourceVersion ?? '';
  if (baseline && baseline.resourceVersion === resourceVersion) return { kind: 'inSync', baseline };

  const entry = ownEntry(live, manager);
  if (!entry?.fieldsV1) return { kind: 'unowned', differences: differences(declared, live, {}) };
  if (entry.apiVersion !== declared.apiVersion) return { kind: 'versionChanged', from: entry.apiVersion ?? '' };
  const digest = digestOwned(live, entry.fieldsV1);
  if (baseline?.digest === digest) return { kind: 'inSync', baseline: { ...baseline, resourceVersion } };
  return compareWhole(sighting, live, entry.fieldsV1, { digest, resourceVersion });
}

/**
 * The next baseline of an object of which nothing changed that is ours, as with nearly every event: status, and what others
 * have beside us. The declaration is not needed for that. undefined: a whole judgement has to tell.
 */
export function unmoved(
  live: KubeObject,
  { apiVersion, manager, baseline }: { apiVersion: string; manager: string; baseline: Baseline },
): Baseline | undefined {
  const entry = ownEntry(live, manager);
  if (live.metadata.deletionTimestamp || !entry?.fieldsV1 || entry.apiVersion !== apiVersion) return undefined;
  if (digestOwned(live, entry.fieldsV1) !== baseline.digest) return undefined;
  return { ...baseline, resourceVersion: live.metadata.resourceVersion ?? '' };
}

function compareWhole(
  { declared, manager, baseline, concessions = [AUTOSCALED] }: Sighting,
  live: KubeObject,
  fields: FieldsV1,
  seen: Pick<Baseline, 'digest' | 'resourceVersion'>,
): Judgement {
  const others = ownedBy(entriesOfOthers(live, manager));
  const neverOwned = baseline?.neverOwned ?? NONE;
  const never = new Set(neverOwned);
  const missing = uncovered(declared, fields, others).filter((path) => !isWithin(path, never));
  const { surrendered, lost } = partLost(missing, { declared, live, concessions });
  if (lost.length > 0) return { kind: 'lost', paths: lost, surrendered };

  const extra = surplus(declared, fields);
  if (extra.length > 0) return { kind: 'surplus', paths: extra, surrendered };

  const notOurs = never.union(new Set(surrendered.map(formatPath)));
  const different = differences(declared, live, fields).filter(({ path }) => !isWithin(path, notOurs));
  const settled = digestDifferences(different);
  if (settled !== (baseline?.settled ?? '')) return { kind: 'valuesDiffer', differences: different, surrendered };
  const next = { ...seen, neverOwned, settled };
  return surrendered.length > 0
    ? { kind: 'surrendered', paths: surrendered, baseline: next }
    : { kind: 'inSync', baseline: next };
}

/** Equal for the same values at the same paths; '' for none. */
function digestDifferences(found: readonly Difference[]): string {
  if (found.length === 0) return '';
  return hash('sha256', JSON.stringify(found.map(({ path, live }) => [formatPath(path), live])), 'base64url');
}

/**
 * The baseline that the server's answer to our own apply makes, or an object that a dry-run found unchanged. `sent` is the
 * body that was sent: what it left out (surrendered fields) is not counted as never owned. undefined when the answer holds no
 * entry of ours, which only happens when managedFields was cleared in between.
 */
export function baselineOf(sent: KubeObject, answer: KubeObject, manager: string): Baseline | undefined {
  const fields = ownEntry(answer, manager)?.fieldsV1;
  if (!fields) return undefined;
  const neverOwned = uncovered(sent, fields).map(formatPath);
  const never = new Set(neverOwned);
  const different = differences(sent, answer, fields).filter(({ path }) => !isWithin(path, never));
  return {
    digest: digestOwned(answer, fields),
    resourceVersion: answer.metadata.resourceVersion ?? '',
    neverOwned: neverOwned.length > 0 ? neverOwned : NONE,
    settled: digestDifferences(different),
  };
}
