import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Claims } from '../sync/claims.ts';
import type { Desired } from '../sync/desired.ts';
import type { ObjectWriter } from '../sync/writer.ts';
import { OBJECT_GONE, type DriftedField } from './explain.ts';
import { Fights } from './fights.ts';
import type { SourceDesk } from './source-desk.ts';

export interface RepairsDeps {
  claims: Claims;
  writer: ObjectWriter;
  desk: SourceDesk;
  clock: Clock;
  /** 0 ≤ x < 1. */
  random: () => number;
  signal: AbortSignal;
}

/** A repair that a fight holds back. */
interface HeldBack {
  fields: DriftedField[];
  /** The fields that were counted for it. */
  contested: ReadonlySet<string>;
  arrivedAt: number;
  dueAt: number;
  cancel: () => void;
}

/** What is told when somebody took the whole object from us and left every value as it is. */
const OWNERSHIP_CLEARED: DriftedField = {
  path: '/metadata/managedFields',
  declared: undefined,
  live: undefined,
  operation: 'Removed',
};

/** Puts back what was found to differ, by one apply: at once, or more and more slowly in a fight. */
export class Repairs {
  readonly #deps: RepairsDeps;
  readonly #answered: (source: string, desired: Desired, answer: KubeObject) => void;
  readonly #fights: Fights;
  readonly #heldBack = new Map<string, HeldBack>();

  /** `answered` hears the server's answer to each repair. */
  constructor(deps: RepairsDeps, answered: (source: string, desired: Desired, answer: KubeObject) => void) {
    this.#deps = deps;
    this.#answered = answered;
    const { clock, random, claims, desk } = deps;
    const onOver = (key: string) => {
      const source = claims.holder(key);
      if (source !== undefined) desk.fightOver(source, key);
    };
    this.#fights = new Fights({ clock, random, onOver });
  }

  /** These fields differ; `arrivedAt` is when that was heard, in the clock's monotonic milliseconds. */
  correct(source: string, desired: Desired, fields: DriftedField[], arrivedAt: number): void {
    const { desk } = this.#deps;
    const order = desk.order(source);
    if (!order) return;
    const found = fields.length > 0 ? fields : [OWNERSHIP_CLEARED];
    if (order.mode === 'Heal') return this.#contest(source, desired, found, arrivedAt);
    // Whoever sets the values back by hand owns the fields then; nothing differs from Git all the same.
    if (fields.length > 0 && fields.every(isRestored)) return desk.inSync(source, desired.key, false);
    this.#leave(source, desired, found);
  }

  /** The object is as declared. In a fight that is only so until the next change: whether it holds is told when it is over. */
  inSync(source: string, key: string, rewritten: boolean): void {
    this.#heldBack.get(key)?.cancel();
    this.#heldBack.delete(key);
    if (this.#fights.isFought(key)) this.#fights.repaired(key);
    else this.#deps.desk.inSync(source, key, rewritten);
  }

  /** The object was written, by a repair or by a run of its source. */
  done(key: string): void {
    // Undone already before the answer was read.
    if (!this.#heldBack.has(key)) this.#fights.repaired(key);
  }

  /** Repairs at once, unless every field that was changed is fought over and has used up its allowance. */
  #contest(source: string, desired: Desired, fields: DriftedField[], arrivedAt: number): void {
    const { desk, clock } = this.#deps;
    const { key } = desired;
    const before = this.#heldBack.get(key);
    const contested = new Set(fields.map(({ path }) => path));
    // While a repair is held back, the fields that it is held back for count once; another one may hurry it on.
    const fresh = [...contested].filter((path) => !before?.contested.has(path));
    if (before && fresh.length === 0) return void (before.fields = fields);
    const delayMs = this.#fights.changed(key, fresh, arrivedAt);
    const rated = this.#rated(key, fields);
    const isFight = rated.some(({ rate }) => rate !== undefined);
    desk.drifted({ source, desired, fields: rated, state: isFight ? 'NotHolding' : 'Found' });
    before?.cancel();
    this.#heldBack.delete(key);
    if (delayMs === 0) return void this.#repair(source, key, fields, arrivedAt);
    const dueAt = Math.min(before?.dueAt ?? Infinity, arrivedAt + delayMs);
    const cancel = clock.after(dueAt - arrivedAt, () => {
      const due = this.#heldBack.get(key);
      this.#heldBack.delete(key);
      void this.#repair(source, key, due?.fields ?? fields, arrivedAt);
    });
    this.#heldBack.set(key, { fields, contested, arrivedAt, dueAt, cancel });
  }

  #rated(key: string, fields: readonly DriftedField[]): DriftedField[] {
    return fields.map((field) => {
      const rate = this.#fights.rate(key, field.path);
      return rate === undefined ? field : { ...field, rate };
    });
  }

  /** The source does not want it put back (any more). */
  #leave(source: string, desired: Desired, fields: DriftedField[]): void {
    this.#fights.forget(desired.key);
    this.#deps.desk.drifted({ source, desired, fields, state: 'Reported' });
  }

  async #repair(source: string, key: string, fields: DriftedField[], arrivedAt: number): Promise<void> {
    const { claims, desk, writer, clock, signal } = this.#deps;
    const desired = claims.desired(key);
    const order = desk.order(source);
    if (signal.aborted || !order || !desired || claims.holder(key) !== source) return;
    if (order.mode === 'Report') return this.#leave(source, desired, fields);
    try {
      const absent = fields[0] === OBJECT_GONE;
      const { action, object } = await writer.apply(order.actor, desired, { absent, signal });
      const state = action === 'created' ? 'Recreated' : 'Healed';
      desk.drifted({ source, desired, fields: this.#rated(key, fields), state, healMs: clock.elapsed() - arrivedAt });
      if (object) this.#answered(source, desired, object);
    } catch (error) {
      if (!signal.aborted) desk.failed(source, desired, error);
    }
  }
}

function isRestored({ declared, live }: DriftedField): boolean {
  return isDeepStrictEqual(declared, live);
}
