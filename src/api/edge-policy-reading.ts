import { TLS_VERSIONS } from '../edge/guard.ts';
import { EDGE_MODES, FAIL_ON } from './edge-fields.ts';
import { edgePolicySpec, type EdgePolicySpec } from './edge-policy.ts';
import { fieldPath, missingField, withoutNulls, type SpecProblem } from './problems.ts';

export type ParsedEdgePolicy =
  | { readonly ok: true; readonly spec: EdgePolicySpec }
  /** `spec` is what holds until it is mended; undefined: nobody can tell which gateway it is about. */
  | { readonly ok: false; readonly problems: readonly SpecProblem[]; readonly spec: EdgePolicySpec | undefined };

/**
 * Reads the spec of a policy, whatever it holds; never throws. Unknown fields are dropped, and a null counts as absent. The
 * API server refuses a malformed one, unless its CRD is of another version than we are: then what can be read of it holds,
 * see `strictReading`.
 */
export function parseEdgePolicy(raw: unknown): ParsedEdgePolicy {
  const given = withoutNulls(raw) ?? {};
  const parsed = edgePolicySpec.safeParse(given, { error: missingField });
  if (parsed.success) return { ok: true, spec: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => ({ path: fieldPath(path), message }));
  return { ok: false, problems, spec: isMap(given) ? strictReading(given) : undefined };
}

/** The end of each scale that asks the most; of hosts whose grant cannot be read nobody knows the holder. */
const STRICTEST = {
  mode: EDGE_MODES.at(-1)!,
  failOn: FAIL_ON.at(-1)!,
  tlsFloor: TLS_VERSIONS.at(-1)!,
  unclaimed: 'Deny',
} as const satisfies Partial<EdgePolicySpec>;

const FIELDS = Object.keys(edgePolicySpec.shape) as (keyof EdgePolicySpec)[];

/**
 * What holds instead of a malformed policy, so that a mistake loosens nothing: every field that can be read, and of a list
 * the entries that can be. For what cannot be read holds the strictest value, or the default where none is stricter; where a
 * grant cannot be read, nobody newly publishes what no other grant names.
 */
function strictReading(given: Readonly<Record<string, unknown>>): EdgePolicySpec | undefined {
  if (!read('ambassadorId', given['ambassadorId']).success) return undefined;
  const fields = FIELDS.map((field) => {
    const { success, data } = read(field, given[field]);
    return [field, success ? data : instead(field, given[field])];
  });
  const spec = Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as EdgePolicySpec;
  return read('grants', given['grants']).success ? spec : { ...spec, unclaimed: STRICTEST.unclaimed };
}

function instead(field: keyof EdgePolicySpec, value: unknown): unknown {
  const isList = read(field, []).success;
  if (isList && Array.isArray(value)) return value.flatMap((item) => readable(field, item));
  return Object.hasOwn(STRICTEST, field) ? STRICTEST[field as keyof typeof STRICTEST] : read(field, undefined).data;
}

function read(field: keyof EdgePolicySpec, value: unknown) {
  return edgePolicySpec.shape[field].safeParse(value);
}

/** As the only entry of its list. */
function readable(field: keyof EdgePolicySpec, item: unknown): unknown[] {
  const { success, data } = read(field, [item]);
  return success && Array.isArray(data) ? data : [];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
