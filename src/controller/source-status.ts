import { removeCondition, setCondition, type Condition, type NewCondition } from '../api/conditions.ts';
import { HEAL_NOW_ANNOTATION } from '../api/names.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import { sayDrift, sayFailures, sayPending, shorten, type DriftedObject } from '../report/sentences.ts';
import { capStatus, condition } from '../report/status-size.ts';
import type { LiveObject } from '../sync/live.ts';
import type { Opening } from '../sync/windows.ts';
import { edgeConditionOf, edgeStatusOf } from '../gate/report.ts';
import { named } from './shown-drift.ts';
import type { Source } from './source.ts';
import { plural } from '../plural.ts';

type Health = NonNullable<GitOpsSourceStatus['health']>;

export interface StatusInput {
  source: Source;
  /** The managed objects, deduplicated, as the watches know them. */
  live: readonly LiveObject[];
  now: Date;
  /** `spec.wait`: has the time for getting healthy passed? */
  healthTimedOut: boolean;
}

/** The whole status of a source from what the process knows; pure. The same input gives the same status, to the byte. */
export function statusOf(input: StatusInput): GitOpsSourceStatus {
  const { source, live, now } = input;
  const health = healthOf(live);
  const observed = { observedGeneration: source.generation };
  let conditions: Condition[] = (source.status.conditions ?? []) as Condition[];
  const set = (condition: NewCondition | undefined, type: Condition['type']) => {
    conditions = condition
      ? setCondition(conditions, { ...condition, ...observed }, now)
      : removeCondition(conditions, type);
  };
  set(readyOf(input, health), 'Ready');
  set(reconcilingOf(source), 'Reconciling');
  set(stalledOf(source), 'Stalled');
  set(driftedOf(source, now), 'Drifted');
  if (source.prevention !== undefined) set(preventedOf(source), 'DriftPrevented');
  set(healthyOf(health, live.length), 'Healthy');
  if (isEdgeKnown(source)) set(edgeConditionOf(source.edge ?? null, source.edgeBlock, source.key), 'EdgeHealthy');
  const attempted = source.attempt?.revision ?? source.status.lastAttemptedRevision;
  return capStatus({
    ...source.status,
    ...observed,
    conditions,
    ...(attempted !== undefined && { lastAttemptedRevision: attempted }),
    ...(source.attempt?.commit && { commit: source.attempt.commit }),
    ...(source.pending !== undefined && { pending: source.pending ?? undefined }),
    inventory: source.inventoryLost ? undefined : inventoryOf(source, live),
    drift: driftOf(source),
    failures: failuresOf(source),
    ignoredFiles: ignoredFilesOf(source),
    health,
    ...(isEdgeKnown(source) && { edge: edgeStatusOf(source.edge ?? null, source.edgeBlock?.by ?? []) }),
  });
}

function readyOf({ source, healthTimedOut }: StatusInput, health: Health): NewCondition {
  const ready = (status: Condition['status'], reason: string, message: string) =>
    condition('Ready', status, reason, message);
  const { result } = source;
  if (source.deleting) {
    const why = result.kind === 'failed' ? `, and that cannot go on now: ${result.message}` : '';
    return ready('False', 'Deleting', `the source is being deleted${why}`);
  }
  switch (result.kind) {
    case 'pending':
      return ready('Unknown', 'Progressing', sayPendingRun(source));
    case 'waiting':
      return ready(
        'Unknown',
        source.pending?.reason ?? 'Progressing',
        source.pending ? sayPending(source.pending) : '',
      );
    case 'suspended': {
      const before = source.status.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
      return ready(before, 'Suspended', 'spec.suspend is true: nothing is applied, healed or pruned');
    }
    case 'failed':
      return ready('False', result.code, result.message);
    case 'partly':
      return ready(
        'False',
        reasonOfFailures(source),
        sayFailures(failedObjects(source), source.failures.size, source.rendered?.desired.length ?? 0),
      );
    case 'applied':
      // Of an older revision: that one is not the news.
      if (source.working) return ready('Unknown', 'Progressing', `applying ${source.working}`);
  }
  if (source.pruneHold) return ready('False', source.pruneHold.code, source.pruneHold.message);
  if (source.spec?.wait) {
    const first = health.reasons[0];
    const why = first ? `: ${first.kind} ${first.name}: ${first.message}` : '';
    if (health.failed > 0)
      return ready('False', 'HealthCheckFailed', `${plural(health.failed, 'object')} failed${why}`);
    if (health.progressing > 0 && healthTimedOut)
      return ready(
        'False',
        'HealthCheckTimeout',
        `${plural(health.progressing, 'object')} not healthy within ${source.spec.timeout}${why}`,
      );
    if (health.progressing > 0)
      return ready('Unknown', 'Progressing', `waits for ${plural(health.progressing, 'object')} to be healthy${why}`);
  }
  const applied = `applied revision ${source.status.lastAppliedRevision ?? ''}`;
  return ready(
    'True',
    'ReconciliationSucceeded',
    `${applied}${source.pending ? `; ${sayPending(source.pending)}` : ''}`,
  );
}

