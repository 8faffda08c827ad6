import { setTimeout as delay } from 'node:timers/promises';
import { Bed, type BenchOptions } from './bed.ts';
import { filesOf, mixedObjects } from './mixed-objects.ts';
import { byKind, quiet, requestsSince } from './requests.ts';
import { figure } from './table.ts';

/** All in sync, and nothing happens: what does the operator ask the API server besides its watches? */
export async function rest(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options, { audit: true });
  const repository = await bed.git.createRepository('rest');
  await repository.write(filesOf(mixedObjects(options.objects)));
  const namespace = await bed.namespace();
  await using operator = bed.operator(namespace);
  await bed.createSource(namespace, 'apps', { url: repository.url, path: 'apps' });
  await bed.ready(namespace, 'apps');
  await quiet(bed.cluster);
  const since = Date.now();
  bed.git.requests.length = 0;
  options.tell(`rest: ${options.objects} objects in sync; looking on for ${options.seconds} s`);
  await delay(options.seconds * 1000);
  const requests = requestsSince(bed.cluster, since);
  const name = `${options.objects} objects, ${options.seconds} s`;
  options.report(figure('rest', `${name}: requests`, 1, requests.length, 'requests', 0));
  for (const [kind, count] of byKind(requests))
    options.report(figure('rest', `${name}: ${kind}`, 1, count, 'requests'));
  options.report(figure('rest', `${name}: asking Git`, 1, bed.git.requests.length, 'Git requests'));
  await operator.stop('SIGTERM');
}
