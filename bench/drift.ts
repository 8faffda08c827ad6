import { Bed, type BenchOptions } from './bed.ts';
import { COLLECTIONS, configMapsOf, filesOf, markOf, mixedObjects } from './mixed-objects.ts';
import { Observer } from './observer.ts';
import { RawApply } from './raw-apply.ts';
import { distribution, median } from './table.ts';

const SAMPLES = 200;

/**
 * A hand edit of a declared field, from its answer until a neutral watch sees the declared value again. Edit by edit in
 * turns with a bare process in another namespace, which answers each event of its watch by one server-side apply.
 */
export async function drift(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options);
  const objects = mixedObjects(options.objects);
  const repository = await bed.git.createRepository('drift');
  await repository.write(filesOf(objects));
  const [managed, bare] = [await bed.namespace(), await bed.namespace()];
  await using operator = bed.operator(managed);
  await bed.createSource(managed, 'apps', { url: repository.url, path: 'apps' });
  await using raw = new RawApply(bed.cluster, bed.cluster.tokens.operator);
  await raw.all(bare, objects);
  await bed.ready(managed, 'apps');
  await using healer = bed.raw('heal', bare);
  await healer.said('ready');

  await using plumbline = await Healing.watch(bed, managed);
  await using limit = await Healing.watch(bed, bare);
  const samples = { plumbline: [] as number[], limit: [] as number[] };
  const names = configMapsOf(objects).map(({ name }) => name);
  for (let sample = -5; sample < (options.samples ?? SAMPLES); sample += 1) {
    const name = names.at(sample % names.length)!;
    const pair = { plumbline: await plumbline.of(name), limit: await limit.of(name) };
    // The first edits warm both up.
    if (sample < 0) continue;
    samples.plumbline.push(pair.plumbline);
    samples.limit.push(pair.limit);
  }
  const bareMs = median(samples.limit);
  options.report(distribution('drift', 'bare: event answered by one PATCH', samples.limit, 'ms'));
  options.report(distribution('drift', `edit of 1 of ${objects.length} → healed`, samples.plumbline, 'ms', bareMs));
  await operator.stop('SIGTERM');
}

/** Edits objects of one namespace and waits for their declared value. */
class Healing implements AsyncDisposable {
  readonly #bed: Bed;
  readonly #namespace: string;
  readonly #observer: Observer;
  readonly #waiting: Map<string, (at: number) => void>;

  private constructor(bed: Bed, namespace: string, observer: Observer, waiting: Map<string, (at: number) => void>) {
    [this.#bed, this.#namespace, this.#observer, this.#waiting] = [bed, namespace, observer, waiting];
  }

  static async watch(bed: Bed, namespace: string): Promise<Healing> {
    const waiting = new Map<string, (at: number) => void>();
    const observer = await Observer.open(bed.cluster, COLLECTIONS.ConfigMap(namespace), (_type, object) => {
      if (markOf(object) === 'declared') waiting.get(object.metadata.name)?.(performance.now());
    });
    return new Healing(bed, namespace, observer, waiting);
  }

  /** Milliseconds from the answer to the edit until it was undone. */
  async of(name: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.set(name, resolve);
    await this.#bed.edit(this.#namespace, name, `edited-${Date.now()}`);
    const answeredAt = performance.now();
    const healedAt = await promise;
    this.#waiting.delete(name);
    return Math.max(0, healedAt - answeredAt);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#observer[Symbol.asyncDispose]();
  }
}
