#!/usr/bin/env node
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from './clock.ts';
import { Controller } from './controller/controller.ts';
import { PlumblineError } from './errors.ts';
import { openGit } from './git/git.ts';
import { inClusterConfig, type ClusterConfig } from './kube/auth.ts';
import { Discovery } from './kube/discovery.ts';
import type { KubeObject } from './kube/object.ts';
import { LeaderElection } from './kube/lease.ts';
import { KubeApi } from './kube/objects.ts';
import { Transport } from './kube/transport.ts';
import { readOptions, usage, type Options } from './options.ts';
import { EventRecorder } from './report/event-recorder.ts';
import { createLog, type Log } from './report/log.ts';
import { createMetrics } from './report/metrics.ts';
import { healthRoutes, metricsRoutes, serve } from './report/server.ts';
import { memoryFirst, speedFirst } from './speed-first.ts';

/** How long speed comes before memory then, which is as long as ten thousand objects take. */
const RESTART_MS = 5_000;
/** Time for the last status writes and events after a signal. */
const GRACE_MS = 5_000;

// Wiring and no logic: flags, the parts, run until a signal. The loop itself is in controller/reconcile.ts.
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') return void process.stdout.write(usage());
  const log = createLog({ level: options.logLevel });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort(new Error(name)));

  let controller: Controller | undefined;
  let leading = false;
  const metrics = createMetrics({
    queueDepth: () => controller?.queueDepth ?? 0,
    watches: () => controller?.watchCount ?? 0,
    leader: () => leading,
  });
  const transport: Transport = new Transport(await clusterConfig(options), {
    observer: ({ verb, status }) => metrics.kubeRequest(verb, status),
    mayWrite: () => elected?.leading ?? true,
  });
  const api = new KubeApi(transport, new Discovery(transport));
  const elected: LeaderElection | undefined = options.leaderElect ? election(api, options, log) : undefined;
  const git = openGit({
    dir: options.cacheDir,
    userAgent: 'git/plumbline',
    log,
    observer: (operation, result) => metrics.gitRequest(operation, result),
  });
  await serve({ address: options.metricsAddress, routes: metricsRoutes(metrics) }, stop.signal);
  // A replica that stands by is ready, as long as it can take over at any moment.
  const ready = () =>
    leading || !elected ? controller?.isReady || 'sources are not listed yet' : canTakeOver(elected);
  await serve({ address: options.healthAddress, routes: healthRoutes({ ready }) }, stop.signal);

  const lead = async (signal: AbortSignal) => {
    const events = new EventRecorder({
      post: (event, abort) => postEvent(api, event, abort),
      onError: (error) => log.debug({ error }, 'could not post an event'),
      instance: options.pod.name,
    });
    leading = true;
    // After a restart everything is compared at once. Mirrors that launch.ts saw may be too old to be of use.
    void git.warmUp().then((start) => (start === 'warm' ? speedFirst(() => pause(RESTART_MS)) : memoryFirst()));
    await api.discovery
      .refresh(signal)
      .catch((error: unknown) => log.warn({ error }, 'the API server cannot be asked for its kinds yet'));
    controller = new Controller({
      api,
      git,
      clock: systemClock,
      random: Math.random,
      log,
      metrics,
      events,
      options: {
        operatorNamespace: options.pod.namespace,
        defaultServiceAccount: options.defaultServiceAccount,
        concurrency: options.concurrency,
        verifyIntervalMs: options.verifyIntervalMs,
        watchNamespace: options.watchNamespace,
        preventNamespaces: options.preventNamespaces,
        breakGlassGroups: options.breakGlassGroups,
      },
      signal,
      leading: () => elected?.leading ?? true,
    });
    await controller.run();
    await events.close(AbortSignal.timeout(GRACE_MS));
  };
  const outcome = elected ? await elected.run(stop.signal, lead) : await lead(stop.signal).then(() => 'done' as const);
  log.info(outcome === 'lost' ? 'the lease was lost; starting over' : 'stopped');
  await Promise.all([git.close(), transport.close()]);
  // Threads and sockets of libraries must not hold back the exit; a lost lease starts over in a new process.
  process.exit(outcome === 'lost' ? 1 : 0);
}

async function clusterConfig({ kubeconfig, context }: Options): Promise<ClusterConfig> {
  if (!kubeconfig) return inClusterConfig();
  const { kubeconfigConfig } = await import('./kube/kubeconfig.ts');
  return kubeconfigConfig(kubeconfig, context || undefined);
}

function election(api: KubeApi, { pod }: Options, log: Log): LeaderElection {
  return new LeaderElection(api, {
    namespace: pod.namespace,
    name: 'plumbline-operator',
    identity: pod.uid,
    onHolder: (holder) =>
      log.info({ holder }, holder === pod.uid ? 'this replica acts' : 'another replica acts; standing by'),
    onError: (error) => log.warn({ error }, 'the lease could not be read or renewed'),
  });
}

function canTakeOver({ problem }: LeaderElection): true | string {
  if (problem === undefined) return true;
  return `the lease cannot be read or renewed: ${problem instanceof PlumblineError ? problem.code : 'unexpected error'}`;
}

async function postEvent(api: KubeApi, event: KubeObject, signal: AbortSignal): Promise<void> {
  const resource = await api.discovery.resource('v1', 'Event', signal);
  if (resource) await api.create(resource, event.metadata.namespace ?? '', event, { signal });
}

main().catch((error: unknown) => {
  const expected = error instanceof PlumblineError;
  process.stderr.write(
    expected ? `plumbline-operator: ${error.code}: ${error.message}\n` : `${(error as Error).stack ?? String(error)}\n`,
  );
  process.exit(1);
});
