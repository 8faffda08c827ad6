import type { GitOpsSourceSpecInput } from '../src/api/source.ts';
import { inParallel } from '../src/concurrency/parallel.ts';
import { sourcesOf, type Bed, type BenchOptions } from './bed.ts';
import { crds, customObjects } from './custom-objects.ts';
import { growth, type Contest } from './growth.ts';
import { MeasuredOperator } from './measured-operator.ts';
import { filesOf, largeObjects, mixedObjects, type BenchObject } from './mixed-objects.ts';
import { becomingReady, sightings } from './observer.ts';
import { CONNECTIONS, RawApply } from './raw-apply.ts';
import { Room } from './room.ts';
import { BARE, bareTurn, operatorTurn } from './turn.ts';

/** Objects of each source where there are many. */
const SHARE = 10;
const KIND_SHARE = 25;

/** What a cold start is made of: objects by the folder that declares them, one source for each folder. */
interface Declared {
  size: string;
  folders: ReadonlyMap<string, readonly BenchObject[]>;
}

/** One source declares everything. */
export async function source(options: BenchOptions): Promise<void> {
  await cold(options, 'scale-source', async (_bed, factor) => {
    const count = options.objects * factor;
    return { size: `${count} objects`, folders: new Map([['apps', mixedObjects(count)]]) };
  });
}

/** Sources of ten objects each, all of one repository and one namespace. */
export async function sources(options: BenchOptions): Promise<void> {
  await cold(options, 'scale-sources', async (_bed, factor) => {
    const objects = mixedObjects(options.objects * factor);
    const count = objects.length / SHARE;
    const share = (index: number) => objects.slice(index * SHARE, (index + 1) * SHARE);
    const folders = Array.from({ length: count }, (_, index) => [`team-${index}`, share(index)] as const);
    return { size: `${count} sources × ${SHARE}`, folders: new Map(folders) };
  });
}

/** Many kinds of custom resources, 25 objects of each; the CRDs are there before. */
export async function kinds(options: BenchOptions): Promise<void> {
  await cold(options, 'scale-kinds', async (bed, factor) => {
    const count = Math.ceil((options.objects * factor) / KIND_SHARE / 2);
    await crds(bed.cluster, count);
    return { size: `${count} kinds × ${KIND_SHARE}`, folders: new Map([['apps', customObjects(count, KIND_SHARE)]]) };
  });
}

/** ConfigMaps of 300 KB. */
export async function large(options: BenchOptions): Promise<void> {
  await cold(options, 'scale-large', async (_bed, factor) => {
    const count = Math.ceil((options.objects * factor) / 100);
    return { size: `${count} objects of 300 KB`, folders: new Map([['apps', largeObjects(count)]]) };
  });
}

/** A new pod with an empty cache, for which all sources wait; beside a bare loop that applies the same objects. */
async function cold(
  options: BenchOptions,
  part: string,
  declare: (bed: Bed, factor: 1 | 10) => Promise<Declared>,
): Promise<void> {
  await growth(options, part, async (bed, factor): Promise<Contest> => {
    const { size, folders } = await declare(bed, factor);
    const repository = await bed.git.createRepository(`${part}-${factor}`);
    const files = [...folders].map(([folder, objects]) => filesOf(objects, folder));
    await repository.write(Object.assign({}, ...files) as Record<string, string>);
    const objects = [...folders.values()].flat();
    return {
      size,
      bare: () => bareApply(bed, objects),
      operator: () => coldStart(bed, objects, { url: repository.url }, [...folders.keys()]),
      [Symbol.asyncDispose]: async () => {},
    };
  });
}

async function bareApply(bed: Bed, objects: readonly BenchObject[]) {
  await using room = await Room.create(bed, objects);
  await using raw = new RawApply(bed.cluster, bed.cluster.tokens[BARE]);
  return await bareTurn(
    bed,
    room.work(() => raw.all(room.namespace, objects)),
  );
}

async function coldStart(
  bed: Bed,
  objects: readonly BenchObject[],
  spec: Partial<GitOpsSourceSpecInput>,
  folders: readonly string[],
) {
  await using room = await Room.create(bed, objects);
  const { namespace } = room;
  await inParallel(folders, CONNECTIONS, (folder) => bed.createSource(namespace, folder, { ...spec, path: folder }));
  await using ready = await sightings(bed.cluster, [sourcesOf(namespace)], folders.length, becomingReady);
  let operator: MeasuredOperator | undefined;
  try {
    const begin = async () => (operator = await MeasuredOperator.start(bed, namespace));
    return await operatorTurn(
      bed,
      begin,
      room.work(async () => {}),
      () => ready.done,
    );
  } finally {
    await operator?.[Symbol.asyncDispose]();
  }
}
