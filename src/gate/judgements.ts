import type { Guard } from '../edge/guard.ts';
import type { Setbacks } from '../edge/setbacks.ts';
import type { Judgement } from '../edge/verdict.ts';
import { identityKey } from '../kube/object.ts';
import type { Desired } from '../sync/desired.ts';
import type { Gateway } from './gateways.ts';
import type { EdgeReaders } from './readers.ts';
import type { EdgeSecrets } from './secrets.ts';
import type { EdgeSize, Tally } from './tally.ts';
import type { EdgeThread } from './thread-client.ts';
import type { EdgeWorld, Shown } from './world.ts';

/** The edge as it is, or as it would be. */
export interface View {
  readonly candidates: ReadonlyMap<string, readonly Desired[]>;
  /** identityKeys of what is gone then. */
  readonly pruned: ReadonlySet<string>;
  /** apiVersions that the CRDs of the candidates serve. */
  readonly served: readonly string[];
}

/** What is kept of a judgement: an edge of ten thousand routes is not. */
export interface Judged extends Judgement {
  readonly size: EdgeSize;
  /** By source. */
  readonly tallies: ReadonlyMap<string, Tally>;
  /** By source: what of it does not go as declared. */
  readonly setbacks: ReadonlyMap<string, Setbacks>;
}

export type JudgedGateway = readonly [Gateway, Judged];

const AS_IT_IS: View = { candidates: new Map(), pruned: new Set(), served: [] };
/** A Secret can name the next one only through us reading it; more rounds than this mean that something is wrong. */
const MAX_ROUNDS = 4;
/** Before anybody is stopped: what was missing this long ago may be there by now. */
const DOUBT = { lackingMs: 1_000, completeMs: 60_000 };

/** Judges the edge for one gateway after the other, reading the Secrets that turn out to matter. */
export class EdgeJudgements {
  readonly #world: EdgeWorld;
  readonly #secrets: EdgeSecrets;
  readonly #readers: EdgeReaders;
  readonly #thread: EdgeThread;
  /** The edge as it is, by gateway, until the world moves on. */
  readonly #present = new Map<string, { version: number; gateway: Gateway; judged: Judged }>();
  #asked = new Set<string>();
  #askers = new Set<string>();

  constructor(deps: { world: EdgeWorld; secrets: EdgeSecrets; readers: EdgeReaders; thread: EdgeThread }) {
    this.#world = deps.world;
    this.#secrets = deps.secrets;
    this.#readers = deps.readers;
    this.#thread = deps.thread;
  }

  /** The edge as it is, by the gateway's own rules or stricter ones. */
  async present(gateway: Gateway, guard: Guard, signal: AbortSignal): Promise<Judged> {
    if (guard !== gateway.guard) return this.of(gateway, guard, AS_IT_IS, signal);
    const known = this.#present.get(gateway.settings.ambassadorId);
    const { version } = this.#world;
    if (known?.version === version && known.gateway === gateway) return known.judged;
    const judged = await this.of(gateway, guard, AS_IT_IS, signal);
    this.#present.set(gateway.settings.ambassadorId, { version, gateway, judged });
    return judged;
  }

  /** What was judged as a possibility has become the present. */
  became(gateway: Gateway, judged: Judged): void {
    this.#present.set(gateway.settings.ambassadorId, { version: this.#world.version, gateway, judged });
  }

  async of(gateway: Gateway, guard: Guard, view: View, signal: AbortSignal): Promise<Judged> {
    const show = (shown: Shown) => this.#world.show(shown, view.candidates, view.pruned);
    for (let round = 1; ; round += 1) {
      const secrets = this.#secrets.shapes(({ namespace, name }) => {
        return !view.pruned.has(identityKey({ group: '', kind: 'Secret', namespace, name }));
      });
      const { asked, askers, ...judged } = await this.#thread.ask(
        {
          show,
          secrets,
          readers: this.#readers.admitted(),
          settings: gateway.settings,
          guard: this.#serving(guard, view),
        },
        signal,
      );
      for (const key of asked) this.#asked.add(key);
      const unread = [...asked].filter((key) => !this.#secrets.has(key));
      const unknown = [...askers].filter((key) => !this.#readers.has(key));
      for (const key of askers) this.#askers.add(key);
      if ((unread.length === 0 && unknown.length === 0) || round === MAX_ROUNDS) return judged;
      await this.#secrets.read(unread, signal);
      await this.#readers.review(unknown, signal);
    }
  }

  /** What a commit brings in a version of its own CRDs is as good as served: they are applied first. */
  #serving(guard: Guard, { served }: View): Guard {
    const ours = [...this.#world.served, ...served];
    if (!guard.servedVersions || ours.length === 0) return guard;
    return { ...guard, servedVersions: new Set([...guard.servedVersions, ...ours]) };
  }

  /** Somebody is about to be stopped: is there something that should be read again first? */
  doubt(): boolean {
    const doubted = this.#secrets.doubt(this.#asked, DOUBT);
    if (doubted) this.#present.clear();
    return doubted;
  }

  /** Does something rest on a Secret that is not there, or not as Emissary could load it? */
  get lacksSecrets(): boolean {
    return this.#secrets.lacksAny;
  }

  /** Looks for these Secrets again. True: what was judged by them is out of date. */
  async seekSecrets(signal: AbortSignal): Promise<boolean> {
    const found = await this.#secrets.seek(signal);
    if (found) this.#world.version += 1;
    return found;
  }

  /** Forgets the Secrets that nobody asked for since the last call. */
  sweep(): void {
    this.#secrets.keep(this.#asked);
    this.#readers.keep(this.#askers);
    this.#asked = new Set();
    this.#askers = new Set();
  }
}
