import { setTimeout as delay } from 'node:timers/promises';
import { API_VERSION } from '../api/names.ts';
import { abortable } from '../concurrency/abortable.ts';
import { KubeError } from '../kube/errors.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ApiResource } from '../kube/resource.ts';
import type { Outcome as MetricOutcome } from '../report/metrics.ts';
import { assemble, type Assembly, type ControllerInput } from './assembly.ts';
import { failRun } from './failed-run.ts';
import { reconcile } from './reconcile.ts';
import type { Source } from './source.ts';

/** Our CRD may be installed a moment after us. */
const CRD_POLL_MS = 1_000;
/** A run that ends sooner tells only how it ended: a write of its status costs the API server as much as an apply. */
const RUN_IS_LONG_MS = 3_000;
/** While there are objects to write, it may take so much longer. */
const RUN_PATIENCE_MS = 3_000;
/** While others have objects to write, the end of a run is told so much later: the health of what it applied, which follows, is told with it. */
const END_SETTLES_MS = 1_000;
/** What others wait to have applied comes before the word about what is, so long. */
const END_PATIENCE_MS = 4_000;
/** For the last status of every source, when the process is told to end. */
const LAST_WORD_MS = 3_000;

/**
 * The whole operator but for the process around it: watches sources, runs them one at a time each, and keeps what they
 * declare as it should be.
 */
export class Controller {
  readonly #input: ControllerInput;
  readonly #parts: Assembly;
  /** Ends the writing of status: at once when the lease is lost, otherwise after the last word. */
  readonly #statusEnd = new AbortController();
  #resource: ApiResource | undefined;
  #reflector: Reflector | undefined;

  constructor(input: ControllerInput) {
    this.#input = input;
    this.#parts = assemble(input, { sourceResource: () => this.#resource!, statusEnd: this.#statusEnd.signal });
  }

  get queueDepth(): number {
    return this.#parts.queue.depth;
  }

  get watchCount(): number {
    const { watches, edge, guard } = this.#parts.deps;
    return watches.size + edge.watchCount + guard.size;
  }

  /** Sources have been listed; the process is ready to serve them. */
  get isReady(): boolean {
    return this.#reflector?.hasSynced ?? false;
  }

  /** Works until the signal aborts; resolves when the last run has ended. */
  async run(): Promise<void> {
    const { signal, options, api, log } = this.#input;
    signal.addEventListener('abort', () => isLeaseLost(signal) && this.#statusEnd.abort(signal.reason), { once: true });
    this.#resource = await this.#ownResource();
    if (!this.#resource) return;
    const { queue, sources, desk, deps, policyStatus } = this.#parts;
    deps.edge.kindsChanged();
    const stopListening = api.discovery.onChange(() => {
      desk.kindsChanged();
      deps.edge.kindsChanged();
    });
    const selection = {
      resource: this.#resource,
      ...(options.watchNamespace && { namespace: options.watchNamespace }),
    };
    this.#reflector = new Reflector(api, selection, sources);
    const watching = Promise.all([this.#reflector.run(signal), deps.uninstall.run(signal)]);
    // Before all sources are known, an object of one that is listed later would look like nobody's.
    await abortable(sources.listed, signal).catch(() => undefined);
    log.info({ concurrency: options.concurrency }, 'watching sources');
    sources.takeUpGuards();
    await queue.run(options.concurrency, (key, abort) => this.#handle(key, abort), signal);
    await watching;
    stopListening();
    const writers = [deps.status, policyStatus];
    if (!isLeaseLost(signal)) await Promise.all(writers.map((writer) => writer.close(LAST_WORD_MS)));
    this.#statusEnd.abort(signal.reason);
  }

  /** Waits for our CRD; undefined when told to end before it came. */
  async #ownResource(): Promise<ApiResource | undefined> {
    const { api, signal, log } = this.#input;
    for (let waited = false; !signal.aborted; waited = true) {
      const resource = await api.discovery.resource(API_VERSION, 'GitOpsSource', signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ error }, 'the API server cannot be asked for its kinds; trying again');
      });
      if (resource) return resource;
      if (!waited) log.warn('the CRD of GitOpsSource is not installed yet; waiting for it');
      await delay(CRD_POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #handle(key: string, abort: AbortSignal): Promise<void> {
    const { clock, metrics, status, sources, isBusy } = this.#parts.deps;
    const source = sources.get(key);
    if (!source) return;
    const startedAt = clock.elapsed();
    status.changedLately(source, RUN_IS_LONG_MS, RUN_PATIENCE_MS);
    const outcome = await this.#outcome(source, AbortSignal.any([abort, this.#input.signal]));
    source.endReadAhead();
    if (outcome === undefined || sources.get(key) !== source) return;
    metrics.reconciled(key, outcome, (clock.elapsed() - startedAt) / 1000);
    if (outcome === 'done' && isBusy()) status.changedLately(source, END_SETTLES_MS, END_PATIENCE_MS);
    else status.changed(source);
  }

  /** One switch over what a run can end in; undefined: it was interrupted by something newer, or goes on later. */
  async #outcome(source: Source, signal: AbortSignal): Promise<MetricOutcome | undefined> {
    const { key, requests, attempt } = source;
    const { queue, deps } = this.#parts;
    try {
      const outcome = await reconcile(source, deps, signal);
      source.retries = 0;
      queue.forget(key);
      if (outcome.kind !== 'done') queue.addAfter(key, outcome.afterMs);
      return outcome.kind === 'unfinished' ? undefined : outcome.kind;
    } catch (error) {
      if (signal.aborted) return undefined;
      const retryMs = failRun(source, { error, requests, before: attempt }, deps, this.#input.random);
      if (retryMs === undefined) return 'terminal';
      queue.addAfter(key, retryMs);
      return 'retry';
    }
  }
}

/** Another replica may lead now: not one more write. */
function isLeaseLost({ reason }: AbortSignal): boolean {
  return reason instanceof KubeError && reason.code === 'LeaseLost';
}
