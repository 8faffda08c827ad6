import type { EdgePolicyStatus } from '../api/edge-policy-status.ts';
import { API_VERSION, NAME_LABEL } from '../api/names.ts';
import type { GitOpsSourceStatus } from '../api/source.ts';
import type { Clock } from '../clock.ts';
import { Quiet } from '../concurrency/quiet.ts';
import { Healer } from '../drift/healer.ts';
import { KindWatches } from '../drift/watches.ts';
import { collectGarbage } from '../garbage.ts';
import { EdgeDesk } from '../gate/desk.ts';
import type { WatchedPolicy } from '../gate/policies.ts';
import { policyStatusOf } from '../gate/policy-status.ts';
import type { EdgeReport } from '../gate/report.ts';
import type { Git } from '../git/remote.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import { Guard } from '../prevent/guard.ts';
import type { EventRecorder } from '../report/event-recorder.ts';
import type { Log } from '../report/log.ts';
import type { Metrics } from '../report/metrics.ts';
import { Claims } from '../sync/claims.ts';
import { LiveObjects } from '../sync/live.ts';
import { OwnershipScan } from '../sync/ownership-scan.ts';
import { ObjectWriter } from '../sync/writer.ts';
import { Alarms } from './alarms.ts';
import type { ControllerOptions, ReconcileDeps } from './deps.ts';
import { Desk } from './desk.ts';
import { mayReadSecret } from './edge-rights.ts';
import { hasHealthTimedOut } from './health-wait.ts';
import { Poller } from './poller.ts';
import { reapplyLater } from './prevent.ts';
import { WorkQueue } from './queue.ts';
import type { Source } from './source.ts';
import { statusOf } from './source-status.ts';
import { Sources } from './sources.ts';
import { StatusWriter } from './status-writer.ts';
import { Uninstall } from './uninstall.ts';

/** What the process gives the controller. */
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

/** The parts of the controller, joined. */
export interface Assembly {
  queue: WorkQueue;
  sources: Sources;
  desk: Desk;
  deps: ReconcileDeps;
  policyStatus: StatusWriter<EdgePolicyStatus, WatchedPolicy>;
}

/** What some parts need of each other before all are there: asked when it is needed, not before. */
interface Late {
  input: ControllerInput;
  /** Ends the writing of status, later than everything else. */
  statusEnd: AbortSignal;
  deps: () => ReconcileDeps;
}

/** Between two writes of the status of one source. */
const QUIET_MS = 1_000;
/** Its numbers move with every commit of every source. */
const POLICY_QUIET_MS = 5_000;
/** After so long without a run none is likely to follow soon. */
const REST_MS = 20_000;

/** Joins the parts: who calls whom, and no logic. Nothing is done before the first run. `sourceResource` is asked from then on. */
export function assemble(
  input: ControllerInput,
  { sourceResource, statusEnd }: { sourceResource: () => ApiResource; statusEnd: AbortSignal },
): Assembly {
  const { api, git, clock, random, signal, log } = input;
  const late: Late = { input, statusEnd, deps: () => deps };
  const queue = new WorkQueue({
    clock,
    random,
    ownerOf: (key) => key.slice(0, key.indexOf('/')),
    onError: (key, error) => log.error({ source: key, error }, 'the run of a source failed unexpectedly'),
  });
  const alarms = new Alarms(clock, (key) => queue.add(key));
  const desk = new Desk(late.deps);
  const { verifyIntervalMs } = input.options;
  const sources = new Sources({ deps: late.deps, queue, alarms, desk, random, verifyIntervalMs, signal });
  const policyStatus = policyStatusWriter(late);
  const drift = driftParts(late, desk);
  const { discovery } = api;
  const deps: ReconcileDeps = {
    ...input,
    ...drift,
    discovery,
    poller: new Poller({ git, clock, random, signal, onChange: (source) => queue.interrupt(source) }),
    status: sourceStatusWriter(late, desk),
    quiet: new Quiet({ clock, ms: REST_MS, callback: collectGarbage, signal }),
    edge: edgeDesk(late, desk, policyStatus),
    guard: guard(late),
    scan: new OwnershipScan(api),
    uninstall: new Uninstall({
      api,
      discovery,
      sources: sources.byKey,
      sourceResource,
      mayWrite: input.leading,
      log,
    }),
    sources: sources.byKey,
    wake: (source, afterMs = 0) => (afterMs > 0 ? queue.addAfter(source, afterMs) : queue.add(source)),
    isBusy: () => queue.depth > 0 || drift.writer.turns.open > 0,
    wakeAt: (source, at) => alarms.set(source, at),
    sourceResource,
  };
  return { queue, sources, desk, deps, policyStatus };
}

