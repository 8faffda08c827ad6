import { inParallel } from '../src/concurrency/parallel.ts';
import type { GitFault } from '../test/git-server.ts';
import type { Repository } from '../test/git-repository.ts';
import { sourcesOf, type Bed, type BenchOptions } from './bed.ts';
import { growth, type Contest } from './growth.ts';
import { MeasuredOperator } from './measured-operator.ts';
import { COLLECTIONS, configMapsOf, filesOf, mixedObjects, withMark, type MixedObject } from './mixed-objects.ts';
import { becomingReady, marked, readyAt, sightings } from './observer.ts';
import { CONNECTIONS, RawApply } from './raw-apply.ts';
import { figure, median } from './table.ts';
import { BARE, bareTurn, operatorTurn, type Work } from './turn.ts';

const PART = 'scale-repository';
/** Objects of each source; some are ConfigMaps. */
const SHARE = 10;

/** The sources of one repository: folder → its objects. */
type Teams = ReadonlyMap<string, readonly MixedObject[]>;

/**
 * Many sources follow one repository, and a commit changes one object of each: from the moment in which a poll is let through
 * to it, until the last change is there. The bare loop is `git fetch` and one server-side apply for each.
 */
export async function repository(options: BenchOptions): Promise<void> {
  await growth(options, PART, async (bed, factor): Promise<Contest> => {
    const count = Math.ceil((options.objects * factor) / 100);
    const objects = mixedObjects(count * SHARE);
    const share = (index: number) => objects.slice(index * SHARE, (index + 1) * SHARE);
    const teams: Teams = new Map(Array.from({ length: count }, (_, index) => [`team-${index}`, share(index)]));
    const followed = await bed.git.createRepository(`${PART}-${factor}`);
    await commit(followed, teams);
    const [bare, operator] = [await Bare.open(bed, followed, teams), await Followers.open(bed, followed, teams)];
    const size = `${count} sources`;
    return {
      size,
      bare: () => bare.turn(),
      operator: () => operator.turn(),
      [Symbol.asyncDispose]: async () => {
        const asked = median(operator.asked);
        options.report(figure(PART, `${size}: asking Git`, operator.asked.length, asked, 'Git requests', bare.asks));
        await Promise.all([bare[Symbol.asyncDispose](), operator[Symbol.asyncDispose]()]);
      },
    };
  });
}

/** Writes one object of each team anew, with a mark of its own; gives these objects. */
async function commit(followed: Repository, teams: Teams, mark?: string) {
  const entries = [...teams].map(([folder, objects]) => {
    const changed = withMark(configMapsOf(objects)[0]!, mark ?? 'declared');
    return { changed, files: filesOf(mark === undefined ? objects : [changed], folder) };
  });
  const files = Object.assign({}, ...entries.map((entry) => entry.files)) as Record<string, string>;
  return { sha: await followed.write(files), changed: entries.map((entry) => entry.changed) };
}

function changes(namespace: string, teams: Teams, mark: string, run: Work['run']): Work {
  return { collections: [COLLECTIONS.ConfigMap(namespace)], count: teams.size, awaited: marked(mark), run };
}

class Bare implements AsyncDisposable {
  /** Requests of one `git fetch`. */
  asks = 0;
  readonly #bed: Bed;
  readonly #namespace: string;
  readonly #followed: Repository;
  readonly #reader: Repository;
  readonly #teams: Teams;
  readonly #raw: RawApply;

