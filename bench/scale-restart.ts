import type { BenchOptions } from './bed.ts';
import { restart } from './restart.ts';
import { figure } from './table.ts';

const PART = 'scale-restart';

/** The restart bench at two sizes, ten times apart. */
export async function restarts(options: BenchOptions): Promise<void> {
  const [few, many] = [options.objects, options.objects * 10];
  const small = await restart({ ...options, objects: few });
  const large = await restart({ ...options, objects: many });
  for (const [count, { judgedMs, bareMs }] of [
    [few, small],
    [many, large],
  ] as const)
    options.report(
      figure(PART, `${count} objects: process start → all judged`, options.rounds, judgedMs, 'ms', bareMs),
    );
  const times = (metric: string, value: number, limit?: number) =>
    options.report(figure(PART, `${many} / ${few} objects: ${metric}`, options.rounds, value, 'times', limit));
  times('time', large.judgedMs / small.judgedMs, large.bareMs / small.bareMs);
  times('processor', large.processor / small.processor);
}
