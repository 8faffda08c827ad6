import { setTimeout as delay } from 'node:timers/promises';
import { API_VERSION, NAME_LABEL } from '../api/names.ts';
import type { Clock } from '../clock.ts';
import { Healer } from '../drift/healer.ts';
import { KindWatches } from '../drift/watches.ts';
import { collectGarbage } from '../garbage.ts';
import type { Git } from '../git/remote.ts';
import { KubeError } from '../kube/errors.ts';
import { abortable } from '../concurrency/abortable.ts';
import { Quiet } from '../concurrency/quiet.ts';
import type { KubeApi } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ApiResource } from '../kube/resource.ts';
import type { EventRecorder } from '../report/event-recorder.ts';
import type { Log } from '../report/log.ts';
import type { Metrics, Outcome as MetricOutcome } from '../report/metrics.ts';
import { Claims } from '../sync/claims.ts';
import { LiveObjects } from '../sync/live.ts';
import { OwnershipScan } from '../sync/ownership-scan.ts';
import { ObjectWriter } from '../sync/writer.ts';
import { Alarms } from './alarms.ts';
import type { ControllerOptions, ReconcileDeps } from './deps.ts';
import { Desk } from './desk.ts';
import type { EdgePolicyStatus } from '../api/edge-policy-status.ts';
import { EdgeDesk } from '../gate/desk.ts';
import type { WatchedPolicy } from '../gate/policies.ts';
import { policyStatusOf } from '../gate/policy-status.ts';
import { mayReadSecret } from './edge-rights.ts';
import type { EdgeReport } from '../gate/report.ts';
import { failRun } from './failed-run.ts';
import { hasHealthTimedOut } from './health-wait.ts';
import { Guard } from '../prevent/guard.ts';
import { Poller } from './poller.ts';
import { reapplyLater } from './prevent.ts';
import { WorkQueue } from './queue.ts';
import { reconcile } from './reconcile.ts';
import type { Source } from './source.ts';
import { Sources } from './sources.ts';
import { statusOf } from './source-status.ts';
import { StatusWriter } from './status-writer.ts';
import { Uninstall } from './uninstall.ts';

export interface ControllerInput {
  api: KubeApi;
  git: Git;
  clock: Clock;
  random: () => number;
  log: Log;
  metrics: Metrics;
  events: EventRecorder;
  options: ControllerOptions & {
    /** Sources that run at the same time. */
    concurrency: number;
    /** How often a source is compared as a whole, about. */
    verifyIntervalMs: number;
    /** Only sources of this namespace; '' for all. */
    watchNamespace: string;
  };
  /** Ends everything; also when the lease is lost, after which nothing may be written. */
  signal: AbortSignal;
  /** Asked right before each write: is it certain that no other replica acts? */
  leading: () => boolean;
}

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
/** Between two writes of the status of one source. */
const QUIET_MS = 1_000;
/** Its numbers move with every commit of every source. */
const POLICY_QUIET_MS = 5_000;
/** After so long without a run none is likely to follow soon. */
const REST_MS = 20_000;
/** For the last status of every source, when the process is told to end. */
const LAST_WORD_MS = 3_000;

/**
 * The whole operator but for the process around it: watches sources, runs them one at a time each, and keeps what they
 * declare as it should be.
 */
export class Controller {
  readonly #input: ControllerInput;
  readonly #sources: Sources;
  readonly #live = new LiveObjects((source) => this.#desk.changed(source));
  readonly #claims = new Claims();
  readonly #queue: WorkQueue;
  /** By source: when a window opens that something waits for. */
  readonly #alarms: Alarms;
  readonly #desk: Desk;
  readonly #deps: ReconcileDeps;
  readonly #policyStatus: StatusWriter<EdgePolicyStatus, WatchedPolicy>;
  /** Ends the writing of status: at once when the lease is lost, otherwise after the last word. */
  readonly #statusEnd = new AbortController();
  #resource: ApiResource | undefined;
  #reflector: Reflector | undefined;

