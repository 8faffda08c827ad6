// What happens in each round of a fault run: a pure function of the seed.
import { Random } from '../random.ts';
import { SOURCES, stolen, type Key, type SourceName } from './declared.ts';
import { Ledger } from './ledger.ts';
import { anyFault, killAtRequest } from './mishaps.ts';
import { Pushes } from './pushes.ts';
import { ADDITIONS, EDITS, type Action, type Edit, type Round, type Step } from './steps.ts';

const WEIGHTS = {
  push: 24,
  edit: 22,
  addition: 6,
  collide: 6,
  break: 3,
  suspend: 3,
  report: 3,
  request: 3,
  recreate: 3,
  rotate: 3,
  kill: 10,
  killAt: 10,
  fault: 52,
};

/**
 * The rounds of one world, in order; the same seed gives the same ones. A round begins in peace: what a source is told then, it
 * is known to have heard. Then anything happens, and at the end what was held back is let through, or not yet.
 */
export class Schedule {
  readonly #random: Random;
  readonly #options: { restarts: boolean; replicas: boolean };
  readonly #ledger = new Ledger();
  readonly #pushes: Pushes;
  #steps: Step[] = [];
  #kept = new Set<Key>();
  /** Sources whose drift is certainly prevented, and objects whose declared fields are certainly ours. */
  #guarded = new Set<SourceName>();
  #untouched = new Set<Key>();
  readonly #unproven = new Set<Key>();
  /** Of these, those whose last revision may be lost, or whose source may be a new one. */
  readonly #forsaken = new Set<Key>();
  /** In this round, made anew or pushed to: what they declare may not stand yet. */
  #recreated = new Set<SourceName>();
  #pushed = new Set<SourceName>();

  /** `restarts`: it may restart the API server (of all worlds). `replicas`: it has two, and may depose the leader. */
  constructor(seed: number, options: { restarts: boolean; replicas: boolean }) {
    this.#random = new Random(seed);
    this.#options = options;
    this.#pushes = new Pushes(this.#random, this.#ledger);
  }

