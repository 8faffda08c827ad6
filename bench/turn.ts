import type { Bed } from './bed.ts';
import type { MeasuredOperator } from './measured-operator.ts';
import { sightings, type Awaited, type Sightings } from './observer.ts';
import { processorSeconds } from './processor.ts';
import { AuditTail, byKind, OPERATOR } from './requests.ts';

/** One turn of one contender. */
export interface Turn {
  /** Seconds from the start of the work until a neutral watch has seen the last object that is waited for. */
  wall: number;
  /** Processor seconds meanwhile, of server, store, client and this process. */
  processor: number;
  /** To the API server, besides watches. */
  requests: number;
}

/** A turn of the operator. */
export interface OperatorTurn extends Turn {
  /** Seconds until everything is told in the status as well. */
  told: number;
  /** Processor seconds of the operator alone, until then. */
  own: number;
  /** MB of resident memory at most, since its start. */
  peak: number;
  /** 99th percentile of the event loop's delay in milliseconds. */
  loopMs: number;
  /** Answers 429. */
  throttled: number;
  /** To the Git server. */
  gitRequests: number;
  /** The requests by what they did; see byKind. */
  kinds: ReadonlyMap<string, number>;
}

export interface Work {
  collections: readonly string[];
  /** So many different objects are waited for. */
  count: number;
  awaited?: Awaited;
  run: () => Promise<unknown>;
}

/** A bare loop sends as this user, so that the audit log tells it from the operator. */
export const BARE = 'driver';

export async function bareTurn(bed: Bed, work: Work): Promise<Turn> {
  const tail = new AuditTail(bed.cluster);
  await using stage = await Stage.open(bed, work);
  const took = await stage.timed([], work.run);
  return { ...took, requests: tail.next(BARE).length };
}

/** `begin` gives the operator right before the clock starts; `told` resolves when the status says that all is done. */
export async function operatorTurn(
  bed: Bed,
  begin: () => Promise<MeasuredOperator>,
  work: Work,
  told: () => Promise<unknown>,
): Promise<OperatorTurn> {
  const tail = new AuditTail(bed.cluster);
  await using stage = await Stage.open(bed, work);
  const operator = await begin();
  await operator.loopDelayMs();
  const { pid } = operator.child;
  const [own, startedAt] = [processorSeconds([pid]), performance.now()];
  const gitRequests = bed.git.requests.length;
  const took = await stage.timed([pid], work.run);
  await told();
  const toldS = (performance.now() - startedAt) / 1000;
  const requests = tail.next(OPERATOR);
  return {
    ...took,
    told: toldS,
    own: processorSeconds([pid]) - own,
    requests: requests.length,
    kinds: byKind(requests),
    throttled: requests.filter(({ responseStatus }) => responseStatus?.code === 429).length,
    gitRequests: bed.git.requests.length - gitRequests,
    peak: operator.child.memory('VmHWM'),
    loopMs: await operator.loopDelayMs(),
  };
}

/** Neutral watches, opened before the clock starts. */
export class Stage implements AsyncDisposable {
  readonly #bed: Bed;
  readonly #seen: Sightings;

  private constructor(bed: Bed, seen: Sightings) {
    [this.#bed, this.#seen] = [bed, seen];
  }

  static async open(bed: Bed, { collections, count, awaited }: Omit<Work, 'run'>): Promise<Stage> {
    return new Stage(bed, await sightings(bed.cluster, collections, count, awaited));
  }

  /** Wall and processor seconds of the work, until everything was seen; of these processes besides server and store. */
  async timed(clients: readonly number[], run: Work['run']): Promise<Pick<Turn, 'wall' | 'processor'>> {
    const { cluster } = this.#bed;
    const pids = [process.pid, cluster.pid, cluster.apiServerPid, ...clients];
    const [processor, startedAt] = [processorSeconds(pids), performance.now()];
    await run();
    const wall = ((await this.#seen.done) - startedAt) / 1000;
    return { wall, processor: processorSeconds(pids) - processor };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#seen[Symbol.asyncDispose]();
  }
}