  constructor(input: ControllerInput) {
    this.#input = input;
    const { api, clock, random, signal, git, log } = input;
    this.#queue = new WorkQueue({
      clock,
      random,
      ownerOf: (key) => key.slice(0, key.indexOf('/')),
      onError: (key, error) => log.error({ source: key, error }, 'the run of a source failed unexpectedly'),
    });
    this.#alarms = new Alarms(clock, (key) => this.#queue.add(key));
    const desk = (this.#desk = new Desk(() => this.#deps));
    this.#sources = new Sources({
      deps: () => this.#deps,
      queue: this.#queue,
      alarms: this.#alarms,
      desk,
      random,
      verifyIntervalMs: input.options.verifyIntervalMs,
      signal,
    });
    const writer = new ObjectWriter({
      api,
      discovery: api.discovery,
      live: this.#live,
      holder: (key) => this.#claims.holder(key),
      onIdle: (key) => healer.settled(key),
    });
    const healer: Healer = new Healer({ live: this.#live, claims: this.#claims, writer, desk, clock, random, signal });
    const watches = new KindWatches({
      api,
      discovery: api.discovery,
      listener: healer,
      labelSelector: NAME_LABEL,
      signal,
    });
    const sourceResource = () => this.#resource!;
    this.#policyStatus = new StatusWriter({
      api,
      resource: () => api.discovery.cached(API_VERSION, 'EdgePolicy')!,
      statusOf: (policy) => policyStatusOf(policy, this.#deps.edge.standing(policy), new Date(clock.now())),
      quietMs: POLICY_QUIET_MS,
      mayWrite: input.leading,
      clock,
      signal: this.#statusEnd.signal,
      onError: ({ name }, error) => log.warn({ policy: name, error }, 'could not write the status of an EdgePolicy'),
    });
    this.#deps = {
      ...input,
      discovery: api.discovery,
      live: this.#live,
      claims: this.#claims,
      writer,
      healer,
      watches,
      poller: new Poller({ git, clock, random, signal, onChange: (source) => this.#queue.interrupt(source) }),
      status: new StatusWriter({
        api,
        resource: sourceResource,
        statusOf: (source) => this.#statusOf(source),
        quietMs: QUIET_MS,
        mayWrite: input.leading,
        isBusy: () => this.#isBusy(),
        clock,
        signal: this.#statusEnd.signal,
        onStored: (source, before) => desk.told(source, before),
        onError: (source, error) => log.warn({ source: source.key, error }, 'could not write the status'),
      }),
      quiet: new Quiet({ clock, ms: REST_MS, callback: collectGarbage, signal }),
      edge: new EdgeDesk({
        api,
        clock,
        log,
        signal,
        isLive: (key) => this.#live.get(key) !== undefined,
        heals: (key) => desk.order(key)?.mode !== 'Report',
        wake: (source, afterMs = 0) => this.#wake(source, afterMs),
        told: (key, report) => this.#edgeTold(key, report),
        mayRead: (source, secret, by) => mayReadSecret(this.#sources.byKey.get(source), secret, this.#deps, by),
        edgeOf: (source) => this.#sources.byKey.get(source)?.spec?.edge,
        policyChanged: (policy) => this.#policyStatus.changed(policy),
        policies: {
          policySeen: (policy) => this.#policyStatus.seen(policy, policy.resource),
          policyGone: (policy) => this.#policyStatus.forget(policy),
        },
      }),
      guard: new Guard({
        api,
        discovery: api.discovery,
        platform: input.options,
        disturbed: (source) => this.#queue.add(source),
        redefined: (crd) => reapplyLater(crd, this.#deps, signal),
        onError: (error) => log.warn({ error }, 'what prevents drift cannot be watched; trying again'),
        signal,
      }),
      scan: new OwnershipScan(api),
      uninstall: new Uninstall({
        api,
        discovery: api.discovery,
        sources: this.#sources.byKey,
        sourceResource,
        mayWrite: input.leading,
        log,
      }),
      sources: this.#sources.byKey,
      wake: (source, afterMs = 0) => this.#wake(source, afterMs),
      isBusy: () => this.#isBusy(),
      wakeAt: (source, at) => this.#alarms.set(source, at),
      sourceResource,
    };
  }

  get queueDepth(): number {
    return this.#queue.depth;
  }

  get watchCount(): number {
    return this.#deps.watches.size + this.#deps.edge.watchCount + this.#deps.guard.size;
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
    this.#deps.edge.kindsChanged();
    const stopListening = api.discovery.onChange(() => {
      this.#desk.kindsChanged();
      this.#deps.edge.kindsChanged();
    });
    const selection = {
      resource: this.#resource,
      ...(options.watchNamespace && { namespace: options.watchNamespace }),
    };
    this.#reflector = new Reflector(api, selection, this.#sources);
    const watching = Promise.all([this.#reflector.run(signal), this.#deps.uninstall.run(signal)]);
    // Before all sources are known, an object of one that is listed later would look like nobody's.
    await abortable(this.#sources.listed, signal).catch(() => undefined);
    log.info({ concurrency: options.concurrency }, 'watching sources');
    this.#sources.takeUpGuards();
    await this.#queue.run(options.concurrency, (key, abort) => this.#handle(key, abort), signal);
    await watching;
    stopListening();
    const writers = [this.#deps.status, this.#policyStatus];
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

  #wake(source: string, afterMs: number): void {
    if (afterMs > 0) this.#queue.addAfter(source, afterMs);
    else this.#queue.add(source);
  }

  #edgeTold(key: string, report: EdgeReport | null): void {
    const source = this.#sources.byKey.get(key);
    if (!source) return;
    source.edge = report;
    // Nothing on the edge is no news of a source that never had anything there.
    if (report !== null || source.status.edge !== undefined) this.#deps.status.changed(source);
  }

  async #handle(key: string, abort: AbortSignal): Promise<void> {
    const source = this.#sources.byKey.get(key);
    if (!source) return;
    const { clock, metrics, status } = this.#deps;
    const startedAt = clock.elapsed();
    status.changedLately(source, RUN_IS_LONG_MS, RUN_PATIENCE_MS);
    const outcome = await this.#outcome(source, AbortSignal.any([abort, this.#input.signal]));
    source.endReadAhead();
    if (outcome === undefined || this.#sources.byKey.get(key) !== source) return;
    metrics.reconciled(key, outcome, (clock.elapsed() - startedAt) / 1000);
    if (outcome === 'done' && this.#isBusy()) status.changedLately(source, END_SETTLES_MS, END_PATIENCE_MS);
    else status.changed(source);
  }

  /** One switch over what a run can end in; undefined: it was interrupted by something newer, or goes on later. */
  async #outcome(source: Source, signal: AbortSignal): Promise<MetricOutcome | undefined> {
    const { key, requests, attempt } = source;
    try {
      const outcome = await reconcile(source, this.#deps, signal);
      source.retries = 0;
      this.#queue.forget(key);
      if (outcome.kind !== 'done') this.#queue.addAfter(key, outcome.afterMs);
      return outcome.kind === 'unfinished' ? undefined : outcome.kind;
    } catch (error) {
      if (signal.aborted) return undefined;
      const retryMs = failRun(source, { error, requests, before: attempt }, this.#deps, this.#input.random);
      if (retryMs === undefined) return 'terminal';
      this.#queue.addAfter(key, retryMs);
      return 'retry';
    }
  }

  #isBusy(): boolean {
    return this.#queue.depth > 0 || this.#deps.writer.turns.open > 0;
  }

  #statusOf(source: Source) {
    const live = [...this.#live.of(source.key)];
    const healthTimedOut = hasHealthTimedOut(source, live, this.#deps);
    return statusOf({ source, live, now: new Date(this.#input.clock.now()), healthTimedOut });
  }
}

/** Another replica may lead now: not one more write. */
function isLeaseLost({ reason }: AbortSignal): boolean {
  return reason instanceof KubeError && reason.code === 'LeaseLost';
}