/** What holds the live objects to the declared ones. */
function driftParts(
  { input }: Late,
  desk: Desk,
): Pick<ReconcileDeps, 'live' | 'claims' | 'writer' | 'healer' | 'watches'> {
  const { api, clock, random, signal } = input;
  const { discovery } = api;
  const live = new LiveObjects((source) => desk.changed(source));
  const claims = new Claims();
  const writer = new ObjectWriter({
    api,
    discovery,
    live,
    holder: (key) => claims.holder(key),
    onIdle: (key) => healer.settled(key),
  });
  const healer: Healer = new Healer({ live, claims, writer, desk, clock, random, signal });
  const watches = new KindWatches({ api, discovery, listener: healer, labelSelector: NAME_LABEL, signal });
  return { live, claims, writer, healer, watches };
}

function sourceStatusWriter({ input, statusEnd, deps }: Late, desk: Desk): StatusWriter<GitOpsSourceStatus, Source> {
  const { api, clock, log, leading } = input;
  return new StatusWriter({
    api,
    resource: () => deps().sourceResource(),
    statusOf: (source) => {
      const live = [...deps().live.of(source.key)];
      const healthTimedOut = hasHealthTimedOut(source, live, deps());
      return statusOf({ source, live, now: new Date(clock.now()), healthTimedOut });
    },
    quietMs: QUIET_MS,
    mayWrite: leading,
    isBusy: () => deps().isBusy(),
    clock,
    signal: statusEnd,
    onStored: (source, before) => desk.told(source, before),
    onError: (source, error) => log.warn({ source: source.key, error }, 'could not write the status'),
  });
}

function policyStatusWriter({ input, statusEnd, deps }: Late): StatusWriter<EdgePolicyStatus, WatchedPolicy> {
  const { api, clock, log, leading } = input;
  return new StatusWriter({
    api,
    resource: () => api.discovery.cached(API_VERSION, 'EdgePolicy')!,
    statusOf: (policy) => policyStatusOf(policy, deps().edge.standing(policy), new Date(clock.now())),
    quietMs: POLICY_QUIET_MS,
    mayWrite: leading,
    clock,
    signal: statusEnd,
    onError: ({ name }, error) => log.warn({ policy: name, error }, 'could not write the status of an EdgePolicy'),
  });
}

function edgeDesk({ input, deps }: Late, desk: Desk, policyStatus: Assembly['policyStatus']): EdgeDesk {
  const { api, clock, log, signal } = input;
  return new EdgeDesk({
    api,
    clock,
    log,
    signal,
    isLive: (key) => deps().live.get(key) !== undefined,
    heals: (key) => desk.order(key)?.mode !== 'Report',
    wake: (source, afterMs) => deps().wake(source, afterMs),
    told: (key, report) => edgeTold(key, report, deps()),
    mayRead: (source, secret, by) => mayReadSecret(deps().sources.get(source), secret, deps(), by),
    edgeOf: (source) => deps().sources.get(source)?.spec?.edge,
    policyChanged: (policy) => policyStatus.changed(policy),
    policies: {
      policySeen: (policy) => policyStatus.seen(policy, policy.resource),
      policyGone: (policy) => policyStatus.forget(policy),
    },
  });
}

function edgeTold(key: string, report: EdgeReport | null, { sources, status }: ReconcileDeps): void {
  const source = sources.get(key);
  if (!source) return;
  source.edge = report;
  // Nothing on the edge is no news of a source that never had anything there.
  if (report !== null || source.status.edge !== undefined) status.changed(source);
}

function guard({ input, deps }: Late): Guard {
  const { api, log, options, signal } = input;
  return new Guard({
    api,
    discovery: api.discovery,
    platform: options,
    disturbed: (source) => deps().wake(source),
    redefined: (crd) => reapplyLater(crd, deps(), signal),
    onError: (error) => log.warn({ error }, 'what prevents drift cannot be watched; trying again'),
    signal,
  });
}