/** What a source is about of which nothing is known yet. */
function sayPendingRun({ working, behind }: Source): string {
  return working ? `applying ${working}` : (behind ?? 'reading the repository');
}

/** One word for several failures: their own when they agree. */
function reasonOfFailures(source: Source): string {
  const codes = new Set([...source.failures.values()].map(({ code }) => code));
  const [only] = codes;
  if (codes.size === 1 && only === 'ApiForbidden') return 'AccessDenied';
  if (codes.size === 1 && only === 'OwnedByOtherSource') return 'ConflictDetected';
  return 'ReconciliationFailed';
}

function reconcilingOf(source: Source): NewCondition | undefined {
  const { result } = source;
  if (source.deleting || result.kind === 'suspended') return undefined;
  if (source.working) return condition('Reconciling', 'True', 'Progressing', `applying ${source.working}`);
  if (result.kind === 'partly')
    return condition('Reconciling', 'True', 'ProgressingWithRetry', 'each object that failed is tried again');
  if (result.kind === 'failed' && !result.terminal)
    return condition('Reconciling', 'True', 'ProgressingWithRetry', result.message);
  if (result.kind === 'pending') return condition('Reconciling', 'True', 'Progressing', sayPendingRun(source));
  if (source.pending) return condition('Reconciling', 'True', source.pending.reason, sayPending(source.pending));
  return undefined;
}

function stalledOf({ result }: Source): NewCondition | undefined {
  return result.kind === 'failed' && result.terminal
    ? condition('Stalled', 'True', result.code, result.message)
    : undefined;
}

function driftedOf(source: Source, now: Date): NewCondition {
  const drifted = (status: Condition['status'], reason: string, message: string) =>
    condition('Drifted', status, reason, message);
  const open = [...source.drift.values()].filter(({ action }) => action !== 'Rewritten');
  if (open.length > 0) {
    const said = sayDrift(open.slice(0, 3), open.length);
    if (open.some(({ action }) => action === 'NotHolding'))
      return drifted(
        'True',
        'DriftNotHolding',
        `${said}. Stop the other side, or leave the field to it (drift.ignore)`,
      );
    if (!open.some(({ action }) => action === 'WaitingForWindow')) return drifted('True', 'DriftDetected', said);
    return drifted('True', 'WaitingForWindow', `${said}; ${sayOpening(source.timetable.at('heal', now.getTime()))}`);
  }
  if (!source.judged) return drifted('Unknown', 'DriftUnknown', 'the declared state has not been read yet');
  const [missing] = source.unlisted;
  if (missing) {
    const why = missing.why === undefined ? '' : `: ${missing.why.message}`;
    return drifted(
      'Unknown',
      'DriftUnknown',
      `${missing.kind} (${missing.apiVersion}) cannot be listed or watched now${why}`,
    );
  }
  const rewritten = [...source.drift.values()];
  if (rewritten.length > 0)
    return drifted('False', 'DriftRewritten', sayDrift(rewritten.slice(0, 3), rewritten.length));
  const foreign = shownOf(source.foreign);
  if (foreign.length > 0) return drifted('False', 'ForeignFields', sayDrift(foreign.slice(0, 3), source.foreign.size));
  return drifted('False', 'InSync', 'every declared field has its declared value');
}

/** When what waits for healing is healed. */
function sayOpening({ until, atLeast }: Opening): string {
  const when =
    until === Infinity || atLeast
      ? 'no opening is in sight'
      : `the window opens at ${new Date(until).toISOString().replace(/\.\d+Z$/, 'Z')}`;
  return `${when}; to heal now: annotate the source with ${HEAL_NOW_ANNOTATION}=<any new value>`;
}

function preventedOf({ prevention }: Source): NewCondition | undefined {
  if (!prevention) return undefined;
  return condition('DriftPrevented', prevention.active ? 'True' : 'False', prevention.code, prevention.message);
}

