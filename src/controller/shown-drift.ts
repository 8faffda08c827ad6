import type { GitOpsSourceSpec } from '../api/source.ts';
import { STATUS_LIMITS } from '../api/status-limits.ts';
import type { DriftedField } from '../drift/explain.ts';
import { shownAgain, shownPath, shownValue, type ShownValues } from '../drift/mask.ts';
import type { Identity } from '../kube/object.ts';
import type { DriftedObject } from '../report/sentences.ts';
import type { Desired } from '../sync/desired.ts';

type ShownField = DriftedObject['fields'][number];

/** An object as the status, events and the audit log show it: values masked and shortened. */
export function shownObject(
  desired: Desired,
  fields: readonly DriftedField[],
  {
    action,
    fieldAction,
    spec,
    now,
    before,
  }: {
    action: NonNullable<DriftedObject['action']>;
    fieldAction: (field: DriftedField) => NonNullable<ShownField['action']>;
    spec: GitOpsSourceSpec | undefined;
    now: Date;
    /** What was shown of the object until now: what differed then is no news. */
    before: DriftedObject | undefined;
  },
): DriftedObject {
  const since = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const mode = spec?.drift.values ?? 'Show';
  const { kind } = desired.identity;
  const shown = fields.slice(0, STATUS_LIMITS.driftFields).map((field): ShownField => {
    const { path: exact, declared, live, manager, operation, subresource, time, rate } = field;
    const context = { kind, path: exact, mode };
    const [declaredShown, liveShown] = [shownValue(declared, context), shownValue(live, context)];
    const path = shownPath(exact) || '/';
    return {
      path,
      ...(declaredShown !== undefined && { declared: declaredShown }),
      ...(liveShown !== undefined && { live: liveShown }),
      ...(manager !== undefined && { manager: manager.slice(0, 256) }),
      ...(operation !== undefined && { operation }),
      ...(subresource !== undefined && { subresource: subresource.slice(0, 63) }),
      ...(time !== undefined && { time }),
      since: before?.fields.find((known) => known.path === path)?.since ?? since,
      action: fieldAction(field),
      ...(rate !== undefined && { rate }),
    };
  });
  const { file, line, identity } = desired;
  return { ...named(identity), file, line, since: before?.since ?? since, action, fields: shown };
}

/** The same for another reason why it is left as others made it. */
export function leftAs(object: DriftedObject, action: 'Reported' | 'WaitingForWindow' | 'Blocked'): DriftedObject {
  return { ...object, action, fields: object.fields.map((field) => ({ ...field, action })) };
}

/** What was told already, as `drift.values` lets it be told now. */
export function shownAs(object: DriftedObject, mode: ShownValues): DriftedObject {
  const fields = object.fields.map(({ declared, live, ...rest }) => ({
    ...rest,
    ...(declared !== undefined && { declared: shownAgain(declared, mode) }),
    ...(live !== undefined && { live: shownAgain(live, mode) }),
  }));
  return { ...object, fields };
}

/** An identity as the status writes it: what is empty is left out. */
export function named({ group, kind, namespace, name }: Identity) {
  return { ...(group && { group }), kind, ...(namespace && { namespace }), name };
}
