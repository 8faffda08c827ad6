// A real Kubernetes control plane on loopback (source: test/cluster), ready in about 3 s. One serves a whole test run: each
// test takes a namespace of its own, and only a test that restarts or breaks the server starts a cluster of its own.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildCluster } from './cluster-binary.ts';
import { clusterRequest } from './cluster-request.ts';
import type { ClusterRequest } from './cluster-request.ts';
import { until } from './until.ts';

export { buildCluster };

const SHARED = 'PLUMBLINE_TEST_CLUSTER';

export interface ClusterOptions {
  /** Further flags of kube-apiserver; they win over ours. */
  apiServerArgs?: string[];
  /** A directory without a cluster in it, left in place at the end; default: a temporary one that is removed. */
  dir?: string;
  /** Default: a free one. */
  port?: number;
  /** Default true: Deployments roll out, garbage is collected, pods get ready. */
  controllers?: boolean;
  /** Log every request (`cluster.auditLog`, see test/audit.ts). */
  audit?: boolean;
  /** Default true, as in production; benchmarks say false, which lifts the caps on requests in flight too. */
  priorityAndFairness?: boolean;
  /** Further users: name → groups; their tokens are in `cluster.tokens`. */
  users?: Record<string, string[]>;
  /** For the one line that tells of a build. */
  log?: (line: string) => void;
}

/** `driver` and `operator` have all rights under names of their own; `restricted` is known and may do nothing. */
export type Tokens = Record<'admin' | 'driver' | 'operator' | 'restricted', string> & Record<string, string>;

export interface Cluster extends AsyncDisposable {
  url: string;
  caFile: string;
  /** PEM. */
  ca: string;
  /** Path of the admin's kubeconfig. */
  kubeconfig: string;
  tokens: Tokens;
  dir: string;
  /** Of the process that holds etcd, controllers and pods. */
  pid: number;
  /** Of the API server; a restart changes it. */
  readonly apiServerPid: number;
  /** Path of the log when `audit` was asked for: one JSON object per line. */
  auditLog?: string;
  /** Requests as admin, or with another token. */
  request: ClusterRequest;
  /** Kills the API server as a crash would. Data, port and tokens stay. Only on a cluster of one's own, as all below. */
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** stop, start, ready again: about 3 s. */
  restartApiServer(): Promise<void>;
  /** The API server hangs: connections are accepted, nothing is answered. */
  freezeApiServer(): void;
  thawApiServer(): void;
  stop(): Promise<void>;
}

/** What the Go program writes to cluster.json. */
type Description = Pick<Cluster, 'url' | 'caFile' | 'kubeconfig' | 'tokens' | 'auditLog' | 'pid' | 'apiServerPid'>;

/**
 * Builds the cluster when needed, starts it and returns when the API server is ready. It does not keep this process alive,
 * and ends with it, even after a kill -9.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const binary = await buildCluster(options.log);
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'plumbline-cluster-'));
  mkdirSync(dir, { recursive: true });
  const log = openSync(join(dir, 'cluster.log'), 'a');
  // In a process group of its own, or Ctrl-C in a terminal would end it before the process that uses it.
  const child = spawn(binary, ['run', ...flagsOf(options, dir)], { stdio: ['pipe', 'pipe', log], detached: true });
  closeSync(log);
  const supervisor = new Supervisor(child, dir);
  try {
    await supervisor.started();
  } catch (error) {
    await supervisor.end();
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return clusterIn(dir, supervisor);
}

function flagsOf(options: ClusterOptions, dir: string): string[] {
  const { apiServerArgs = [], users = {} } = options;
  return [
    `-dir=${dir}`,
    `-port=${options.port ?? 0}`,
    `-controllers=${options.controllers ?? true}`,
    `-audit=${options.audit ?? false}`,
    `-unlimited=${options.priorityAndFairness === false}`,
    `-temporary=${options.dir === undefined}`,
    ...apiServerArgs.map((flag) => `-apiserver-flag=${flag}`),
    ...Object.entries(users).map(([name, groups]) => `-user=${name}=${groups.join(',')}`),
  ];
}

function clusterIn(dir: string, supervisor?: Supervisor): Cluster {
  const about = describe(dir);
  const own = () => {
    if (!supervisor)
      throw new Error('this cluster serves the whole test run; start one of your own to break or stop it');
    return supervisor;
  };
  const cluster: Cluster = {
    ...about,
    dir,
    ca: readFileSync(about.caFile, 'utf8'),
    get apiServerPid() {
      return describe(dir).apiServerPid;
    },
    request: clusterRequest({ ...about, token: about.tokens.admin }, () => `\n${lastLines(dir)}`),
    stopApiServer: async () => {
      const supervisor = own();
      await controllersRun(cluster);
      await supervisor.command('stop');
    },
    startApiServer: async () => own().command('start'),
    restartApiServer: async () => {
      await cluster.stopApiServer();
      await cluster.startApiServer();
    },
    freezeApiServer: () => own() && void process.kill(cluster.apiServerPid, 'SIGSTOP'),
    thawApiServer: () => own() && void process.kill(cluster.apiServerPid, 'SIGCONT'),
    stop: async () => own().end(),
    [Symbol.asyncDispose]: async () => supervisor?.end(),
  };
  return cluster;
}

/** A controller that loses the API server while it starts ends the cluster. Each makes a ServiceAccount for itself first. */
async function controllersRun({ request }: Cluster): Promise<void> {
  const accounts = '/api/v1/namespaces/kube-system/serviceaccounts';
  let seen = -1;
  await until(
    async () => {
      const { items } = (await request<{ items: unknown[] }>('GET', accounts)).body;
      return seen === (seen = items.length);
    },
    { what: 'no more controllers start', intervalMs: 500 },
  );
}

