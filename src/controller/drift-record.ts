import { isDeepStrictEqual } from 'node:util';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import type { DriftedField } from '../drift/explain.ts';
import type { Drift } from '../drift/source-desk.ts';
import { audit, type WriteAction } from '../report/log.ts';
import { sayFightOver, type DriftedObject } from '../report/sentences.ts';
import type { Desired } from '../sync/desired.ts';
import { isInherited } from './applied.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Rendered, Source } from './source.ts';
import { leftAs, shownObject } from './shown-drift.ts';

/** The last repairs that the status shows. */
const HEALED_SHOWN = STATUS_LIMITS.driftObjects;

type Told = Pick<ReconcileDeps, 'status' | 'metrics' | 'events' | 'log' | 'clock' | 'wakeAt'>;

/** Writes down one drift where people look: status, event and metric, and for a repair the audit log. */
export function recordDrift(source: Source, drift: Drift, told: Told): void {
  const { metrics, clock } = told;
  const { desired, state, healMs, fields } = drift;
  const known = source.drift.get(desired.key);
  const waits = state === 'Reported' && !source.spec?.suspend && source.waitsToHeal(clock.now());
  const found = shownDrift(drift, source.spec, new Date(clock.now()), known);
  const shown = waits ? leftAs(found, 'WaitingForWindow') : found;
  if (waits) told.wakeAt(source.key, source.timetable.at('heal', clock.now()).until);
  const isFirst = !known && state !== 'Rewritten' && state !== 'Healed' && state !== 'Recreated';
  if (isFirst)
    for (const manager of new Set(fields.map((field) => field.manager)))
      metrics.driftDetected(desired.identity.kind, manager);
  if (healMs !== undefined) metrics.driftHealed(healMs / 1000);
  if (state === 'Healed' || state === 'Recreated')
    return recordHealed(source, desired, { ...shown, action: state }, told);
  const isFight = known?.action === 'NotHolding';
  // Beside a fight, what is found elsewhere in the object is told when it is healed.
  if (isFight && (state === 'Found' || state === 'Rewritten')) return;
  source.drift.set(desired.key, shown);
  if (state === 'Reported') source.left.set(desired.key, desired.digest);
  // A fight is told by one event when it begins and by one when it is over; the status follows its rate.
  if (isFight && state === 'NotHolding') return told.status.changed(source);
  if (state === 'NotHolding') source.healed = source.healed.filter((other) => !isSameObject(other, shown));
  // What is only found is told a moment later, when it is healed; what was told before a restart is not news.
  if (state !== 'Found' && !isDeepStrictEqual(known, shown)) tell(source, shown, told);
}

/** What is told of drift that is not put back; only why may change. */
const LEFT: ReadonlySet<string | undefined> = new Set(['Reported', 'WaitingForWindow', 'Blocked']);

/** A run leaves the object as it is: for a window, or because the source only wants to hear of it. */
export function recordLeft(source: Source, desired: Desired, told: Told): void {
  source.left.set(desired.key, desired.digest);
  const waits = source.waitsToHeal(told.clock.now());
  if (waits) told.wakeAt(source.key, source.timetable.at('heal', told.clock.now()).until);
  const known = source.drift.get(desired.key);
  const action = waits ? 'WaitingForWindow' : 'Reported';
  if (!known || known.action === action || !LEFT.has(known.action)) return;
  source.drift.set(desired.key, leftAs(known, action));
  told.status.changed(source);
}

/**
 * After a restart: what differed from the revision that was applied whole before it, and is not declared anew by this one, is
 * drift, and is left where drift is left.
 */
export function leaveUntouched(
  source: Source,
  { desired }: Rendered,
  before: Rendered | undefined,
  { clock }: Pick<ReconcileDeps, 'clock'>,
): void {
  if (before === undefined || !isInherited(source, before)) return;
  if (source.spec?.drift.mode !== 'Report' && !source.waitsToHeal(clock.now())) return;
  const known = new Map(before.desired.map(({ key, digest }) => [key, digest]));
  for (const { key, digest } of desired) if (known.get(key) === digest) source.left.set(key, digest);
}

/** An object was put back. */
export function recordHealed(source: Source, desired: Desired, drift: DriftedObject, told: Told): void {
  const healed: DriftedObject = {
    ...drift,
    action: drift.action === 'Recreated' ? 'Recreated' : 'Healed',
    // What waited, or was only told until now, is put back too; that a field is fought over stays said.
    fields: drift.fields.map((field) => ({ ...field, action: field.rate === undefined ? 'Healed' : field.action })),
  };
  const isFought = source.drift.get(desired.key)?.action === 'NotHolding';
  const isOfFight = isFought && healed.fields.some(({ rate }) => rate !== undefined);
  if (!isFought) source.drift.delete(desired.key);
  source.left.delete(desired.key);
  if (!isOfFight) showHealed(source, healed);
  source.healedCount += 1;
  const action: WriteAction = healed.action === 'Recreated' ? 'recreated' : 'healed';
  told.metrics.wrote(action);
  const { sha, author } = source.rendered?.commit ?? {};
  const about = {
    source: source.key,
    ...(sha && { commit: sha }),
    ...(author && { author }),
    object: desired.identity,
  };
  audit(told.log, { ...about, action, fields: healed.fields });
  if (isOfFight) told.status.changed(source);
  else tell(source, healed, told);
}

/** The last repair of an object that somebody changed again and again holds. */
export function recordFightOver(source: Source, key: string, { events, status, clock }: Told): void {
  const fought = source.drift.get(key);
  if (fought?.action !== 'NotHolding') return;
  if (source.failures.has(key)) {
    // Nobody changes it any more, but it could not be put back.
    source.drift.set(key, { ...fought, action: 'Reported' });
  } else {
    source.drift.delete(key);
    showHealed(source, { ...fought, action: 'Healed' });
    events.fightOver(subjectOf(source), sayFightOver(fought, new Date(clock.now())));
  }
  status.changed(source);
}

function showHealed(source: Source, healed: DriftedObject): void {
  source.healed = [healed, ...source.healed.filter((other) => !isSameObject(other, healed))].slice(0, HEALED_SHOWN);
}

function tell(source: Source, drift: DriftedObject, { events, status }: Told): void {
  events.drift(subjectOf(source), [drift], source.rendered?.tip.revision);
  status.changed(source);
}

function shownDrift(
  { desired, fields, state }: Drift,
  spec: GitOpsSourceSpec | undefined,
  now: Date,
  before: DriftedObject | undefined,
): DriftedObject {
  // Until it is healed it is as it was left; should healing fail, that stays true.
  const action = state === 'Found' ? 'Reported' : state;
  const isPutBack = state === 'Healed' || state === 'Recreated';
  const fieldAction = ({ rate }: DriftedField) => {
    if (rate !== undefined) return 'NotHolding' as const;
    if (isPutBack) return 'Healed' as const;
    return state === 'Rewritten' ? state : ('Reported' as const);
  };
  return shownObject(desired, fields, { action, fieldAction, spec, now, before });
}

/** The API server refuses the repair; the failures of the source say why. */
export function recordBlocked(source: Source, { key }: Desired): void {
  const known = source.drift.get(key);
  if (known?.action !== 'Reported') return;
  source.drift.set(key, leftAs(known, 'Blocked'));
}

function isSameObject(a: DriftedObject, b: DriftedObject): boolean {
  return a.kind === b.kind && a.name === b.name && a.namespace === b.namespace && a.group === b.group;
}

/** What an event is about. */
export function subjectOf(source: Source) {
  return { namespace: source.namespace, name: source.name, uid: source.resource.metadata.uid ?? '' };
}
