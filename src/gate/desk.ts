import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Clock } from '../clock.ts';
import { Turnstile } from '../concurrency/turnstile.ts';
import type { UnlistedKind } from '../drift/watches.ts';
import type { Finding } from '../edge/finding.ts';
import { involvedIn } from '../edge/verdict.ts';
import { PlumblineError } from '../errors.ts';
import { isForbidden } from '../kube/errors.ts';
import type { Identity } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { Log } from '../report/log.ts';
import type { Desired } from '../sync/desired.ts';
import { gatewaysOf, type Gateway } from './gateways.ts';
import { EdgeJudgements, type Judged, type JudgedGateway } from './judgements.ts';
import { EdgeOutlook } from './outlook.ts';
import { EdgePatience } from './patience.ts';
import type { PolicyListener, WatchedPolicy } from './policies.ts';
import type { PolicyStanding } from './policy-status.ts';
import type { EdgeReport } from './report.ts';
import { EdgeReaders, type MayReadSecret } from './readers.ts';
import { EdgeSecrets } from './secrets.ts';
import { EdgeStandings } from './standings.ts';
import { EdgeThread } from './thread-client.ts';
import type { Candidate } from './candidate.ts';
import type { Stopped } from './company.ts';
import { EdgeTrials, type Overridden, type Passed } from './trial.ts';
import { EdgeWaiting } from './waiting.ts';
import { EdgeWatches, POLICIES } from './watches.ts';
import { EdgeWorld, isPolicy, servedBy } from './world.ts';

export type Decision =
  /** Reserved: from here on it counts as the source's. `first` must be deleted before anything is applied. */
  | { readonly kind: 'passed'; readonly first: readonly Identity[]; readonly overridden?: readonly Overridden[] }
  | { readonly kind: 'blocked'; readonly by: readonly Finding[] };

export interface EdgeDeskDeps {
  api: KubeApi;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  isLive: (key: string) => boolean;
  /** Does the source put back what others change? */
  heals: (source: string) => boolean;
  /** Runs a source, now or after a while. */
  wake: (source: string, afterMs?: number) => void;
  /** What the edge looks like from the source's side has changed; null: it has nothing there, or asks for no judgement. */
  told: (source: string, report: EdgeReport | null) => void;
  mayRead: MayReadSecret;
  /** How strictly the source wants to be judged; undefined: there is no such source, or it is malformed. */
  edgeOf: (source: string) => GitOpsSourceSpec['edge'] | undefined;
  /** What an EdgePolicy does may have changed: see `standing`. */
  policyChanged: (policy: WatchedPolicy) => void;
  policies: PolicyListener;
}

/**
 * The gate of the edge: one for the process. It knows everything that counts on the edges, judges each new revision beside all
 * of it, one at a time, and lets those try again that were stopped when something has changed.
 */
export class EdgeDesk {
  readonly #deps: EdgeDeskDeps;
  readonly #world: EdgeWorld;
  readonly #watches: EdgeWatches;
  readonly #judgements: EdgeJudgements;
  readonly #trials: EdgeTrials;
  readonly #patience: EdgePatience;
  readonly #waiting: EdgeWaiting;
  readonly #standings = new EdgeStandings();
  readonly #outlook: EdgeOutlook;
  #gateways: { version: number; list: Gateway[] } | undefined;
  /** Verdicts are given one at a time: each rests on the one before. */
  readonly #turn = new Turnstile();

