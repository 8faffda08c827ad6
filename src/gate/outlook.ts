import type { GitOpsSourceSpec } from '../api/source.ts';
import type { Clock } from '../clock.ts';
import type { Turnstile } from '../concurrency/turnstile.ts';
import type { Log } from '../report/log.ts';
import { demandOf, type Gateway } from './gateways.ts';
import type { EdgeJudgements, Judged, JudgedGateway } from './judgements.ts';
import { reportOf, type EdgeReport } from './report.ts';
import type { EdgeWorld } from './world.ts';

export interface EdgeOutlookDeps {
  world: EdgeWorld;
  judgements: EdgeJudgements;
  /** Shared with the verdicts: nobody is let in while the edge is looked at. */
  turn: Turnstile;
  gateways: () => readonly Gateway[];
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** How strictly the source wants to be judged; undefined: there is no such source, or it is malformed. */
  edgeOf: (source: string) => GitOpsSourceSpec['edge'] | undefined;
  /** What the edge looks like from the source's side has changed; null: it has nothing there, or asks for no judgement. */
  told: (source: string, report: EdgeReport | null) => void;
  /** The edge was looked at; nothing is judged where there are no policies. */
  looked: (gateways: readonly Gateway[], judged: readonly JudgedGateway[]) => void;
}

/** Several changes in a row are looked at once. */
const SETTLE_MS = 500;
/** Secrets that nobody names any more are remembered this long. */
const SWEEP_MS = 30_000;
/** Secrets are not watched: those that somebody waits for are looked for so often, as long as there are any. */
const SEEK_MS = 15_000;
/** An edge that could not be judged is looked at again after this, or after so many times as long as it kept the verdicts waiting. */
const AGAIN = { ms: 15_000, factor: 5 };

/** How the edge stands as it is: looked at after each change of it, and told to each source from its side. */
export class EdgeOutlook {
  readonly #deps: EdgeOutlookDeps;
  /** What each source was told last, as JSON. */
  readonly #told = new Map<string, string>();
  #isDue = false;
  #sweep: (() => void) | undefined;
  #seek: (() => void) | undefined;
  #again: (() => void) | undefined;

  constructor(deps: EdgeOutlookDeps) {
    this.#deps = deps;
  }

  /** Something changed, on the edge or in what somebody asks of it. */
  lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const { clock, turn, signal } = this.#deps;
    clock.after(SETTLE_MS, () => {
      this.#isDue = false;
      this.#again?.();
      // Only aborted it rejects.
      turn.pass(signal, () => this.#lookOrAgain(signal)).catch(() => undefined);
    });
  }

  /** Nobody is told anything, and nobody who was stopped is woken, until the edge has been judged. */
  async #lookOrAgain(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const startedAt = clock.elapsed();
    try {
      await this.#look(signal);
    } catch (error) {
      signal.throwIfAborted();
      log.error({ error }, 'the edge could not be judged; trying again');
      const afterMs = Math.max(AGAIN.ms, AGAIN.factor * (clock.elapsed() - startedAt));
      this.#again?.();
      this.#again = clock.after(afterMs, () => this.lookSoon());
    }
  }

  /** Tells the source how the edge stands by the gateways' own rules. Who asks for more is told when it is looked at. */
  tell(source: string, judged: readonly JudgedGateway[]): void {
    const { gateways, edgeOf } = this.#deps;
    const edge = edgeOf(source);
    const asksForMore = edge && gateways().some((gateway) => demandOf(gateway, edge).guard !== gateway.guard);
    if (!asksForMore) this.#say(source, judged);
  }

  /** If that is news to it. */
  #say(source: string, judged: readonly JudgedGateway[]): void {
    const { world, edgeOf, told } = this.#deps;
    const edge = edgeOf(source);
    const wanted = judged.filter(([gateway]) => edge && demandOf(gateway, edge).mode !== 'Off').map(([, one]) => one);
    const isThere = wanted.length > 0 && world.has(source);
    const report = isThere ? reportOf(source, wanted) : null;
    const text = JSON.stringify(report);
    if (this.#told.get(source) === text) return;
    this.#told.set(source, text);
    told(source, report);
  }

  /** The source is gone. */
  forget(source: string): void {
    this.#told.delete(source);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { world, judgements, looked } = this.#deps;
    const gateways = this.#deps.gateways();
    const judged: JudgedGateway[] = [];
    if (world.hasPolicies)
      for (const gateway of gateways) judged.push([gateway, await judgements.present(gateway, gateway.guard, signal)]);
    const byFloor = new Map<string, Judged>();
    for (const source of world.sources()) this.#say(source, await this.#asAskedBy(source, judged, byFloor, signal));
    looked(gateways, judged);
    this.#sweepLater();
    this.#seekLater();
  }

  /** The edges by the rules that the source is judged by. `byFloor`: what was judged by those of sources that ask for more. */
  async #asAskedBy(
    source: string,
    judged: readonly JudgedGateway[],
    byFloor: Map<string, Judged>,
    signal: AbortSignal,
  ): Promise<readonly JudgedGateway[]> {
    const { judgements, edgeOf } = this.#deps;
    const edge = edgeOf(source);
    if (edge?.tlsFloor === undefined) return judged;
    const edges: JudgedGateway[] = [];
    for (const [gateway, one] of judged) {
      const { mode, guard } = demandOf(gateway, edge);
      const floor = `${guard.tlsFloor} ${gateway.settings.ambassadorId}`;
      let asked = guard === gateway.guard || mode === 'Off' ? one : byFloor.get(floor);
      if (!asked) byFloor.set(floor, (asked = await judgements.present(gateway, guard, signal)));
      edges.push([gateway, asked]);
    }
    return edges;
  }

  #sweepLater(): void {
    this.#sweep?.();
    this.#sweep = this.#deps.clock.after(SWEEP_MS, () => {
      this.#sweep = undefined;
      this.#deps.judgements.sweep();
    });
  }

  #seekLater(): void {
    this.#seek?.();
    this.#seek = undefined;
    const { judgements, signal, log, clock } = this.#deps;
    if (!judgements.lacksSecrets) return;
    this.#seek = clock.after(SEEK_MS, () => {
      judgements
        .seekSecrets(signal)
        .then((found) => (found ? this.lookSoon() : this.#seekLater()))
        .catch((error: unknown) => {
          if (signal.aborted) return;
          log.warn({ error }, 'the Secrets that the edge lacks cannot be looked for; trying again');
          this.#seekLater();
        });
    });
  }
}
