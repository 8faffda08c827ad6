import type * as z from 'zod';
import type { KubeObject, ObjectMeta } from '../kube/object.ts';
import { fieldPath, missingField, withoutNulls, type SpecProblem } from './problems.ts';
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
