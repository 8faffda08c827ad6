import type { GitOpsSourceStatus } from '../api/source.ts';
import type { Clock } from '../clock.ts';
import type { Quiet } from '../concurrency/quiet.ts';
import type { Healer } from '../drift/healer.ts';
import type { KindWatches } from '../drift/watches.ts';
import type { Git } from '../git/remote.ts';
import type { Discovery } from '../kube/discovery.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import type { EventRecorder } from '../report/event-recorder.ts';
import type { Guard } from '../prevent/guard.ts';
import type { Log } from '../report/log.ts';
import type { Metrics } from '../report/metrics.ts';
import type { Claims } from '../sync/claims.ts';
import type { LiveObjects } from '../sync/live.ts';
import type { OwnershipScan } from '../sync/ownership-scan.ts';
import type { ObjectWriter } from '../sync/writer.ts';
import type { EdgeDesk } from '../gate/desk.ts';
import type { Poller } from './poller.ts';
import type { Source } from './source.ts';
import type { StatusWriter } from './status-writer.ts';
import type { Uninstall } from './uninstall.ts';

/** Everything a run of a source works with. */
export interface ReconcileDeps {
  api: KubeApi;
  discovery: Discovery;
  git: Git;
  live: LiveObjects;
  claims: Claims;
  watches: KindWatches;
  writer: ObjectWriter;
  healer: Healer;
  poller: Poller;
  status: StatusWriter<GitOpsSourceStatus, Source>;
  edge: EdgeDesk;
  guard: Guard;
  scan: OwnershipScan;
  uninstall: Uninstall;
  sources: ReadonlyMap<string, Source>;
  /** Runs a source (`namespace/name`) now, or after a while. */
  wake: (source: string, afterMs?: number) => void;
  /** Runs a source at a time of day, in milliseconds since the epoch; Infinity: never. */
  wakeAt: (source: string, at: number) => void;
  /** Do sources wait for their turn, or objects for a write? What may well wait is done later then. */
  isBusy: () => boolean;
  /** Each run that has come to rest stirs it: when none does any more, memory is given back. */
  quiet: Quiet;
  /** The GitOpsSource kind, as the server serves it. */
  sourceResource: () => ApiResource;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  events: EventRecorder;
  options: ControllerOptions;
}

export interface ControllerOptions {
  /** Sources of this namespace act with the operator's own rights unless they name a ServiceAccount. */
  operatorNamespace: string;
  /** The ServiceAccount of a source's namespace that is used when the source names none. */
  defaultServiceAccount: string;
  /** Patterns of the namespaces whose sources may have the API server refuse drift. */
  preventNamespaces: readonly string[];
  /** Whom it never refuses anything. */
  breakGlassGroups: readonly string[];
}
