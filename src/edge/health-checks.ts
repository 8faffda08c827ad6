import { bareHeaders, bareMessage } from './added-headers.ts';
import type { Freeze, Policy, Posted } from './model.ts';
import { listAt, numberAt, valueAt } from './spec.ts';

/** What the compiler has to say of the health checks of a Mapping, when it makes the cluster (ir/irhealthchecks.py). */
export interface HealthChecks {
  readonly errors: readonly Posted[];
  readonly freeze: Freeze | undefined;
}

/** Undefined: it has none. */
export function readHealthChecks(policy: Policy): HealthChecks | undefined {
  if (!Object.hasOwn(policy.spec, 'health_checks')) return undefined;
  const errors: Posted[] = [];
  for (const check of listAt(policy.spec, 'health_checks')) {
    const http = valueAt(check, 'health_check', 'http');
    if (bareHeaders(valueAt(http, 'add_request_headers')).length > 0)
      return { errors, freeze: { stage: 'ir', message: bareMessage(policy), policy } };
    for (const range of listAt(http, 'expected_statuses')) {
      const [min = 0, max = 0] = [numberAt(range, 'min'), numberAt(range, 'max')];
      const message = `expected_statuses: ${min} is higher than ${max}, so the range is ignored`;
      if (min > max + 1) errors.push({ key: 'ir.health_checks', message });
    }
  }
  return { errors, freeze: undefined };
}
