import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { durationMs } from '../src/api/fields.ts';
import type { Repository } from '../test/git-repository.ts';
import { Bed, type BenchOptions } from './bed.ts';
import {
  COLLECTIONS,
  configMapsOf,
  filesOf,
  markOf,
  mixedObjects,
  withMark,
  type MixedObject,
} from './mixed-objects.ts';
import { Observer } from './observer.ts';
import { RawApply } from './raw-apply.ts';
import { requestsSince } from './requests.ts';
import { distribution, median } from './table.ts';

const SAMPLES = 20;
const BALLAST_FILES = 100;
const BALLAST_FILE_BYTES = 1_000_000;
/** Longer than the status takes to be written after a run: at most one write per second. */
const REST_MS = 1_500;

/**
 * From the answer to `git push` until a neutral watch sees the one changed object of a thousand: by a request right after
 * the push, and by polling alone; from a small repository and from one of 100 MB of which one folder is watched. The bare loop
 * is `git fetch`, `git show` and one server-side apply.
 */
export async function push(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options, { audit: true });
  const objects = mixedObjects(options.objects);
  const small = await bed.git.createRepository('small');
  await small.write(filesOf(objects));
  const large = await bed.git.createRepository('large');
  await large.write({ ...filesOf(objects), ...ballast() });
  for (const [name, repository] of [
    ['small repository', small],
    ['100 MB repository', large],
  ] as const) {
    const limit = median(await bareLoop(bed, repository, objects, options));
    await pushes(bed, repository, objects, options, { name: `${name}, requested`, limit, interval: '1h', ask: true });
    await pushes(bed, repository, objects, options, {
      name: `${name}, polled each ${options.interval}`,
      limit,
      interval: options.interval,
      ask: false,
    });
  }
}

interface Way {
  name: string;
  limit: number;
  interval: string;
  /** Request a run right after the push. */
  ask: boolean;
}

async function pushes(
  bed: Bed,
  repository: Repository,
  objects: readonly MixedObject[],
  options: BenchOptions,
  way: Way,
): Promise<void> {
  const namespace = await bed.namespace();
  await using operator = bed.operator(namespace);
  await bed.createSource(namespace, 'apps', { url: repository.url, path: 'apps', interval: way.interval });
  await bed.ready(namespace, 'apps');
  await using marks = await Marks.watch(bed, namespace);
  await delay(REST_MS);
  const [visibleMs, requests] = [[] as number[], [] as number[]];
  for (let sample = 0; sample < (options.samples ?? SAMPLES); sample += 1) {
    // Polls must not fall into step with the pushes.
    if (!way.ask) await delay(Math.random() * durationMs(way.interval));
    const since = Date.now();
    const { sha, visible, pushedAt } = await pushOne(repository, objects, marks, sample);
    if (way.ask) await bed.request(namespace, 'apps');
    visibleMs.push((await visible) - pushedAt);
    await bed.ready(namespace, 'apps', sha);
    await delay(REST_MS);
    requests.push(requestsSince(bed.cluster, since).length);
  }
  options.report(distribution('push', way.name, visibleMs, 'ms', way.limit));
  options.report(distribution('push', `${way.name}: for each push`, requests, 'requests', 1));
  await operator.stop('SIGTERM');
}

/** Milliseconds of `git fetch`, `git show` and one PATCH. */
async function bareLoop(
  bed: Bed,
  repository: Repository,
  objects: readonly MixedObject[],
  options: BenchOptions,
): Promise<number[]> {
  const namespace = await bed.namespace();
  const changing = configMapsOf(objects);
  await using raw = new RawApply(bed.cluster, bed.cluster.tokens.operator);
  await raw.all(namespace, changing);
  await using marks = await Marks.watch(bed, namespace);
  const reader = await bed.git.createRepository(`reader-${namespace}`);
  const fetch = () => reader.git('fetch', '-q', '--depth=1', '--filter=blob:none', repository.url, 'main');
  await fetch();
  const samples: number[] = [];
  for (let sample = 0; sample < (options.samples ?? SAMPLES); sample += 1) {
    const { object, path, visible, pushedAt } = await pushOne(repository, changing, marks, sample);
    await fetch();
    await reader.git('ls-tree', 'FETCH_HEAD', path);
    await raw.one(namespace, object);
    samples.push((await visible) - pushedAt);
  }
  options.report(distribution('push', 'bare: git fetch, one PATCH', samples, 'ms'));
  return samples;
}

async function pushOne(repository: Repository, objects: readonly MixedObject[], marks: Marks, sample: number) {
  const all = configMapsOf(objects);
  const object = withMark(all[sample % all.length]!, crypto.randomUUID());
  const visible = marks.seen(markOf(JSON.parse(object.body))!);
  const files = filesOf([object]);
  const sha = await repository.write(files);
  return { object, path: Object.keys(files)[0]!, sha, visible, pushedAt: performance.now() };
}

/** Tells when a ConfigMap with a certain mark was seen. */
class Marks implements AsyncDisposable {
  readonly #waiting = new Map<string, (at: number) => void>();
  #observer: Observer | undefined;

  static async watch(bed: Bed, namespace: string): Promise<Marks> {
    const marks = new Marks();
    marks.#observer = await Observer.open(bed.cluster, COLLECTIONS.ConfigMap(namespace), (_type, object) => {
      marks.#waiting.get(markOf(object) ?? '')?.(performance.now());
    });
    return marks;
  }

  seen(mark: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(mark, resolve);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#observer?.[Symbol.asyncDispose]();
  }
}

/** What nobody watches, and no compression makes smaller. */
function ballast(): Record<string, Uint8Array> {
  const entries = Array.from({ length: BALLAST_FILES }, (_, index) => [
    `assets/${index}.bin`,
    randomBytes(BALLAST_FILE_BYTES),
  ]);
  return Object.fromEntries(entries) as Record<string, Uint8Array>;
}
