import { Bed, type BenchOptions } from './bed.ts';
import { filesOf, mixedObjects, type MixedObject } from './mixed-objects.ts';
import { CONNECTIONS, RawApply } from './raw-apply.ts';
import { Room } from './room.ts';
import { figure, median } from './table.ts';
import { Stage, type Turn } from './turn.ts';

/** Objects of each source when there are many. */
const SHARE = 10;

type Took = Pick<Turn, 'wall' | 'processor'>;

interface Contender {
  name: string;
  turns: Took[];
  run: () => Promise<Took>;
}

/**
 * From the creation of the source, with a new pod's empty cache, until the last object is there; beside a bare loop that
 * applies the same objects into another namespace. Both have their turn in each round.
 */
export async function apply(options: BenchOptions): Promise<void> {
  await using bed = await Bed.create(options);
  const [raw, ...layouts] = await contenders(bed, mixedObjects(options.objects));
  // The first round warms up the server: it is not counted.
  for (let round = 0; round <= options.rounds; round += 1) {
    const order = [raw!, ...layouts];
    if (round % 2 === 1) order.reverse();
    for (const { name, turns, run } of order) {
      const took = await run();
      options.tell(
        `apply: round ${round}: ${name}: ${took.wall.toFixed(2)} s, processor ${took.processor.toFixed(2)} s`,
      );
      if (round > 0) turns.push(took);
    }
  }
  for (const [unit, of] of [
    ['s', (took: Took) => took.wall],
    ['processor s', (took: Took) => took.processor],
  ] as const) {
    const limit = median(raw!.turns.map(of));
    options.report(figure('apply', raw!.name, options.rounds, limit, unit));
    for (const { name, turns } of layouts)
      options.report(figure('apply', name, options.rounds, median(turns.map(of)), unit, limit));
  }
}

async function contenders(bed: Bed, objects: readonly MixedObject[]): Promise<Contender[]> {
  const one = await bed.git.createRepository('one');
  await one.write(filesOf(objects));
  const many = await bed.git.createRepository('many');
  const teams = Array.from({ length: Math.ceil(objects.length / SHARE) }, (_, index) => `team-${index}`);
  const share = (index: number) => objects.slice(index * SHARE, (index + 1) * SHARE);
  await many.write(Object.assign({}, ...teams.map((team, index) => filesOf(share(index), team))));
  const count = objects.length;
  const contender = (name: string, run: () => Promise<Took>): Contender => ({ name, turns: [], run });
  return [
    contender(`raw loop, ${CONNECTIONS} connections`, () => rawTurn(bed, objects)),
    contender(`1 source × ${count} objects`, () => operatorTurn(bed, objects, one.url, ['apps'])),
    contender(`${teams.length} sources × ${SHARE} objects`, () => operatorTurn(bed, objects, many.url, teams)),
  ];
}

async function rawTurn(bed: Bed, objects: readonly MixedObject[]): Promise<Took> {
  await using room = await Room.create(bed, objects);
  await using raw = new RawApply(bed.cluster, bed.cluster.tokens.operator);
  const work = room.work(() => raw.all(room.namespace, objects));
  await using stage = await Stage.open(bed, work);
  return await stage.timed([], work.run);
}

async function operatorTurn(
  bed: Bed,
  objects: readonly MixedObject[],
  url: string,
  folders: readonly string[],
): Promise<Took> {
  await using room = await Room.create(bed, objects);
  const { namespace } = room;
  await using operator = bed.operator(namespace);
  await operator.said('watching sources');
  const work = room.work(() =>
    Promise.all(folders.map((folder) => bed.createSource(namespace, folder, { url, path: folder }))),
  );
  await using stage = await Stage.open(bed, work);
  const took = await stage.timed([operator.pid], work.run);
  await Promise.all(folders.map((folder) => bed.ready(namespace, folder)));
  await operator.stop('SIGTERM');
  return took;
}
