import type { Finding } from '../edge/finding.ts';
import { involvedIn, verdictOf, type Verdict } from '../edge/verdict.ts';
import { identityKey, type Identity } from '../kube/object.ts';
import type { Desired } from '../sync/desired.ts';
import type { Candidate } from './candidate.ts';
import { demandOf, type Gateway } from './gateways.ts';
import { companiesOf, type Stopped } from './company.ts';
import type { EdgeJudgements, Judged, View } from './judgements.ts';
import { mattersToEdge, servedBy, type EdgeWorld } from './world.ts';

/** A gateway lets pass what it would have stopped. */
export interface Overridden {
  readonly candidate: Candidate;
  readonly policy: string;
  readonly reason: string;
  readonly by: readonly Finding[];
}

interface Tried {
  /** Of the world in which it was tried: by now it may be another one. */
  readonly version: number;
}

/** The candidates may be applied, all of them. */
export interface Passed extends Tried {
  readonly kind: 'passed';
  readonly group: readonly Candidate[];
  readonly granted: ReadonlyMap<string, Desired[]>;
  /** By source. */
  readonly first: Map<string, readonly Identity[]>;
  readonly overridden: Overridden[];
  /** What the edge is when the candidates are applied and nothing is pruned yet. */
  readonly present: Map<Gateway, Judged>;
}

/** `policy`: the EdgePolicy of the gateway that it would hurt, if there is one. */
export type Trial = Passed | (Tried & Verdict<Identity> & { kind: 'blocked'; readonly policy: string | undefined });

const MAX_ATTEMPTS = 3;

/** The edge around a change. */
interface Question {
  readonly before: Judged;
  readonly after: Judged;
  readonly moment: Judged | undefined;
}

/** Tries candidates out, alone or several together: what the edge would be with them, and whether that may be. Nobody is let in. */
export class EdgeTrials {
  readonly #world: EdgeWorld;
  readonly #judgements: EdgeJudgements;
  readonly #gateways: () => readonly Gateway[];
  /** By Desired list: of an unchanged revision nothing is looked through twice. */
  readonly #relevant = new WeakMap<readonly Desired[], readonly Desired[]>();

  constructor(deps: { world: EdgeWorld; judgements: EdgeJudgements; gateways: () => readonly Gateway[] }) {
    this.#world = deps.world;
    this.#judgements = deps.judgements;
    this.#gateways = deps.gateways;
  }

  /** Of what a revision declares: what matters to the edge. */
  relevantOf(desired: readonly Desired[]): readonly Desired[] {
    let relevant = this.#relevant.get(desired);
    if (!relevant) this.#relevant.set(desired, (relevant = desired.filter(mattersToEdge)));
    return relevant;
  }

  /** The candidate without any other. Before it is stopped, Secrets that it lacks are read again. */
  async alone(candidate: Candidate, signal: AbortSignal): Promise<Trial> {
    const trial = await this.#of([candidate], signal);
    return trial.kind === 'blocked' && this.#judgements.doubt() ? this.#of([candidate], signal) : trial;
  }

  /** With whom of `others`, which wait like it, the candidate passes that does not pass alone; undefined: with nobody. */
  async inCompany(stopped: Stopped, others: readonly Stopped[], signal: AbortSignal): Promise<Passed | undefined> {
    for (const group of companiesOf(stopped, others)) {
      const trial = await this.#of(group, signal);
      if (trial.kind === 'passed') return trial;
    }
    return undefined;
  }