  next(): Round {
    const random = this.#random;
    this.#steps = [];
    this.#pushes.begin();
    this.#kept = new Set(SOURCES.flatMap((source) => this.#ledger.settled(source)));
    this.#recreated = new Set();
    this.#pushed = new Set();
    this.#untouched = new Set(this.#kept);
    this.#guarded = new Set(SOURCES.filter((source) => this.#ledger.of(source).mode === 'Prevent'));
    // The first round has nothing yet.
    if (this.#kept.size > 0) this.#instruct();
    else this.#push();
    const count = 3 + random.below(6);
    for (let index = 0; index < count; index += 1) this.#one(random.weighted(WEIGHTS));
    if (this.#options.restarts && random.chance(0.12)) this.#add({ do: 'restart' });
    if (this.#options.replicas && random.chance(0.25)) this.#depose();
    // Whatever was broken is mended, and something new to apply stands at the end of most rounds.
    if (random.chance(0.7) || this.#steps.some((step) => step.do === 'break')) this.#push();
    this.#letThrough();
    const isForsaking = (step: Step) => step.do === 'recreate' || (step.do === 'push' && step.how === 'forget');
    const isUnproven = (step: Step) => step.do === 'edit' && step.how === 'unproven';
    if (this.#steps.some(isForsaking))
      for (const step of this.#steps.filter(isUnproven)) this.#forsaken.add((step as Edit).key);
    return {
      steps: this.#steps,
      standings: this.#ledger.standings(),
      kept: this.#kept,
      unproven: this.#unproven,
      forsaken: this.#forsaken,
      never: this.#ledger.never(),
    };
  }

  #add(step: Action): void {
    const pauseMs = this.#random.chance(0.5) ? 0 : this.#random.below(500);
    this.#steps.push({ ...step, pauseMs });
  }

  /** In peace: other settings for a source or two. */
  #instruct(): void {
    const random = this.#random;
    for (const source of SOURCES) {
      const { hold, mode, foreignFields } = this.#ledger.of(source);
      if (random.chance(0.08) && hold !== 'window') this.#closeHealing(source);
      if (random.chance(0.15) && hold === undefined && this.#ledger.lag(source) === undefined) {
        const how = random.pick(['approval', 'window'] as const);
        this.#ledger.hold(source, how);
        this.#add({ do: 'hold', source, for: how });
      }
      if (random.chance(mode === 'Prevent' ? 0.3 : 0.15)) {
        if (mode === 'Prevent') this.#unguard(source);
        else this.#mode(source, 'Prevent');
      }
      if (random.chance(0.15)) {
        const policy = random.pick((['Leave', 'Report', 'Remove'] as const).filter((one) => one !== foreignFields));
        this.#ledger.set(source, { foreignFields: policy });
        this.#add({ do: 'foreign', source, policy });
      }
    }
  }

  /** Drift waits for its window, through a restart too. */
  #closeHealing(source: SourceName): void {
    const random = this.#random;
    const settled = this.#ledger.settled(source);
    if (settled.length === 0) return;
    const key = random.pick(settled);
    this.#add({ do: 'closeHealing', source });
    this.#edit(key, 'value', this.#guarded.has(source));
    if (!this.#options.replicas && random.chance(0.3)) {
      this.#add({ do: 'kill', cache: random.chance(0.3) ? 'lost' : 'kept' });
      this.#add({ do: 'start' });
    }
    this.#add({ do: 'unhealed', source, key });
    this.#add({ do: 'openHealing', source, how: random.pick(['healNow', 'open']) });
  }

  /** Nobody is refused any more, also when the source says so while no operator runs. */
  #unguard(source: SourceName): void {
    const random = this.#random;
    const isDead = !this.#options.replicas && random.chance(0.3);
    if (isDead) this.#add({ do: 'kill', cache: 'kept' });
    this.#mode(source, 'Heal');
    if (isDead) this.#add({ do: 'start' });
    const settled = this.#ledger.settled(source);
    if (settled.length > 0) this.#add({ do: 'edit', key: random.pick(settled), how: 'value', must: 'pass' });
  }

  #mode(source: SourceName, mode: 'Heal' | 'Prevent'): void {
    this.#guarded.delete(source);
    this.#ledger.set(source, { mode });
    this.#add({ do: 'mode', source, mode });
  }

  #one(what: keyof typeof WEIGHTS): void {
    const random = this.#random;
    const source = random.pick(SOURCES);
    switch (what) {
      case 'push':
        return this.#push();
      case 'collide':
        return this.#collide(source);
      case 'break':
        return this.#add({ do: 'break', source });
      case 'edit':
        return this.#anyEdit();
      case 'addition':
        return this.#edit(random.pick(this.#keys()), random.pick(ADDITIONS));
      case 'suspend':
      case 'report':
        return this.#interrupt(source, what);
      case 'request':
        return this.#add({ do: 'source', source, how: 'request' });
      case 'recreate':
        return this.#recreate(source);
      case 'rotate':
        return this.#add({ do: 'rotate', first: random.pick(['server', 'secret']) });
      case 'kill':
        this.#add({ do: 'kill', cache: random.chance(0.3) ? 'lost' : 'kept' });
        if (random.chance(0.5)) this.#one(random.pick(['edit', 'push', 'edit'] as const));
        return this.#add({ do: 'start' });
      case 'killAt':
        this.#add(killAtRequest(random));
        this.#push();
        return this.#add({ do: 'start' });
      case 'fault':
        return this.#add(anyFault(random));
    }
  }