  constructor(deps: EdgeDeskDeps) {
    this.#deps = deps;
    const { api, clock, log, signal, policies } = deps;
    this.#world = new EdgeWorld(deps.isLive, deps.heals);
    this.#patience = new EdgePatience(clock);
    this.#waiting = new EdgeWaiting(clock, deps.wake);
    const onChange = () => this.#outlook.lookSoon();
    this.#watches = new EdgeWatches({ api, world: this.#world, log, signal, onChange, policies });
    this.#judgements = new EdgeJudgements({
      world: this.#world,
      secrets: new EdgeSecrets(api, clock),
      readers: new EdgeReaders(deps.mayRead, clock),
      thread: new EdgeThread(clock),
    });
    const gateways = () => this.#currentGateways();
    this.#trials = new EdgeTrials({ world: this.#world, judgements: this.#judgements, gateways });
    this.#outlook = new EdgeOutlook({
      ...deps,
      world: this.#world,
      judgements: this.#judgements,
      turn: this.#turn,
      gateways,
      looked: (...edges) => this.#looked(...edges),
    });
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  /** The server began to serve other kinds, or is known for the first time. */
  kindsChanged(): void {
    this.#watches.follow();
  }

  /** Whether the candidate may be applied; when it may, it counts from here on. Rejects when aborted. */
  async admit(candidate: Candidate, signal: AbortSignal): Promise<Decision> {
    const known = this.#known(candidate);
    if (known) this.#unblock(candidate.source);
    if (known) return known;
    if (await this.#isHarmless(candidate, signal)) return this.#reserve(candidate, []);
    const { source } = candidate;
    this.#patience.check(source);
    const decide = () => this.#decide(candidate, signal);
    return this.#turn.pass(signal, () => this.#patience.spend(source, signal, decide));
  }

  /** What would stop the candidate, alone and now. It is not let in, and stops nobody. */
  async foresee(candidate: Candidate, signal: AbortSignal): Promise<readonly Finding[]> {
    if (this.#known(candidate) || (await this.#isHarmless(candidate, signal))) return [];
    const trial = await this.#turn.pass(signal, () => this.#trials.alone(candidate, signal));
    return trial.kind === 'blocked' ? trial.by : [];
  }

  /**
   * Of what the source, which was let in, will prune: what others are stopped by who would pass if it were gone, so that it
   * may go before the source has everything that it declares.
   */
  async awaited(candidate: Candidate, signal: AbortSignal): Promise<readonly Identity[]> {
    const pruned = candidate.pruned();
    if (!this.#othersThan(candidate).some(({ by }) => involvedIn(by, pruned).length > 0)) return [];
    return this.#turn.pass(signal, () => this.#trials.inTheWay(candidate, this.#othersThan(candidate), signal));
  }

  /** Nothing on the edge is touched, or there is no edge. Throws EdgeJudgementFailed where the edge must not be looked at. */
  async #isHarmless({ source, desired }: Candidate, signal: AbortSignal): Promise<boolean> {
    const relevant = this.#trials.relevantOf(desired);
    const bringsPolicies = relevant.some(isPolicy);
    const unlisted = bringsPolicies || this.#watches.size > 0 ? await this.#watches.settled(signal) : [];
    if (relevant.length === 0 && !this.#world.has(source)) return true;
    if (!this.#world.hasPolicies && !bringsPolicies) return true;
    assertSeen(unlisted, bringsPolicies);
    return false;
  }

  /**
   * Of what the source declares: what counts only if its ServiceAccount may write it, and of which that is not known. Of a
   * revision that was let in that is what was not, and what the API server has `refused` to write since.
   */
  unreviewed(
    { source, id, desired }: Pick<Candidate, 'source' | 'id' | 'desired'>,
    refused: (object: Desired) => boolean,
  ): readonly Desired[] {
    const relevant = this.#trials.relevantOf(desired);
    if (this.#watches.size === 0 && !relevant.some(isPolicy)) return [];
    if (this.#world.admission(source)?.id !== id) return relevant;
    return [...new Set([...this.withheld({ source, desired }), ...relevant.filter(refused)])];
  }

  /** Was it let in before, so that nothing has to be asked? */
  isKnown(candidate: Candidate): boolean {
    return this.#known(candidate) !== undefined;
  }

  /** Does the source have anything on the edge? */
  has(source: string): boolean {
    return this.#world.has(source);
  }

  /** It wants nothing more for the time being. */
  withdraw(source: string): void {
    this.#unblock(source);
  }

  /**
   * The revision goes on being enforced, whatever anybody finds: it passed before. What the source could not have then, and
   * could have now, did not.
   */
  enforce(candidate: Candidate): void {
    if (this.#known(candidate)) return;
    const isFirst = this.#world.admission(candidate.source) === undefined;
    this.#reserve(candidate, [], isFirst ? { isOld: true } : { withheld: new Set(this.withheld(candidate)) });
  }

  /**
   * Whether the revision may stand while a newer one of its source is stopped, and goes on waiting: it was applied once, but nobody knows
   * whether with the settings of now. When it may, it counts from here on.
   */
  async reinstate(candidate: Candidate, signal: AbortSignal): Promise<boolean> {
    if (this.#known(candidate)) return true;
    const isHarmless = await this.#isHarmless(candidate, signal);
    const { source } = candidate;
    const mayStand = async () => {
      if (isHarmless) return true;
      const trial = await this.#trials.alone(candidate, signal);
      // What must be deleted first has to wait for the newest revision.
      return trial.kind === 'passed' && !trial.first.get(source)?.length;
    };
    return this.#turn.pass(signal, async () => {
      const may = await this.#patience.spend(source, signal, mayStand);
      if (may) this.#reserve(candidate, []);
      return may;
    });
  }

  /** Of what the source declares: what was not let in, so that it must not be applied. */
  withheld({ source, desired }: Pick<Candidate, 'source' | 'desired'>): Desired[] {
    const passed = new Set(this.#world.admission(source)?.desired.map(({ key }) => key));
    return this.#trials.relevantOf(desired).filter(({ key }) => !passed.has(key));
  }

  /** The source asks to be judged otherwise: so it is told other things, though nothing on the edge has changed. */
  demandChanged(source: string): void {
    if (this.#world.has(source)) this.#outlook.lookSoon();
  }

  /** What an EdgePolicy does at this moment. */
  standing(policy: WatchedPolicy): PolicyStanding {
    return this.#standings.of(policy, {
      gateways: this.#currentGateways(),
      blocked: this.#waiting.policies(),
      commitOf: (source) => this.#world.admission(source)?.commit,
    });
  }

  /** The source is gone. */
  forget(source: string): void {
    this.#unblock(source);
    this.#outlook.forget(source);
    this.#patience.forget(source);
    const before = this.#world.version;
    this.#world.release(source);
    if (this.#world.version !== before) this.#outlook.lookSoon();
  }

  /** It was let in before, and wants nothing more now. */
  #known({ source, id, desired, barred, grantable }: Candidate): Decision | undefined {
    const admission = this.#world.admission(source);
    if (admission?.id !== id || admission.desired.some(({ key }) => barred.has(key))) return undefined;
    const keys = new Set(admission.desired.map(({ key }) => key));
    const granted = grantable(this.#trials.relevantOf(desired));
    if (!granted.every(({ key }) => keys.has(key))) return undefined;
    return { kind: 'passed', first: admission.first };
  }

  async #decide(candidate: Candidate, signal: AbortSignal): Promise<Decision> {
    const known = this.#known(candidate);
    if (known) return known;
    const alone = await this.#trials.alone(candidate, signal);
    if (alone.kind === 'passed') return this.#let(alone, candidate);
    const stopped = { candidate, by: alone.by };
    const together = await this.#trials.inCompany(stopped, this.#othersThan(candidate), signal);
    if (together) {
      const sources = together.group.map(({ source }) => source);
      this.#deps.log.info({ sources }, 'revisions that stop each other pass together');
      return this.#let(together, candidate);
    }
    // What changes while it is tried, alone or with others, is reason to try it again.
    this.#waiting.add(stopped, alone.policy, alone.version);
    this.#policiesChanged();
    return { kind: 'blocked', by: alone.by };
  }

  /** Those that wait, and still want to. */
  #othersThan({ source }: Candidate): readonly Stopped[] {
    return this.#waiting.others(source).filter(({ candidate }) => this.#deps.edgeOf(candidate.source));
  }

  #let(trial: Passed, candidate: Candidate): Decision {
    const { group, granted, first, overridden, version } = trial;
    // What changed while it was tried is not in what was judged: that shows when the edge is looked at.
    const present = version === this.#world.version ? trial.present : new Map<Gateway, Judged>();
    for (const one of group) {
      const { source, id, commit } = one;
      this.#world.admit(source, {
        id,
        commit,
        desired: granted.get(source) ?? [],
        first: first.get(source) ?? [],
        serves: servedBy(one.desired),
      });
      this.#unblock(source);
      if (one !== candidate) this.#deps.wake(source);
    }
    for (const [gateway, judged] of present) this.#judgements.became(gateway, judged);
    // The run that asked writes a status when it ends; this saves it a second one.
    if (present.size > 0) for (const { source } of group) this.#outlook.tell(source, [...present]);
    this.#outlook.lookSoon();
    return { kind: 'passed', first: first.get(candidate.source) ?? [], overridden };
  }

  #reserve(
    { source, id, commit, desired, grantable }: Candidate,
    first: readonly Identity[],
    { withheld, isOld = false }: { withheld?: ReadonlySet<Desired>; isOld?: boolean } = {},
  ): Decision {
    const before = this.#world.version;
    const granted = grantable(this.#trials.relevantOf(desired)).filter((object) => !withheld?.has(object));
    this.#world.admit(source, { id, commit, desired: granted, first, isOld, serves: servedBy(desired) });
    if (this.#world.version !== before && this.#world.has(source)) this.#outlook.lookSoon();
    return { kind: 'passed', first };
  }

  #currentGateways(): readonly Gateway[] {
    const { policies, namespaces, servedVersions, rulesVersion: version } = this.#watches;
    if (this.#gateways?.version === version) return this.#gateways.list;
    const list = gatewaysOf(policies, namespaces).map((gateway) => ({
      ...gateway,
      guard: { ...gateway.guard, servedVersions: servedVersions.size > 0 ? servedVersions : undefined },
    }));
    this.#gateways = { version, list };
    return list;
  }

  /** The edge may be another one: those try again that were stopped, and what the policies do is counted anew. */
  #looked(gateways: readonly Gateway[], judged: readonly JudgedGateway[]): void {
    this.#standings.count(gateways, judged, this.#deps.edgeOf);
    this.#policiesChanged();
    this.#waiting.tryAgain(this.#world.version);
  }

  #unblock(source: string): void {
    if (this.#waiting.delete(source)) this.#policiesChanged();
  }

  #policiesChanged(): void {
    for (const policy of this.#watches.watchedPolicies) this.#deps.policyChanged(policy);
  }
}

/**
 * What is there and may not be looked at would be taken for an empty edge without rules: any commit would pass. Of EdgePolicies that
 * are not heard of nobody knows what they ask; another API that does not answer may wait for the webhook that the commit brings.
 */
function assertSeen(unlisted: readonly UnlistedKind[], bringsPolicies: boolean): void {
  const unseen = unlisted.find(({ kind, why }) => kind === POLICIES.kind || (bringsPolicies && isForbidden(why)));
  if (!unseen) return;
  const why = unseen.why?.message ?? `the API server does not list ${unseen.kind} yet`;
  const message = `what the edge would do cannot be worked out, because the operator does not see all of it: ${why}`;
  throw new PlumblineError('EdgeJudgementFailed', message, { cause: unseen.why });
}
