// What happens in each round of a fault run: a pure function of the seed.
import { Random } from '../random.ts';
import { KINDS, SOURCES, type Declared, type Key, type SourceName } from './declared.ts';
import type { ApiRule, RequestKind, WatchFault } from './proxy.ts';

export const EDITS = ['value', 'delete', 'unlabel', 'relabel', 'unproven', 'foreign', 'thief', 'unmanaged'] as const;
export type EditHow = (typeof EDITS)[number];

export const GIT_FAULTS = ['reset', 'hang', 'slow', 'unavailable', 'truncated', 'stalled', 'corrupt', 'gone'] as const;
export type GitFaultName = (typeof GIT_FAULTS)[number];

/** `rewrite` replaces the last commit; `forget` does so and removes the old one from the server. */
export type PushHow = 'commit' | 'rewrite' | 'forget';

export type Action =
  | { do: 'push'; how: PushHow; put: [SourceName, Key, string][]; drop: [SourceName, Key][] }
  | { do: 'break'; source: SourceName }
  | { do: 'edit'; key: Key; how: EditHow }
  | { do: 'source'; source: SourceName; how: 'suspend' | 'resume' | 'report' | 'heal' | 'request' }
  | { do: 'recreate'; source: SourceName; deletionPolicy: 'Delete' | 'Orphan' }
  | { do: 'rotate'; first: 'server' | 'secret' }
  /** `lost`: the pod is replaced by another one, which has none of the mirrors on disk. */
  | { do: 'kill'; cache: 'kept' | 'lost' }
  | { do: 'start' }
  | { do: 'freeze'; ms: number }
  | { do: 'clock'; offsetMs: number }
  | { do: 'git'; fault: GitFaultName; ms: number }
  | { do: 'api'; rule: ApiRule }
  | { do: 'watches'; fault: WatchFault }
  | { do: 'restart' }
  | { do: 'depose' };

/** What is done, and how long nothing is done after it. */
export type Step = Action & { pauseMs: number };

export interface Round {
  steps: Step[];
  /** What is to be live at its end, by source. */
  declared: Record<SourceName, Declared>;
  /** Objects that nothing in this round gives a reason to delete. */
  kept: Set<Key>;
}

const POOL = 36;
const ALWAYS = 3;

const WEIGHTS = {
  push: 26,
  edit: 22,
  break: 3,
  suspend: 3,
  report: 3,
  request: 3,
  recreate: 3,
  rotate: 3,
  kill: 10,
  killAt: 10,
  freeze: 4,
  clock: 4,
  git: 12,
  api: 22,
  watches: 10,
};

/** The rounds of one world, in order; the same seed gives the same ones. */
export class Schedule {
  readonly #random: Random;
  readonly #options: { restarts: boolean; replicas: boolean };
  readonly #declared: Record<SourceName, Declared> = { a: new Map(), b: new Map(), c: new Map() };
  #serial = 0;
  #pushed = false;
  #steps: Step[] = [];
  #kept = new Set<Key>();

  /** `restarts`: it may restart the API server (of all worlds). `replicas`: it has two, and may depose the leader. */
  constructor(seed: number, options: { restarts: boolean; replicas: boolean }) {
    this.#random = new Random(seed);
    this.#options = options;
  }