  private constructor(bed: Bed, namespace: string, followed: Repository, reader: Repository, teams: Teams) {
    [this.#bed, this.#namespace, this.#teams] = [bed, namespace, teams];
    [this.#followed, this.#reader] = [followed, reader];
    this.#raw = new RawApply(bed.cluster, bed.cluster.tokens[BARE]);
  }

  static async open(bed: Bed, followed: Repository, teams: Teams): Promise<Bare> {
    const namespace = await bed.namespace();
    const bare = new Bare(bed, namespace, followed, await bed.git.createRepository(`reader-${namespace}`), teams);
    await bare.#raw.all(namespace, [...teams.values()].flat());
    await bare.#fetch();
    return bare;
  }

  async turn() {
    const mark = crypto.randomUUID();
    const { changed } = await commit(this.#followed, this.#teams, mark);
    const run = async () => {
      await this.#fetch();
      await this.#raw.all(this.#namespace, changed);
    };
    const before = this.#bed.git.requests.length;
    const turn = await bareTurn(this.#bed, changes(this.#namespace, this.#teams, mark, run));
    this.asks = this.#bed.git.requests.length - before;
    return turn;
  }

  async #fetch(): Promise<void> {
    await this.#reader.git('fetch', '-q', '--depth=1', '--filter=blob:none', this.#followed.url, 'main');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#raw[Symbol.asyncDispose]();
  }
}

/** The operator, with everything in sync between two turns. */
class Followers implements AsyncDisposable {
  /** Requests to the Git server for each commit. */
  readonly asked: number[] = [];
  readonly #bed: Bed;
  readonly #namespace: string;
  readonly #followed: Repository;
  readonly #teams: Teams;
  readonly #operator: MeasuredOperator;

  private constructor(bed: Bed, namespace: string, followed: Repository, teams: Teams, operator: MeasuredOperator) {
    [this.#bed, this.#namespace, this.#followed, this.#teams] = [bed, namespace, followed, teams];
    this.#operator = operator;
  }

  static async open(bed: Bed, followed: Repository, teams: Teams): Promise<Followers> {
    const namespace = await bed.namespace();
    const { url } = followed;
    await inParallel(teams.keys(), CONNECTIONS, (folder) =>
      bed.createSource(namespace, folder, { url, path: folder, interval: '1s' }),
    );
    await using ready = await sightings(bed.cluster, [sourcesOf(namespace)], teams.size, becomingReady);
    const operator = await MeasuredOperator.start(bed, namespace);
    await ready.done;
    return new Followers(bed, namespace, followed, teams, operator);
  }

  async turn() {
    const mark = crypto.randomUUID();
    using gate = new Gate(this.#bed, this.#followed);
    await gate.reached;
    const { sha } = await commit(this.#followed, this.#teams, mark);
    await using ready = await sightings(
      this.#bed.cluster,
      [sourcesOf(this.#namespace)],
      this.#teams.size,
      readyAt(sha),
    );
    const before = this.#bed.git.requests.length;
    const work = changes(this.#namespace, this.#teams, mark, async () => gate.open());
    const turn = await operatorTurn(
      this.#bed,
      async () => this.#operator,
      work,
      () => ready.done,
    );
    const asked = this.#bed.git.requests.slice(before).filter(({ repository }) => gate.guards(repository));
    // The one that waited at the gate was counted before.
    this.asked.push(asked.length + 1);
    return turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#operator[Symbol.asyncDispose]();
  }
}

/** Holds all requests for a repository back until it is opened. */
class Gate implements Disposable {
  /** Resolves when the first request waits. */
  readonly reached: Promise<void>;
  readonly #bed: Bed;
  readonly #name: string;
  readonly #open = Promise.withResolvers<void>();

  constructor(bed: Bed, followed: Repository) {
    this.#bed = bed;
    this.#name = new URL(followed.url).pathname.slice(1).replace(/\.git$/, '');
    const reached = Promise.withResolvers<void>();
    this.reached = reached.promise;
    bed.git.fault = async ({ repository, operation }): Promise<GitFault> => {
      if (this.guards(repository) && operation === 'ls-refs') {
        reached.resolve();
        await this.#open.promise;
      }
      return 'pass';
    };
  }

  guards(repository: string): boolean {
    return repository === this.#name;
  }

  open(): void {
    this.#open.resolve();
  }

  [Symbol.dispose](): void {
    this.open();
    delete this.#bed.git.fault;
  }
}
