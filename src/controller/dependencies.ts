import type { GitOpsSourceSpec } from '../api/source.ts';
import { PlumblineError } from '../errors.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';

/** Throws DependencyNotReady while a source in `spec.dependsOn` is missing, or not Ready at its newest spec. */
export function assertDependencies(
  source: Source,
  spec: GitOpsSourceSpec,
  { sources }: Pick<ReconcileDeps, 'sources'>,
): void {
  for (const { name } of spec.dependsOn ?? []) {
    const other = sources.get(`${source.namespace}/${name}`);
    const ready = other?.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    if (ready && other.status.observedGeneration === other.generation) continue;
    throw new PlumblineError(
      'DependencyNotReady',
      `waits for the source ${name}, which ${other ? 'is not Ready yet' : 'does not exist'}`,
    );
  }
}