function describe(dir: string): Description {
  return JSON.parse(readFileSync(join(dir, 'cluster.json'), 'utf8')) as Description;
}

/** Our end of the Go program: commands go to its stdin, one event for each comes from its stdout. */
class Supervisor {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #events: AsyncIterator<string>;

  constructor(child: ChildProcess, dir: string) {
    this.#child = child;
    this.#dir = dir;
    this.#events = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  async started(): Promise<void> {
    await this.#expect('started');
  }

  async command(name: 'start' | 'stop'): Promise<void> {
    this.#child.stdin!.write(`${name}\n`);
    await this.#expect(name === 'start' ? 'started' : 'stopped');
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.ref();
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await ended;
  }

  async #expect(wanted: 'started' | 'stopped'): Promise<void> {
    this.#hold(true);
    const { value, done } = await this.#events.next();
    this.#hold(false);
    const { event, message } = done ? { event: 'failed', message: 'it ended' } : (JSON.parse(value) as Event);
    if (event !== wanted) throw new Error(`test cluster: ${message ?? event}\n${lastLines(this.#dir)}`);
  }

  /** The process stays alive for an answer, and only for that. */
  #hold(hold: boolean): void {
    const ends = [this.#child, this.#child.stdin as Socket, this.#child.stdout as Socket];
    for (const end of ends) {
      if (hold) end.ref();
      else end.unref();
    }
  }
}

interface Event {
  event: string;
  message?: string;
}

/** Why it failed, for the error: its directory may be gone by the time somebody looks. */
function lastLines(dir: string): string {
  return ['cluster.log', 'apiserver.log']
    .map((name) => {
      try {
        return `--- ${name}\n${readFileSync(join(dir, name), 'utf8').trimEnd().split('\n').slice(-8).join('\n')}`;
      } catch {
        return '';
      }
    })
    .join('\n');
}

let shared: Promise<Cluster> | undefined;

/** The cluster of this test run (see run.ts). A test file that is run alone gets one that ends with its process. */
export function sharedCluster(): Promise<Cluster> {
  const dir = process.env[SHARED];
  return (shared ??= dir === undefined ? startCluster() : Promise.resolve(joinCluster(dir)));
}

/** The cluster that another process has started in `dir`. From here it can be used, but not stopped or broken. */
export function joinCluster(dir: string): Cluster {
  return clusterIn(dir);
}

/** Starts the cluster of a test run; `environment` lets other processes find it by `sharedCluster`. */
export async function startSharedCluster(): Promise<Cluster & { environment: Record<string, string> }> {
  const cluster = await startCluster();
  return Object.assign(cluster, { environment: { [SHARED]: cluster.dir } });
}

/** A new namespace, and its name. Nobody deletes it: that takes seconds, and the cluster goes away with the run. */
export async function freshNamespace(cluster: Cluster, prefix = 'test'): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  const path = `/api/v1/namespaces/${name}?fieldManager=test`;
  const answer = await cluster.request('PATCH', path, { body, contentType: 'application/apply-patch+yaml' });
  // 200: it was sent twice, and the first one had arrived. Nobody else has this name.
  if (answer.status !== 201 && answer.status !== 200)
    throw new Error(`namespace ${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return name;
}

/** A token of a service account, as a pod would have it (valid for an hour). */
export async function serviceAccountToken(cluster: Cluster, namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await cluster.request<{ status: { token: string } }>('POST', path, { body: { spec: {} } });
  if (answer.status !== 201) throw new Error(`token of ${namespace}/${name}: ${answer.status}`);
  return answer.body.status.token;
}