function healthyOf(health: Health, count: number): NewCondition | undefined {
  if (count === 0) return undefined;
  const first = health.reasons[0];
  const why = first ? `: ${first.kind} ${first.name}: ${first.message}` : '';
  if (health.failed > 0)
    return condition(
      'Healthy',
      'False',
      'HealthCheckFailed',
      `${health.failed} of ${plural(count, 'object')} failed${why}`,
    );
  if (health.progressing > 0)
    return condition(
      'Healthy',
      'Unknown',
      'Progressing',
      `${health.progressing} of ${plural(count, 'object')} on the way${why}`,
    );
  return condition('Healthy', 'True', 'Healthy', plural(count, 'object is healthy', 'objects are healthy'));
}

/** After a restart what was told stays, until it is found anew. */
function isEdgeKnown({ edge, edgeBlock }: Source): boolean {
  return edge !== undefined || edgeBlock !== undefined;
}

function healthOf(live: readonly LiveObject[]): Health {
  const health: Health = { ready: 0, progressing: 0, failed: 0, reasons: [] };
  for (const {
    identity,
    health: { status, message },
  } of live) {
    if (status === 'Current') health.ready += 1;
    else {
      health[status === 'Failed' ? 'failed' : 'progressing'] += 1;
      if (health.reasons.length < STATUS_LIMITS.healthReasons)
        health.reasons.push({ ...named(identity), message: shorten(message, STATUS_LIMITS.message) });
    }
  }
  return health;
}

function inventoryOf(source: Source, live: readonly LiveObject[]): NonNullable<GitOpsSourceStatus['inventory']> {
  const kinds = new Map<string, { group: string; kind: string; count: number }>();
  const entry = (group: string, kind: string) => {
    const key = `${group}/${kind}`;
    if (!kinds.has(key)) kinds.set(key, { group, kind, count: 0 });
    return kinds.get(key)!;
  };
  // A kind stands here before its first object is applied, and stays while it cannot be listed: it may hold objects.
  for (const { identity } of source.rendered?.desired ?? []) entry(identity.group, identity.kind);
  // And the count stays until somebody has looked for objects that lost their labels.
  const isSearched = source.judged && (source.pruned || source.spec?.prune === false);
  for (const before of source.status.inventory?.kinds ?? []) {
    if (!isSearched || source.unlisted.some(({ kind }) => kind === before.kind))
      entry(before.group, before.kind).count = before.count;
  }
  const counted = new Map<string, number>();
  for (const { identity } of live) {
    const key = `${identity.group}/${identity.kind}`;
    entry(identity.group, identity.kind);
    counted.set(key, (counted.get(key) ?? 0) + 1);
  }
  for (const [key, count] of counted) kinds.get(key)!.count = Math.max(count, kinds.get(key)!.count);
  const sorted = [...kinds.values()].sort((a, b) => (`${a.group}/${a.kind}` < `${b.group}/${b.kind}` ? -1 : 1));
  return { count: sorted.reduce((sum, { count }) => sum + count, 0), kinds: sorted };
}

function driftOf(source: Source): NonNullable<GitOpsSourceStatus['drift']> {
  const open = [...source.drift.values()];
  // After a restart what was told stays, until the objects have been judged once.
  const { foreign, ignored } = source.judged
    ? { foreign: besideOf(source.foreign), ignored: besideOf(source.ignored) }
    : (source.status.drift ?? {});
  return {
    count: open.filter(({ action }) => action !== 'Rewritten').length,
    healedCount: source.healedCount,
    objects: [...open, ...source.healed].slice(0, STATUS_LIMITS.driftObjects),
    ...(foreign && { foreign }),
    ...(ignored && { ignored }),
  };
}

type Beside = ReadonlyMap<string, DriftedObject | undefined>;

function besideOf(known: Beside): { count: number; objects: DriftedObject[] } | undefined {
  return known.size === 0 ? undefined : { count: known.size, objects: shownOf(known) };
}

function shownOf(known: Beside): DriftedObject[] {
  return [...known.values()].filter((object) => object !== undefined);
}

function failedObjects(source: Source): NonNullable<GitOpsSourceStatus['failures']> {
  return [...source.failures.values()]
    .slice(0, STATUS_LIMITS.failures)
    .map(({ identity, file, line, code, message }) => ({
      ...named(identity),
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line }),
      reason: code,
      message: shorten(message, STATUS_LIMITS.message),
    }));
}

function failuresOf(source: Source): GitOpsSourceStatus['failures'] {
  return source.failures.size > 0 ? failedObjects(source) : undefined;
}

function ignoredFilesOf({ rendered, status }: Source): GitOpsSourceStatus['ignoredFiles'] {
  if (!rendered) return status.ignoredFiles;
  const { ignoredFiles } = rendered;
  return ignoredFiles.length === 0
    ? undefined
    : { count: ignoredFiles.length, names: ignoredFiles.slice(0, STATUS_LIMITS.ignoredFiles) };
}
