import type { z } from 'zod';
import type { KubeObject, ObjectMeta } from '../kube/object.ts';
import { gitOpsSourceSpec } from './spec.ts';
import type { gitOpsSourceStatus } from './status.ts';

/** `spec` with every default filled in and `path` normalised: what the code reads. */
export type GitOpsSourceSpec = z.output<typeof gitOpsSourceSpec>;
/** `spec` as a person may write it. */
export type GitOpsSourceSpecInput = z.input<typeof gitOpsSourceSpec>;
/** What we report; every list is capped, see STATUS_LIMITS in status.ts. */
export type GitOpsSourceStatus = z.output<typeof gitOpsSourceStatus>;

/** A source as the API server gives it. `spec` is not trusted: an older CRD may have let anything in; see parseSpec. */
export interface GitOpsSource extends KubeObject {
  kind: 'GitOpsSource';
  metadata: ObjectMeta & { namespace: string };
  spec: unknown;
  status?: GitOpsSourceStatus;
}

/** One thing that is wrong with a spec. */
export interface SpecProblem {
  /** As kubectl prints it: `spec.ref.branch`, `spec.drift.ignore[0].paths[1]`. */
  path: string;
  message: string;
}

export type ParsedSpec = { ok: true; spec: GitOpsSourceSpec } | { ok: false; problems: SpecProblem[] };

/**
 * Reads the spec of a source, whatever it holds; never throws. Unknown fields are dropped and a null counts as absent, as the
 * API server does it. With `namespace` (the source's own) a dependency in another namespace is refused, which the CRD
 * cannot say. At most one problem per field, the first.
 */
export function parseSpec(raw: unknown, namespace?: string): ParsedSpec {
  const parsed = gitOpsSourceSpec.safeParse(withoutNulls(raw), { error: missingField });
  const problems = new Map<string, string>();
  for (const { path, message } of parsed.error?.issues ?? []) {
    const field = fieldPath(path);
    if (!problems.has(field)) problems.set(field, message);
  }
  if (parsed.success && namespace !== undefined) {
    for (const [index, dependency] of (parsed.data.dependsOn ?? []).entries()) {
      if (dependency.namespace === undefined || dependency.namespace === namespace) continue;
      problems.set(
        `spec.dependsOn[${index}].namespace`,
        `must be ${namespace}: a source depends only on sources of its own namespace`,
      );
    }
  }
  if (parsed.success && problems.size === 0) return { ok: true, spec: parsed.data };
  return { ok: false, problems: Array.from(problems, ([path, message]) => ({ path, message })) };
}

/** zod's own words for a missing field are about types; undefined leaves every other message as it is. */
function missingField(issue: { code: string; input?: unknown }): string | undefined {
  return issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : undefined;
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    'spec',
  );
}

/** Deeper than any field of the schema; a document that is nested further cannot exhaust the stack. */
const MAX_DEPTH = 16;

/** The API server prunes null where a field is not nullable, but keeps it (and refuses it) as an item of a list. */
function withoutNulls(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child, depth + 1)]),
  );
}
