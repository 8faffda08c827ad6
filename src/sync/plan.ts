import { FIELD_MANAGER } from '../api/names.ts';
import { assess, surrenderedIn } from '../drift/assess.ts';
import type { Beside } from '../drift/beside.ts';
import type { DriftedField } from '../drift/explain.ts';
import type { Baseline } from '../drift/judge.ts';
import { DEFAULT_POLICY, type DriftPolicy } from '../drift/policy.ts';
import { formatPath } from '../drift/fields.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Desired } from './desired.ts';
import type { LiveObject } from './live.ts';

/** What has to be done with one declared object so that it is as declared. */
export type Step =
  /** As declared; nothing is sent. `baseline` was just found by comparison. */
  | { kind: 'unchanged'; baseline?: Baseline; surrendered?: string[]; beside?: Beside }
  /** Not ours to touch: the manifest or the live object says so. */
  | { kind: 'skip' }
  | { kind: 'create' }
  /** `surrendered`: paths that others hold and that must be left out. `fields`: what a comparison found. */
  | { kind: 'configure'; surrendered?: string[]; fields?: DriftedField[]; beside?: Beside }
  /** Owned as declared, but the values differ: a dry-run tells whether the server itself writes them so. */
  | { kind: 'rehearse'; live: KubeObject; surrendered: string[]; beside: Beside }
  /** Being deleted: created again when it is gone. */
  | { kind: 'terminating' };

/** Decides for one object without any request. `live` is what the watches know; undefined when they do not know it. */
export function planStep(desired: Desired, live: LiveObject | undefined, policy: DriftPolicy = DEFAULT_POLICY): Step {
  if (desired.policy.ssa === 'Ignore' || !desired.policy.reconcile || live?.reconcileDisabled) return { kind: 'skip' };
  if (!live) return { kind: 'create' };
  if (live.deleting) return { kind: 'terminating' };
  if (live.baseline && live.declaredDigest === desired.digest) return { kind: 'unchanged' };
  if (desired.policy.ssa === 'IfNotPresent') return { kind: 'skip' };
  return live.unjudged ? compareOnce(desired, live.unjudged, policy) : { kind: 'configure' };
}

/** After a restart there is no baseline: our entry is compared with the declaration, field by field and value by value. */
function compareOnce(desired: Desired, live: KubeObject, policy: DriftPolicy): Step {
  if (live.apiVersion !== desired.apiVersion) return { kind: 'configure' };
  const { judgement, fields, unwanted, beside } = assess(desired, live, { manager: FIELD_MANAGER, policy });
  const surrendered = surrenderedIn(judgement).map(formatPath);
  switch (judgement.kind) {
    case 'inSync':
    case 'surrendered':
      if (unwanted.length > 0) return { kind: 'configure', surrendered, fields, beside };
      return { kind: 'unchanged', baseline: judgement.baseline, surrendered, beside };
    case 'valuesDiffer':
      if (unwanted.length > 0) return { kind: 'configure', surrendered, fields, beside };
      return { kind: 'rehearse', live, surrendered, beside };
    case 'terminating':
      return { kind: 'terminating' };
    case 'gone':
      return { kind: 'create' };
    case 'lost':
    case 'surplus':
      return { kind: 'configure', surrendered, fields, beside };
    case 'versionChanged':
    case 'unowned':
      return { kind: 'configure', fields, beside };
  }
}
