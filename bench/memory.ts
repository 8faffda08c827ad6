import { Bed, type BenchOptions } from './bed.ts';
import type { Child } from './child-process.ts';
import { filesOf, mixedObjects } from './mixed-objects.ts';
import { canBePod } from './operator-process.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { figure } from './table.ts';

/** The lists and events are behind it, and the thread that reads Git has ended, as it does after a minute without work. */
const SETTLED_MS = 75_000;

/** Resident memory of the operator's process, beside a bare Node process that holds the same watches and keeps nothing. */
export async function memory(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options);
  if (!canBePod()) options.tell('memory: no unshare here, so a kubeconfig is used, which costs some 50 MB');
  const applied: { count: number; megabytes: number }[] = [];
  for (const count of [options.objects, options.objects * 10]) {
    const repository = await bed.git.createRepository(`memory-${count}`);
    await repository.write(filesOf(mixedObjects(count)));
    const namespace = await bed.namespace();
    await using operator = bed.operator(namespace);
    await bed.createSource(namespace, 'apps', { url: repository.url, path: 'apps' });
    await bed.ready(namespace, 'apps');
    await using bare = bed.raw('hold', namespace);
    await bare.said('ready');
    const report = (metric: string, child: Child, limit?: number) => {
      options.report(figure('memory', `${count} objects, ${metric}`, 1, child.memory('VmRSS'), 'MB', limit));
    };
    await delay(SETTLED_MS);
    const limit = bare.memory('VmRSS');
    report('applied', operator, limit);
    applied.push({ count, megabytes: operator.memory('VmRSS') });
    options.report(figure('memory', `${count} objects, peak`, 1, operator.memory('VmHWM'), 'MB'));
    await operator.stop('SIGKILL');
    await using again = bed.operator(namespace);
    await bed.request(namespace, 'apps').then((token) => bed.handled(namespace, 'apps', token));
    await delay(SETTLED_MS);
    report('after a restart', again, limit);
    options.report(figure('memory', `${count} objects, peak after a restart`, 1, again.memory('VmHWM'), 'MB'));
  }
  const [small, large] = applied as [(typeof applied)[0], (typeof applied)[0]];
  const slope = ((large.megabytes - small.megabytes) * 1e3) / (large.count - small.count);
  options.report(figure('memory', 'for each further object, applied', 1, slope, 'KB'));
}
