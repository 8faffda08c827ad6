import { inParallel } from '../src/concurrency/parallel.ts';
import type { Bed, BenchOptions } from './bed.ts';
import { growth, type Contest } from './growth.ts';
import { MeasuredOperator } from './measured-operator.ts';
import { filesOf, mixedObjects, type BenchObject } from './mixed-objects.ts';
import { disappearing } from './observer.ts';
import { CONNECTIONS, RawApply } from './raw-apply.ts';
import { Room } from './room.ts';
import { BARE, bareTurn, operatorTurn } from './turn.ts';

const PART = 'scale-prune';
/** What stays: nothing is ever pruned from an empty path. */
const KEPT = 10;

/** A commit that declares hardly anything any more, from the request that follows it until the last object is gone. */
export async function prune(options: BenchOptions): Promise<void> {
  await growth(options, PART, async (bed, factor): Promise<Contest> => {
    const count = Math.ceil((options.objects * factor) / 2);
    const objects = mixedObjects(count + KEPT);
    return {
      size: `${count} objects`,
      bare: () => barePrune(bed, objects.slice(KEPT)),
      operator: () => operatorPrune(bed, objects),
      [Symbol.asyncDispose]: async () => {},
    };
  });
}

async function barePrune(bed: Bed, objects: readonly BenchObject[]) {
  await using room = await Room.create(bed, objects);
  const { namespace } = room;
  await using raw = new RawApply(bed.cluster, bed.cluster.tokens[BARE]);
  await raw.all(namespace, objects);
  const run = () => inParallel(objects, CONNECTIONS, (object) => raw.delete(namespace, object));
  return await bareTurn(bed, { ...room.work(run), awaited: disappearing });
}

async function operatorPrune(bed: Bed, objects: readonly BenchObject[]) {
  await using room = await Room.create(bed, objects);
  const { namespace } = room;
  const repository = await bed.git.createRepository(namespace);
  await repository.write(filesOf(objects));
  await using operator = await MeasuredOperator.start(bed, namespace);
  await bed.createSource(namespace, 'apps', {
    url: repository.url,
    path: 'apps',
    interval: '1h',
    pruneGuard: { maxPercent: 100 },
  });
  await bed.ready(namespace, 'apps');
  const left = await repository.write({ apps: null, ...filesOf(objects.slice(0, KEPT)) });
  const work = { ...room.work(() => bed.request(namespace, 'apps')), count: objects.length - KEPT };
  return await operatorTurn(
    bed,
    async () => operator,
    { ...work, awaited: disappearing },
    () => bed.ready(namespace, 'apps', left),
  );
}