  next(): Round {
    const random = this.#random;
    this.#steps = [];
    this.#kept = new Set(SOURCES.flatMap((source) => [...this.#declared[source].keys()]));
    if (!this.#pushed) this.#push();
    const count = 3 + random.below(6);
    for (let index = 0; index < count; index += 1) this.#one(random.weighted(WEIGHTS));
    if (this.#options.restarts && random.chance(0.12)) this.#add({ do: 'restart' });
    if (this.#options.replicas && random.chance(0.25)) this.#depose();
    // Whatever was broken is mended, and something new to apply stands at the end of most rounds.
    if (random.chance(0.7) || this.#steps.some((step) => step.do === 'break')) this.#push();
    return {
      steps: this.#steps,
      declared: { a: new Map(this.#declared.a), b: new Map(this.#declared.b), c: new Map(this.#declared.c) },
      kept: this.#kept,
    };
  }

  #add(step: Action): void {
    const pauseMs = this.#random.chance(0.5) ? 0 : this.#random.below(500);
    this.#steps.push({ ...step, pauseMs });
  }

  #one(what: keyof typeof WEIGHTS): void {
    const random = this.#random;
    const source = random.pick(SOURCES);
    switch (what) {
      case 'push':
        return this.#push();
      case 'break':
        return this.#add({ do: 'break', source });
      case 'edit':
        return this.#edit();
      case 'suspend':
      case 'report':
        this.#add({ do: 'source', source, how: what });
        for (let edits = random.below(3); edits > 0; edits -= 1) this.#edit();
        if (random.chance(0.3)) this.#push();
        return this.#add({ do: 'source', source, how: what === 'suspend' ? 'resume' : 'heal' });
      case 'request':
        return this.#add({ do: 'source', source, how: 'request' });
      case 'recreate': {
        const deletionPolicy = random.pick(['Delete', 'Orphan'] as const);
        if (deletionPolicy === 'Delete') for (const key of this.#declared[source].keys()) this.#kept.delete(key);
        return this.#add({ do: 'recreate', source, deletionPolicy });
      }
      case 'rotate':
        return this.#add({ do: 'rotate', first: random.pick(['server', 'secret']) });
      case 'kill':
        this.#add({ do: 'kill', cache: random.chance(0.3) ? 'lost' : 'kept' });
        if (random.chance(0.5)) this.#one(random.pick(['edit', 'push', 'edit'] as const));
        return this.#add({ do: 'start' });
      case 'killAt':
        return this.#killAt();
      case 'freeze':
        return this.#add({ do: 'freeze', ms: 100 + random.below(2_000) });
      case 'clock':
        return this.#add({ do: 'clock', offsetMs: random.pick([-1, 1]) * random.below(2 ** random.below(36)) });
      case 'git':
        return this.#add({ do: 'git', fault: random.pick(GIT_FAULTS), ms: 300 + random.below(2_500) });
      case 'api':
        return this.#api();
      case 'watches':
        return this.#add({ do: 'watches', fault: this.#watchFault() });
    }
  }

  #push(): void {
    const random = this.#random;
    const put: [SourceName, Key, string][] = [];
    const drop: [SourceName, Key][] = [];
    // The first one brings something for every source.
    for (const source of random.some(SOURCES, this.#serial === 0 ? SOURCES.length : 1 + random.below(3))) {
      const declared = this.#declared[source];
      // Some pushes change one object, some half of them; now and then a whole kind goes.
      const share = random.pick([0.05, 0.2, 0.6]);
      const leaving = random.chance(0.15) ? random.pick(KINDS) : undefined;
      for (let index = 0; index < POOL; index += 1) {
        const kind = KINDS[index % KINDS.length]!;
        const key: Key = `${kind}/k-${index}`;
        // Objects have a home and change it now and then, within one commit of the repository that a and b share.
        const home = this.#holder(key) ?? SOURCES[index % SOURCES.length];
        const always = index < ALWAYS * SOURCES.length && !declared.has(key) && home === source && index % 4 === 0;
        if (home === source && (always || (kind !== leaving && random.chance(share)))) {
          put.push([source, key, this.#value(declared, key)]);
        } else if (declared.has(key) && index >= ALWAYS * SOURCES.length) {
          if (kind === leaving || random.chance(share / 3)) {
            this.#drop(source, key, drop);
            const other = source === 'a' ? 'b' : source === 'b' ? 'a' : undefined;
            if (other && random.chance(0.3)) put.push([other, key, this.#value(this.#declared[other], key)]);
          }
        }
      }
    }
    const how = this.#pushed && random.chance(0.2) ? random.pick(['rewrite', 'forget'] as const) : 'commit';
    this.#pushed = true;
    // What moved on to another source within this push is not put here.
    const staying = put.filter(([source, key]) => this.#declared[source].has(key));
    this.#add({ do: 'push', how, put: staying, drop });
  }

  #value(declared: Declared, key: Key): string {
    this.#serial += 1;
    const value = `v${this.#serial}`;
    declared.set(key, value);
    return value;
  }

  #drop(source: SourceName, key: Key, drop: [SourceName, Key][]): void {
    this.#declared[source].delete(key);
    this.#kept.delete(key);
    drop.push([source, key]);
  }

  #holder(key: Key): SourceName | undefined {
    return SOURCES.find((source) => this.#declared[source].has(key));
  }

  #edit(): void {
    const keys = SOURCES.flatMap((source) => [...this.#declared[source].keys()]);
    const key = this.#random.pick(keys);
    const how = this.#random.pick(EDITS);
    if (how === 'delete') this.#kept.delete(key);
    this.#add({ do: 'edit', key, how });
  }

  #killAt(): void {
    const random = this.#random;
    const on = random.pick<RequestKind[]>([
      ['write'],
      ['write'],
      ['read', 'list'],
      ['watch'],
      ['write', 'read', 'list'],
    ]);
    const fault = { kind: 'kill', acted: random.chance(0.5) } as const;
    this.#add({ do: 'api', rule: { on, after: random.below(12), times: 1, fault } });
    this.#push();
    this.#add({ do: 'start' });
  }

  #api(): void {
    const random = this.#random;
    const kind = random.pick(['status', 'status', 'page', 'truncate', 'reset', 'blackhole', 'slow', 'hold'] as const);
    const on = random.pick<RequestKind[]>([['write'], ['read'], ['list', 'watch'], ['write', 'read', 'list', 'watch']]);
    const rule = { on, after: random.below(4), times: 1 + random.below(6) };
    const add = (more: Partial<ApiRule> & Pick<ApiRule, 'fault'>) =>
      this.#add({ do: 'api', rule: { ...rule, ...more } });
    switch (kind) {
      case 'status': {
        const status = random.pick([410, 429, 429, 500, 503] as const);
        // Nothing but a list or a watch is ever too old.
        if (status === 410) return add({ on: ['list', 'watch'], fault: { kind, status } });
        return add({ fault: { kind, status, ...(status === 429 && random.chance(0.7) && { retryAfter: 1 }) } });
      }
      case 'reset':
        return add({ fault: { kind, acted: random.chance(0.6) } });
      case 'slow':
        return add({ fault: { kind, ms: 50 + random.below(1_500) } });
      case 'hold':
        return add({ on: ['write'], fault: { kind, ms: 200 + random.below(2_500) } });
      case 'page':
      case 'truncate':
      case 'blackhole':
        return add({ fault: { kind } });
    }
  }

  #watchFault(): WatchFault {
    const kind = this.#random.pick(['cut', 'cut', 'gone', 'stall', 'break'] as const);
    return kind === 'stall' ? { kind, ms: 200 + this.#random.below(2_000) } : { kind };
  }

  /** The leader vanishes with a write on its way, which arrives when another one leads. */
  #depose(): void {
    this.#push();
    this.#add({ do: 'depose' });
    this.#edit();
  }
}
