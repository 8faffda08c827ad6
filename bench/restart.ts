import { until } from '../test/until.ts';
import { Bed, type BenchOptions } from './bed.ts';
import { COLLECTIONS, configMapsOf, filesOf, markOf, mixedObjects, withMark } from './mixed-objects.ts';
import { Observer } from './observer.ts';
import { processorSeconds } from './processor.ts';
import { byKind, isDryRun, isWrite, quiet, requestsSince } from './requests.ts';
import { distribution, figure, median } from './table.ts';
import type { Child } from './child-process.ts';

const NAME = 'apps';

/** Medians. */
export interface Restarts {
  /** Milliseconds from the start of the process until everything was judged. */
  judgedMs: number;
  /** The same of a process that only lists. */
  bareMs: number;
  /** Processor seconds of the operator until then. */
  processor: number;
}

/**
 * kill -9 with everything in sync, and a new process over the same cache. Three kinds of turn: nothing happened meanwhile
 * (requests are counted), an object was edited meanwhile (how long until everything has been judged and it is put back), a
 * commit was pushed meanwhile (the old revision must not be applied first).
 */
export async function restart(options: BenchOptions): Promise<Restarts> {
  await using bed = await Bed.create(options, { audit: true });
  const objects = mixedObjects(options.objects);
  const repository = await bed.git.createRepository('restart');
  await repository.write(filesOf(objects));
  const namespace = await bed.namespace();
  await bed.createSource(namespace, NAME, { url: repository.url, path: 'apps' });
  let operator: Child = bed.operator(namespace);
  await bed.ready(namespace, NAME);
  const kill = async () => {
    await quiet(bed.cluster);
    await operator[Symbol.asyncDispose]();
  };
  const [edited, pushed] = configMapsOf(objects) as [(typeof objects)[0], (typeof objects)[0]];
  const marks = new Map<string, { mark: string | undefined; at: number }[]>();
  await using _ = await Observer.open(bed.cluster, COLLECTIONS.ConfigMap(namespace), (_type, object) => {
    const seen = { mark: markOf(object), at: performance.now() };
    marks.set(object.metadata.name, [...(marks.get(object.metadata.name) ?? []), seen]);
  });
  const shown = (name: string, mark: string) =>
    until(() => marks.get(name)?.find((seen) => seen.mark === mark)?.at, {
      what: `${name} is ${mark}`,
      timeoutMs: 60_000,
    });

  const [healedMs, processor, newMs, bareMs]: [number[], number[], number[], number[]] = [[], [], [], []];
  let oldFirst = 0;
  for (let round = 1; round <= options.rounds; round += 1) {
    await kill();
    const bare = bed.raw('list', namespace);
    await bare.ended();
    bareMs.push(performance.now() - bare.startedAt);
    await bare[Symbol.asyncDispose]();

    // Nothing happened.
    const since = Date.now();
    operator = bed.operator(namespace);
    await quiet(bed.cluster, since);
    if (round === 1) reportRequests(options, requestsSince(bed.cluster, since));

    // Somebody edited an object.
    await kill();
    await bed.edit(namespace, edited.name, `round-${round}`);
    await shown(edited.name, `round-${round}`);
    marks.clear();
    operator = bed.operator(namespace);
    healedMs.push((await shown(edited.name, 'declared')) - operator.startedAt);
    processor.push(processorSeconds([operator.pid]));

    // Somebody edited an object, and a commit changes it.
    await kill();
    await bed.edit(namespace, pushed.name, `round-${round}`);
    const sha = await repository.write(filesOf([withMark(pushed, `commit-${round}`)]));
    await shown(pushed.name, `round-${round}`);
    marks.clear();
    operator = bed.operator(namespace);
    newMs.push((await shown(pushed.name, `commit-${round}`)) - operator.startedAt);
    await bed.ready(namespace, NAME, sha);
    const [first] = marks.get(pushed.name) ?? [];
    if (first?.mark !== `commit-${round}`) oldFirst += 1;
  }
  await operator[Symbol.asyncDispose]();
  const limit = median(bareMs);
  options.report(figure('restart', 'bare: process start, one list for each kind', options.rounds, limit, 'ms'));
  options.report(distribution('restart', 'process start → all judged, an edit put back', healedMs, 'ms', limit));
  options.report(distribution('restart', 'the same, of the operator alone', processor, 'processor s'));
  options.report(distribution('restart', 'process start → commit pushed meanwhile', newMs, 'ms', limit));
  options.report(figure('restart', 'old revision applied first', options.rounds, oldFirst, 'times', 0));
  return { judgedMs: median(healedMs), bareMs: limit, processor: median(processor) };
}

function reportRequests({ report, objects }: BenchOptions, requests: ReturnType<typeof requestsSince>): void {
  const count = (metric: string, value: number, limit?: number) =>
    report(figure('restart', `${objects} objects: ${metric}`, 1, value, 'requests', limit));
  count('writes of managed objects', requests.filter(isWrite).length, 0);
  count('dry runs', requests.filter(isDryRun).length);
  count('all but watches', requests.length);
  for (const [kind, value] of byKind(requests)) count(kind, value);
}