  /**
   * Of what a source prunes when it has everything that it declares: what keeps one of `others` from passing, if that would
   * pass then. Nobody may be hurt when this goes before all else.
   */
  async inTheWay(owner: Candidate, others: readonly Stopped[], signal: AbortSignal): Promise<readonly Identity[]> {
    const everything = (desired: readonly Desired[]) => desired.filter(({ key }) => !owner.barred.has(key));
    for (const stopped of others) {
      const leaving = involvedIn(stopped.by, owner.pruned());
      if (leaving.length === 0) continue;
      const sooner = await this.#of([{ ...owner, pruned: () => leaving }], signal);
      if (sooner.kind === 'blocked') continue;
      // Beside all that its owner declares: a route that only gets another name must not be lost to somebody else.
      const whole = { ...owner, pruned: () => leaving, grantable: everything };
      const company = [...others.filter((other) => other !== stopped), { candidate: whole, by: [] }];
      const together = await this.inCompany(stopped, company, signal);
      if (together?.group.includes(whole)) return leaving;
    }
    return [];
  }

  async #of(group: readonly Candidate[], signal: AbortSignal): Promise<Trial> {
    for (let attempt = 1; ; attempt += 1) {
      const trial = await this.#once(group, signal);
      // Something changed while Secrets were read.
      if (trial.version === this.#world.version || attempt === MAX_ATTEMPTS) return trial;
    }
  }

  async #once(group: readonly Candidate[], signal: AbortSignal): Promise<Trial> {
    const { version } = this.#world;
    const granted = new Map(group.map((one) => [one.source, one.grantable(this.relevantOf(one.desired))]));
    const prunedOf = new Map(group.map((one) => [one.source, one.pruned()]));
    const pruned = [...prunedOf.values()].flat();
    const gone = new Set(pruned.map(identityKey));
    const served = group.flatMap(({ desired }) => servedBy(desired));
    const after: View = { candidates: granted, pruned: gone, served };
    const moment: View | undefined = pruned.length > 0 ? { ...after, pruned: new Set() } : undefined;
    const trial: Passed = {
      kind: 'passed',
      version,
      group,
      granted,
      first: new Map(),
      overridden: [],
      present: new Map(),
    };
    for (const gateway of this.#gateways()) {
      // Sources that ask for the same are judged by the same.
      const byFloor = new Map<string, Question>();
      for (const one of group) {
        const { mode, threshold, guard } = demandOf(gateway, one.edge);
        if (mode === 'Off') continue;
        const judged = byFloor.get(guard.tlsFloor) ?? {
          before: await this.#judgements.present(gateway, guard, signal),
          after: await this.#judgements.of(gateway, guard, after, signal),
          moment: moment && (await this.#judgements.of(gateway, guard, moment, signal)),
        };
        byFloor.set(guard.tlsFloor, judged);
        const sources = group.map(({ source }) => source);
        let verdict = verdictOf({ ...judged, pruned, threshold, sources });
        if (verdict.kind === 'blocked') {
          if (!override(trial, gateway, one, verdict)) return { ...verdict, version, policy: gateway.policy };
          // As if it had been there before: what the moment before the prune would add to it goes first all the same.
          const findings = [...judged.before.findings, ...verdict.by];
          const before = { ...judged.before, findings };
          verdict = verdictOf({ ...judged, before, pruned, threshold, sources });
        }
        if (verdict.kind === 'passed') goFirst(trial, verdict.first, prunedOf);
        if (guard === gateway.guard) trial.present.set(gateway, judged.moment ?? judged.after);
      }
    }
    return trial;
  }
}

function override(
  { overridden }: Passed,
  { policy, overrides }: Gateway,
  candidate: Candidate,
  { by }: Verdict & { kind: 'blocked' },
): boolean {
  const found = overrides.find(({ source, commit }) => source === candidate.source && commit === candidate.commit);
  if (!found || policy === undefined) return false;
  overridden.push({ candidate, policy, reason: found.reason, by });
  return true;
}

/** Of what must go before anything is applied, each source deletes what is its own. */
function goFirst(
  { first }: Passed,
  objects: readonly Identity[],
  prunedOf: ReadonlyMap<string, readonly Identity[]>,
): void {
  const wanted = new Set(objects);
  for (const [source, pruned] of prunedOf)
    first.set(source, [...new Set([...(first.get(source) ?? []), ...pruned.filter((object) => wanted.has(object))])]);
}
