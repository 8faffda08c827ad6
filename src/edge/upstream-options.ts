import { isRecord, textAt, valueAt } from './spec.ts';

/** `retry_on` of a retry policy: the only values that Emissary takes (ir/irretrypolicy.py). */
const RETRY_ON = [
  '5xx',
  'gateway-error',
  'connect-failure',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
];

export function isRetryOn(value: unknown): boolean {
  return RETRY_ON.some((known) => known === value);
}

/** A policy with just the fields that it needs: one key for hashing policies, none for the others (ir/irhttpmapping.py). */
export function isLoadBalancer(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const fields = Object.keys(value).length;
  switch (value['policy']) {
    case 'round_robin':
    case 'least_request':
      return fields === 1;
    case 'ring_hash':
    case 'maglev':
      if (fields !== 2) return false;
      if (Object.hasOwn(value, 'cookie')) return isRecord(value['cookie']) && Object.hasOwn(value['cookie'], 'name');
      return Object.hasOwn(value, 'header') || Object.hasOwn(value, 'source_ip');
    default:
      return false;
  }
}

const LIMITS = [
  ['max_connections', 'c'],
  ['max_pending_requests', 'p'],
  ['max_requests', 'r'],
  ['max_retries', 't'],
] as const;

/**
 * What each circuit breaker adds to the name of its cluster, `cbnc10` for 10 connections; undefined when one of them is
 * wrong, which drops the policy (ir/irbasemapping.py `validate_circuit_breakers`).
 */
export function breakerNames(breakers: unknown): readonly string[] | undefined {
  if (!Array.isArray(breakers)) return undefined;
  const names = breakers.map(breakerName);
  return names.every((name) => name !== undefined) ? names : undefined;
}

/** The same for those whose first wrong one stays: it and all after it have no name. */
export function breakerNamesSoFar(breakers: readonly unknown[]): readonly (string | undefined)[] {
  const names = breakers.map(breakerName);
  const wrong = names.indexOf(undefined);
  return wrong < 0 ? names : names.map((name, at) => (at < wrong ? name : undefined));
}

/** Is there a limit that is no number? Where it was not refused before, that ends the compiler. */
export function hasWrongLimit(breaker: unknown): boolean {
  return LIMITS.some(([field]) => {
    const limit = valueAt(breaker, field);
    return limit !== undefined && wholeNumber(limit) === undefined;
  });
}

function breakerName(breaker: unknown): string | undefined {
  if (!isRecord(breaker)) return undefined;
  let name = 'cbn';
  if (Object.hasOwn(breaker, 'priority')) {
    const priority = textAt(breaker, 'priority')?.toLowerCase();
    if (priority !== 'default' && priority !== 'high') return undefined;
    name = `cb${priority[0]}`;
  }
  for (const [field, letter] of LIMITS) {
    if (!Object.hasOwn(breaker, field)) continue;
    const limit = wholeNumber(valueAt(breaker, field));
    if (limit === undefined) return undefined;
    name += `${letter}${limit}`;
  }
  return name;
}

/** As Python's `int()` reads a number or a text. */
function wholeNumber(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(Math.trunc(value)) : undefined;
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value !== 'string' || !/^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) return undefined;
  return String(BigInt(value.trim().replaceAll('_', '').replace(/^\+/, '')));
}
