// Reading the spec of one of our resources, and saying what is wrong with it.

/** One thing that is wrong with a spec. */
export interface SpecProblem {
  /** As kubectl prints it: `spec.ref.branch`, `spec.drift.ignore[0].paths[1]`. */
  path: string;
  message: string;
}

/** zod's own words for a missing field are about types; undefined leaves every other message as it is. */
export function missingField(issue: { code: string; input?: unknown }): string | undefined {
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : undefined;
}

/** `spec.drift.ignore[0].paths[1]`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    'spec',
  );
}

/** Deeper than any field of the schema; a document that is nested further cannot exhaust the stack. */
const MAX_DEPTH = 16;

/** The API server prunes null where a field is not nullable, but keeps it (and refuses it) as an item of a list. */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child, depth + 1)]),
  );
}
