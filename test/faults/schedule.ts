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
  /** In this round, made anew, or let through by that: what they declare may not stand yet. */
  #recreated = new Set<SourceName>();
  #suspended = new Set<SourceName>();
  /** In this round, from where to where. */
  readonly #moved = new Map<Key, SourceName[]>();
  #restarts = false;

  /** `restarts`: it may restart the API server (of all worlds). `replicas`: it has two, and may depose the leader. */
  constructor(seed: number, options: { restarts: boolean; replicas: boolean }) {
    this.#random = new Random(seed);
    this.#options = options;
    const isMovable = (key: Key, heir: SourceName) => this.#untouched.has(key) && this.#isSteady(heir);
    this.#pushes = new Pushes(this.#random, this.#ledger, isMovable);
  }

  next(): Round {
    const random = this.#random;
    this.#steps = [];
    const settled = SOURCES.flatMap((source) => this.#ledger.settled(source));
    const standing = SOURCES.flatMap((source) => [...this.#ledger.of(source).standing.keys()]);
    const left = SOURCES.flatMap((source) => [...this.#ledger.of(source).left]);
    this.#kept = new Set([...settled, ...left, ...standing.filter((key) => this.#isMoving(key))]);
    this.#recreated = new Set();
    this.#suspended = new Set();
    this.#moved.clear();
    this.#restarts = this.#options.restarts && random.chance(0.12);
    this.#untouched = new Set(settled);
    this.#guarded = new Set(SOURCES.filter((source) => this.#ledger.of(source).mode === 'Prevent'));
    // The first round has nothing yet.
    const isFirst = this.#kept.size === 0;
    if (!isFirst) this.#instruct();
    this.#pushes.begin();
    if (isFirst) this.#push();
    const count = 3 + random.below(6);
    for (let index = 0; index < count; index += 1) this.#one(random.weighted(WEIGHTS));
    if (this.#restarts) this.#add({ do: 'restart' });
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
      if (random.chance(0.4)) this.#depend(source);
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

  /**
   * While nothing is held back, so that it is certain what stands. Never on one of another repository that depends on its like
   * itself: whether that knows, when it has nothing new to apply, would be chance.
   */
  #depend(source: SourceName): void {
    const { dependsOn } = this.#ledger.of(source);
    const isFit = (on: SourceName) =>
      [on, source, ...this.#ledger.dependencies(on)].every((one) => this.#ledger.lag(one) === undefined) &&
      on !== source &&
      !this.#ledger.dependencies(on).includes(source) &&
      !(on === 'c' && this.#ledger.of('c').dependsOn) &&
      !(source === 'c' && this.#ledger.dependents('c').length > 0);
    const fit = SOURCES.filter(isFit);
    if (dependsOn || fit.length === 0) return;
    const on = this.#random.pick(fit);
    this.#ledger.depend(source, on);
    this.#add({ do: 'depend', source, on });
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
        return this.#break(source);
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
    const homes = new Map([...this.#kept].map((key) => [key, this.#ledger.holder(key)]));
    const push = this.#changing(make);
    for (const [key, from] of homes) {
      const to = this.#ledger.holder(key);
      if (from && to && from !== to) this.#moved.set(key, [from, to, ...(this.#moved.get(key) ?? [])]);
    }
    // What has to start anew may not have read in time where it moves to.
    for (const source of SOURCES) if (!this.#isSteady(source)) this.#unmoved(source);
    this.#add(push);
  }

  /** Will it surely read within half a minute what moves to it? */
  #isSteady(source: SourceName): boolean {
    return !this.#restarts && !this.#suspended.has(source) && !this.#recreated.has(source);
  }

  /** What moves from or to this source may be deleted and made anew. */
  #unmoved(source: SourceName): void {
    for (const [key, homes] of this.#moved) if (homes.includes(source)) this.#kept.delete(key);
  }

  /** What moves to one that cannot read its newest commit is not waited for. */
  #break(source: SourceName): void {
    if (this.#ledger.isHeir(source)) return this.#push();
    this.#unmoved(source);
    this.#add({ do: 'break', source });
  }

  /**
   * What no longer stands afterwards may be deleted, even if it comes back; so may what the newest commit lacks and a later one
   * has again: when a source is opened, one before the last may pass first. What moves within a commit is not deleted.
   */
  #changing<T>(change: () => T): T {
    const before = this.#ledger.standings();
    const result = change();
    const stays = new Set(SOURCES.flatMap((source) => this.#ledger.settled(source)));
    const left = new Set(SOURCES.flatMap((source) => [...this.#ledger.of(source).left]));
    for (const source of SOURCES) {
      const settled = new Set(this.#ledger.settled(source));
      for (const key of [...before[source].live.keys(), ...before[source].left]) {
        if (!settled.has(key)) this.#untouched.delete(key);
        if (!stays.has(key) && !left.has(key) && !this.#isMoving(key)) this.#kept.delete(key);
      }
    }
    return result;
  }

  /** Has it been declared by another source than the one that still has it, which waits for that one? */
  #isMoving(key: Key): boolean {
    const accounts = SOURCES.map((source) => this.#ledger.of(source));
    return accounts.some(({ standing }) => standing.has(key)) && accounts.some(({ declared }) => declared.has(key));
  }

  /** A source takes a route that certainly belongs to another one. */
  #collide(source: SourceName): void {
    const { hold } = this.#ledger.of(source);
    // What stands while the commit is stopped must be certain: of two commits, the operator may see the second one alone.
    const isUnsure = this.#recreated.has(source) || !this.#pushes.isSure(source);
    const isHeld = hold !== undefined || this.#ledger.lag(source) !== undefined;
    if (isHeld || this.#ledger.collision() || isUnsure) return this.#push();
    const isSettled = (other: SourceName) => this.#ledger.lag(other) === undefined && !this.#recreated.has(other);
    const routes = SOURCES.filter((other) => other !== source && isSettled(other))
      .flatMap((other) => this.#ledger.settled(other))
      .filter((key) => key.startsWith('mappings/') && this.#untouched.has(key));
    if (routes.length === 0) return this.#push();
    const route = this.#random.pick(routes);
    this.#push(() => this.#pushes.collision(source, route));
  }

  #interrupt(source: SourceName, wish: 'suspend' | 'report'): void {
    const random = this.#random;
    const { mode, hold } = this.#ledger.of(source);
    // A suspended source holds nobody back, and is not waited for.
    const isHeld = hold !== undefined || this.#ledger.lag(source) !== undefined;
    const isAwaited = this.#ledger.isHeir(source) || (isHeld && this.#ledger.dependents(source).length > 0);
    const how = isAwaited ? 'report' : wish;
    if (how === 'suspend') {
      this.#suspended.add(source);
      this.#unmoved(source);
    }
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
    if (this.#ledger.isParty(source)) return this.#push();
    const deletionPolicy = this.#random.pick(['Delete', 'Orphan'] as const);
    if (deletionPolicy === 'Delete') for (const key of this.#ledger.of(source).standing.keys()) this.#kept.delete(key);
    this.#guarded.delete(source);
    for (const one of [source, ...this.#ledger.dependents(source)]) this.#recreated.add(one);
    this.#unmoved(source);
    this.#changing(() => this.#ledger.recreated(source));
    this.#add({ do: 'recreate', source, deletionPolicy });
  }

  #keys(): Key[] {
    const left = new Set(SOURCES.flatMap((source) => [...this.#ledger.of(source).left]));
    const keys = SOURCES.flatMap((source) => [...this.#ledger.of(source).declared.keys()]);
    // What nobody enforces would stay as it is edited.
    return keys.filter((key) => !left.has(key));
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
      const isHeld = this.#ledger.of(owner).hold !== undefined || this.#ledger.lag(owner) !== undefined;
      const back = random.chance(0.5) || isHeld;
      this.#push(() => (back ? this.#pushes.revert(thief, stolen(route)) : this.#pushes.giveUp(owner, route, thief)));
    }
    for (const source of SOURCES) {
      const { hold, dependsOn } = this.#ledger.of(source);
      if (dependsOn && random.chance(0.1)) {
        this.#changing(() => this.#ledger.depend(source, undefined));
        this.#add({ do: 'depend', source, on: undefined });
      }
      // What waits for another source is not there yet to be let through.
      if (hold === undefined || this.#ledger.lag(source) === 'DependencyNotReady' || random.chance(0.5)) continue;
      const how = random.pick([hold === 'approval' ? 'approve' : 'syncNow', 'open'] as const);
      this.#changing(() => this.#ledger.letThrough(source, how === 'open'));
      this.#add({ do: 'release', source, how });
    }
  }
}