  #push(make = () => this.#pushes.any()): void {
    const push = this.#changing(make);
    for (const [source] of [...push.put, ...push.drop]) this.#pushed.add(source);
    this.#add(push);
  }

  /**
   * What no longer stands afterwards may be deleted, even if it comes back; so may what the newest commit lacks and a later one
   * has again: when a source is opened, one before the last may pass first.
   */
  #changing<T>(change: () => T): T {
    const before = this.#ledger.standings();
    const result = change();
    for (const source of SOURCES)
      for (const key of before[source].live.keys())
        if (!this.#ledger.settled(source).includes(key)) {
          this.#kept.delete(key);
          this.#untouched.delete(key);
        }
    return result;
  }

  /** A source takes a route that certainly belongs to another one. */
  #collide(source: SourceName): void {
    const { hold } = this.#ledger.of(source);
    // What stands while the commit is stopped must be certain: of two commits, the operator may see the second one alone.
    const isUnsure = this.#recreated.has(source) || this.#pushed.has(source);
    if (hold !== undefined || this.#ledger.collision() || isUnsure) return this.#push();
    const isSettled = (other: SourceName) => this.#ledger.lag(other) === undefined && !this.#recreated.has(other);
    const routes = SOURCES.filter((other) => other !== source && isSettled(other))
      .flatMap((other) => this.#ledger.settled(other))
      .filter((key) => key.startsWith('mappings/') && this.#untouched.has(key));
    if (routes.length === 0) return this.#push();
    const route = this.#random.pick(routes);
    this.#push(() => this.#pushes.collision(source, route));
  }

  #interrupt(source: SourceName, how: 'suspend' | 'report'): void {
    const random = this.#random;
    const { mode } = this.#ledger.of(source);
    this.#guarded.delete(source);
    this.#add(how === 'suspend' ? { do: 'source', source, how } : { do: 'mode', source, mode: 'Report' });
    for (let edits = random.below(3); edits > 0; edits -= 1) this.#anyEdit();
    if (random.chance(0.3)) this.#push();
    this.#add(how === 'suspend' ? { do: 'source', source, how: 'resume' } : { do: 'mode', source, mode });
  }

  #recreate(source: SourceName): void {
    const collision = this.#ledger.collision();
    // Whose the route is would depend on who is faster.
    if (collision && [collision.thief, collision.owner].includes(source)) return this.#push();
    const deletionPolicy = this.#random.pick(['Delete', 'Orphan'] as const);
    if (deletionPolicy === 'Delete') for (const key of this.#ledger.of(source).standing.keys()) this.#kept.delete(key);
    this.#guarded.delete(source);
    this.#changing(() => this.#ledger.recreated(source));
    this.#recreated.add(source);
    this.#add({ do: 'recreate', source, deletionPolicy });
  }

  #keys(): Key[] {
    return SOURCES.flatMap((source) => [...this.#ledger.of(source).declared.keys()]);
  }

  #anyEdit(): void {
    const key = this.#random.pick(this.#keys());
    const holder = this.#ledger.holder(key);
    const isGuarded = holder !== undefined && this.#guarded.has(holder);
    this.#edit(key, this.#random.pick(EDITS), isGuarded && this.#random.chance(0.3));
  }

  #edit(key: Key, how: Edit['how'], glass = false): void {
    const holder = this.#ledger.holder(key);
    const isDeclared = !(ADDITIONS as readonly string[]).includes(how);
    const isGuarded = holder !== undefined && this.#guarded.has(holder) && this.#untouched.has(key);
    if (isDeclared && !glass && isGuarded) return this.#add({ do: 'edit', key, how, must: 'be refused' });
    // What was taken from us is anybody's, until it is healed.
    if (isDeclared) this.#untouched.delete(key);
    if (how === 'delete' || how === 'remake') this.#kept.delete(key);
    if (how === 'unproven' || how === 'remake') this.#unproven.add(key);
    this.#add({ do: 'edit', key, how, ...(glass && { glass: true as const }) });
  }

  /** The leader vanishes with a write on its way, which arrives when another one leads. */
  #depose(): void {
    this.#push();
    this.#add({ do: 'depose' });
    this.#anyEdit();
  }

  /** Nothing is pushed any more, so it is certain what is let through. Much stays as it is until a later round. */
  #letThrough(): void {
    const random = this.#random;
    const collision = this.#ledger.collision();
    if (collision?.owner && random.chance(0.4)) {
      const { thief, owner, route } = collision;
      const back = random.chance(0.5) || this.#ledger.of(owner).hold !== undefined;
      this.#push(() => (back ? this.#pushes.revert(thief, stolen(route)) : this.#pushes.giveUp(owner, route, thief)));
    }
    for (const source of SOURCES) {
      const { hold } = this.#ledger.of(source);
      if (hold === undefined || random.chance(0.5)) continue;
      const how = random.pick([hold === 'approval' ? 'approve' : 'syncNow', 'open'] as const);
      this.#changing(() => this.#ledger.letThrough(source, how === 'open'));
      this.#add({ do: 'release', source, how });
    }
  }
}
