import type { BenchOptions } from './bed.ts';
import { foreign } from './scale-foreign.ts';
import { prune } from './scale-prune.ts';
import { repository } from './scale-repository.ts';
import { restarts } from './scale-restart.ts';
import { kinds, large, source, sources } from './scale-apply.ts';

/** The parts of `scale`; docs/benchmarks.md says what each measures. */
export const SCALE: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  'scale-source': source,
  'scale-sources': sources,
  'scale-kinds': kinds,
  'scale-large': large,
  'scale-prune': prune,
  'scale-repository': repository,
  'scale-foreign': foreign,
  'scale-restart': restarts,
};
