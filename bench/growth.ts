import { Bed, type BenchOptions } from './bed.ts';
import { figure, median } from './table.ts';
import type { OperatorTurn, Turn } from './turn.ts';

/** One size of a part: what the operator does, and the bare loop that sends what must be sent. */
export interface Contest extends AsyncDisposable {
  /** `10,000 objects`: the size, in words. */
  size: string;
  bare: () => Promise<Turn>;
  operator: () => Promise<OperatorTurn>;
}

/** Opens the contest at once or ten times the size. */
export type Opener = (bed: Bed, factor: 1 | 10) => Promise<Contest>;

/**
 * Measures a part at two sizes, ten times apart, beside the bare loop: all four have their turn in each round, so that a
 * machine that becomes slower does so for all of them. A round at the small size warms up.
 */
export async function growth(options: BenchOptions, part: string, open: Opener): Promise<void> {
  await using bed = await Bed.create(options, { audit: true, controllers: false });
  await using small = await open(bed, 1);
  await using large = await open(bed, 10);
  const tally = new Map(
    [small, large].map((contest) => [contest, { bare: [] as Turn[], operator: [] as OperatorTurn[] }]),
  );
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const contest of round === 0 ? [small] : [small, large]) {
      const [bare, operator] = [await contest.bare(), await contest.operator()];
      const own = `${operator.own.toFixed(2)} s of its own`;
      options.tell(
        `${part}: round ${round}: ${contest.size}: ${told('bare', bare)}; ${told('operator', operator)}, ${own}`,
      );
      if (round === 0) continue;
      tally.get(contest)!.bare.push(bare);
      tally.get(contest)!.operator.push(operator);
    }
  }
  const medians = [small, large].map((contest) => {
    const { bare, operator } = tally.get(contest)!;
    return { size: contest.size, bare: medianOf(bare), operator: medianOf(operator) };
  });
  for (const each of medians) reportSize(options, part, each);
  reportGrowth(options, part, medians[0]!, medians[1]!);
}

interface Medians {
  size: string;
  bare: Turn;
  operator: OperatorTurn;
}

function reportSize({ report, rounds }: BenchOptions, part: string, { size, bare, operator }: Medians): void {
  const row = (metric: string, value: number, unit: string, limit?: number) =>
    report(figure(part, `${size}: ${metric}`, rounds, value, unit, limit));
  row('time', operator.wall, 's', bare.wall);
  row('time until the status says so', operator.told, 's', bare.wall);
  row('processor', operator.processor, 'processor s', bare.processor);
  row('processor, of the operator alone', operator.own, 'processor s');
  row('requests', operator.requests, 'requests', bare.requests);
  for (const [kind, count] of operator.kinds) row(`requests: ${kind}`, count, 'requests');
  row('answers 429', operator.throttled, 'requests');
  row('asking Git', operator.gitRequests, 'Git requests');
  row('memory at most', operator.peak, 'MB');
  row('delay of the event loop, p99', operator.loopMs, 'ms');
}

/** How many times the large one is of the small one; the limit is how the bare loop grows. */
function reportGrowth({ report, rounds }: BenchOptions, part: string, small: Medians, large: Medians): void {
  for (const [name, field] of [
    ['time', 'wall'],
    ['processor', 'processor'],
    ['requests', 'requests'],
  ] as const) {
    const [value, limit] = [large.operator[field] / small.operator[field], large.bare[field] / small.bare[field]];
    report(figure(part, `${large.size} / ${small.size}: ${name}`, rounds, value, 'times', limit));
  }
}

/** Of each figure for itself; what is no figure is that of the last turn. */
function medianOf<T extends Turn>(turns: readonly T[]): T {
  const last = turns.at(-1)!;
  const names = (Object.keys(last) as (keyof T)[]).filter((name) => typeof last[name] === 'number');
  const medians = names.map((name) => [name, median(turns.map((turn) => turn[name] as number))]);
  return { ...last, ...Object.fromEntries(medians) };
}

function told(name: string, { wall, processor, requests }: Turn): string {
  return `${name} ${wall.toFixed(2)} s, processor ${processor.toFixed(2)} s, ${requests} requests`;
}
