import { STATUS_LIMITS } from '../api/status.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Drift } from '../drift/healer.ts';
import { shownValue } from '../drift/mask.ts';
import { audit, type WriteAction } from '../report/log.ts';
import type { DriftedObject } from '../report/sentences.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';
import { named } from './source-status.ts';

/** The last repairs that the status shows. */
const HEALED_SHOWN = STATUS_LIMITS.driftObjects;

type Told = Pick<ReconcileDeps, 'status' | 'metrics' | 'events' | 'log' | 'clock'>;

/** Writes down one drift where people look: status, event, metric, and the audit log for what was written. */
export function recordDrift(source: Source, drift: Drift, told: Told): void {
  const { status, metrics, events, log, clock } = told;
  const { desired, state, healMs } = drift;
  const shown = shownDrift(drift, source.spec, new Date(clock.now()), source.drift.get(desired.key));
  if (state === 'Found') {
    source.drift.set(desired.key, shown);
    for (const manager of new Set(drift.fields.map((field) => field.manager)))
      metrics.driftDetected(desired.identity.kind, manager);
    // Told when it is healed, a moment from now.
    return;
  }
  if (state === 'Healed' || state === 'Recreated') {
    source.drift.delete(desired.key);
    source.healed = [shown, ...source.healed.filter((other) => !sameObject(other, shown))].slice(0, HEALED_SHOWN);
    source.healedCount += 1;
    if (healMs !== undefined) metrics.driftHealed(healMs / 1000);
    const action: WriteAction = state === 'Healed' ? 'healed' : 'recreated';
    metrics.wrote(action);
    const { sha, author } = source.rendered?.commit ?? {};
    const fields = shown.fields.map(({ path, declared, live, manager }) => ({
      path,
      declared,
      live,
      ...(manager && { manager }),
    }));
    audit(log, {
      source: source.key,
      ...(sha && { commit: sha }),
      ...(author && { author }),
      object: desired.identity,
      action,
      fields,
    });
  } else {
    if (state !== 'Rewritten' && !source.drift.has(desired.key)) {
      for (const manager of new Set(drift.fields.map((field) => field.manager)))
        metrics.driftDetected(desired.identity.kind, manager);
    }
    source.drift.set(desired.key, shown);
  }
  metrics.driftOpen(source.key, source.drift.size);
  events.drift(subjectOf(source), [shown], source.rendered?.tip.revision);
  status.changed(source);
}

/** As people may see it: values masked and shortened. */
function shownDrift(
  { desired, fields, state }: Drift,
  spec: GitOpsSourceSpec | undefined,
  now: Date,
  before: DriftedObject | undefined,
): DriftedObject {
  const mode = spec?.drift.values ?? 'Show';
  const { kind } = desired.identity;
  const shown = fields.slice(0, STATUS_LIMITS.driftFields).map(({ path, declared, live, manager, operation, time }) => {
    const context = { kind, path, mode };
    const [declaredShown, liveShown] = [shownValue(declared, context), shownValue(live, context)];
    return {
      path: path || '/',
      ...(declaredShown !== undefined && { declared: declaredShown }),
      ...(liveShown !== undefined && { live: liveShown }),
      ...(manager !== undefined && { manager: manager.slice(0, 256) }),
      ...(operation !== undefined && { operation }),
      ...(time !== undefined && { time }),
    };
  });
  return {
    ...named(desired.identity),
    file: desired.file,
    line: desired.line,
    since: before?.since ?? now.toISOString().replace(/\.\d+Z$/, 'Z'),
    action: state === 'Found' ? 'NotHolding' : state,
    fields: shown,
  };
}

function sameObject(a: DriftedObject, b: DriftedObject): boolean {
  return a.kind === b.kind && a.name === b.name && a.namespace === b.namespace && a.group === b.group;
}

/** What an event is about. */
export function subjectOf(source: Source) {
  return { namespace: source.namespace, name: source.name, uid: source.resource.metadata.uid ?? '' };
}
