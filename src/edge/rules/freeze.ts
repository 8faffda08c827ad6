import type { Hit, Judged, Rule } from '../finding.ts';
import type { Policy } from '../model.ts';
import { describe, partyOf } from '../party.ts';
import { isRecord } from '../spec.ts';

export const FREEZE_RULES: readonly Rule[] = [
  {
    id: 'EM003',
    name: 'number-range',
    severity: 'error',
    impact: 'freeze',
    when: 'A weight or a time in milliseconds is negative, or a port is not within 1 to 65535.',
    means:
      'The schema takes the number and Emissary passes it on. Envoy refuses the whole configuration, so the edge keeps its old one for everybody.',
    mend: 'Write a number that Envoy takes: weights and times from 0, ports from 1 to 65535.',
    find: numberRange,
  },
];

function* numberRange({ edge }: Judged): Iterable<Hit> {
  for (const policy of edge.policies) {
    for (const [field, value] of numbersOf(policy.spec, '', 0)) {
      const range = rangeOf(policy, field);
      if (!range || (value >= range[0] && value <= range[1])) continue;
      const object = partyOf(policy);
      const message = `${describe(object)} has ${field} ${value}; Envoy takes ${range[0]} to ${range[1]}`;
      yield { object, detail: field, message };
    }
  }
}

/** Everything below this is refused by the API server's own limits long before. */
const DEEPEST = 8;

/** Every number of a spec with its path, `retry_policy.num_retries`. */
function* numbersOf(value: unknown, path: string, depth: number): Iterable<[field: string, value: number]> {
  if (typeof value === 'number' || typeof value === 'bigint') yield [path, Number(value)];
  if (depth === DEEPEST || typeof value !== 'object' || value === null) return;
  const entries: [string, unknown][] = isRecord(value) ? Object.entries(value) : Object.entries(value as unknown[]);
  for (const [name, inner] of entries) yield* numbersOf(inner, path === '' ? name : `${path}.${name}`, depth + 1);
}

/** What Envoy takes for a field; undefined where any number passes. */
function rangeOf({ kind }: Policy, field: string): [number, number] | undefined {
  if (field === 'weight' || field.endsWith('_ms')) return [0, Number.MAX_SAFE_INTEGER];
  if (field === 'port' && (kind === 'Listener' || kind === 'TCPMapping')) return [1, 65_535];
  return undefined;
}
