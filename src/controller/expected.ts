import type { GitOpsSourceSpec } from '../api/source.ts';
import { Slice } from '../concurrency/slice.ts';
import { isLax } from '../drift/policy.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Rendered, Source } from './source.ts';

/**
 * After a restart, when what was applied last has been read and nothing has passed a gate yet: what is live of the source is
 * judged by that now, and the rest as it is listed, so that ten thousand objects need not wait as a whole. What is not as
 * declared there, or by what is let through in the end, is the run's to compare.
 */
export async function expect(
  source: Source,
  spec: GitOpsSourceSpec,
  { desired }: Rendered,
  { live, healer }: Pick<ReconcileDeps, 'live' | 'healer'>,
  signal: AbortSignal,
): Promise<void> {
  source.expected = undefined;
  if (!isLax(spec.drift)) return;
  source.expected = new Map(desired.map((object) => [object.key, object]));
  source.judgedBy = judgedBy(spec);
  const slice = new Slice(signal);
  for (const object of live.of(source.key)) {
    healer.judgeAhead(object);
    await slice.rest();
  }
}

/** What counts as drift, and how it is told: where this changes, all that was judged before is judged anew. */
export function judgedBy({ drift }: GitOpsSourceSpec): string {
  return JSON.stringify([drift.ignore, drift.foreignFields, drift.allowManagers, drift.values]);
}
