// The operator as a process of its own, as it runs in a cluster, and one namespace full of what a test needs around it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GitOpsSource, GitOpsSourceSpecInput } from '../src/api/source.ts';
import { driftGuardCrd, gitOpsSourceCrd } from '../src/api/crd.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { freshNamespace, sharedCluster, type Cluster } from './cluster.ts';
import { startGitServer, type GitServer, type GitServerOptions } from './git-server.ts';
import type { Repository } from './git-repository.ts';
import { until } from './until.ts';

const SOURCES = '/apis/plumbline.dev/v1alpha1';
const ENTRY = join(import.meta.dirname, '../src/main.ts');
const CLOCK = join(import.meta.dirname, 'faults/clock.ts');

export type Line = Record<string, unknown> & { msg?: string; audit?: boolean; action?: string };

export interface OperatorOptions {
  /** Default: the operator user, who may do everything. */
  token?: string;
  /** Only sources of this namespace; it is also the operator's own. */
  namespace: string;
  /** Kept between two operators of one test: a restart. Default: a fresh one each. */
  cacheDir?: string;
  args?: string[];
  entry?: string;
  env?: Record<string, string>;
  /** Another way to the API server: a proxy. */
  via?: { url: string; caFile: string };
  /** Its wall clock can be moved: see `shiftClock`. */
  movableClock?: boolean;
}

/** One operator process; its log lines are kept. */
export class Operator implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly lines: Line[] = [];
  stderr = '';

  private constructor(child: ChildProcess, dir: string) {
    this.#child = child;
    this.#dir = dir;
    let rest = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push(JSON.parse(line) as Line);
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => void (this.stderr += text));
  }

  static start(cluster: Cluster, options: OperatorOptions): Operator {
    const dir = mkdtempSync(join(tmpdir(), 'plumbline-operator-'));
    const kubeconfig = join(dir, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigFor(options.via ?? cluster, options.token ?? cluster.tokens.operator));
    const args = [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--metrics-address=0',
      '--health-address=0',
      `--cache-dir=${options.cacheDir ?? join(dir, 'cache')}`,
      `--watch-namespace=${options.namespace}`,
      ...(options.args ?? []),
    ];
    const env = { ...process.env, POD_NAMESPACE: options.namespace, NODE_NO_WARNINGS: '1', ...options.env };
    const preload = options.movableClock ? [`--import=${CLOCK}`] : [];
    const child = spawn(process.execPath, [...preload, options.entry ?? ENTRY, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', ...(options.movableClock ? (['ipc'] as const) : [])],
      env,
    });
    return new Operator(child, dir);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Sets its wall clock so far off the real one; needs `movableClock`. */
  shiftClock(offsetMs: number): void {
    if (this.#child.connected) this.#child.send({ clockOffsetMs: offsetMs });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it wrote to objects, in order: `created ConfigMap team/a`. */
  get writes(): string[] {
    return this.lines.filter(({ audit }) => audit).map(({ msg }) => msg!);
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.running) {
      const ended = once(this.#child, 'exit');
      this.#child.kill(signal);
      await ended;
    }
    return this.#child.exitCode;
  }

  /** Waits for an end that nobody here asked for; its exit code. */
  async ended(): Promise<number | null> {
    if (this.running) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

export function kubeconfigFor(cluster: Pick<Cluster, 'url' | 'caFile'>, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: cluster.url, 'certificate-authority': cluster.caFile } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}

/** A namespace with a Git server, a repository and, unless told otherwise, a running operator. */
export class World implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly git: GitServer;
  readonly repository: Repository;
  readonly #options: Partial<OperatorOptions>;
  /** To be removed in the end. */
  readonly #caches: string[] = [];
  operator: Operator;

  private constructor(
    cluster: Cluster,
    namespace: string,
    git: GitServer,
    repository: Repository,
    options: Partial<OperatorOptions>,
  ) {
    this.cluster = cluster;
    this.namespace = namespace;
    this.git = git;
    this.repository = repository;
    this.#options = options;
    if (options.cacheDir !== undefined) this.#caches.push(options.cacheDir);
    this.operator = Operator.start(cluster, { namespace, ...options });
  }

  static async create(
    options: Partial<OperatorOptions> & { cluster?: Cluster; git?: GitServerOptions } = {},
  ): Promise<World> {
    const { cluster = await sharedCluster(), git: gitOptions, ...rest } = options;
    await installCrd(cluster);
    const [namespace, git] = await Promise.all([freshNamespace(cluster), startGitServer(gitOptions)]);
    return new World(cluster, namespace, git, await git.createRepository('config'), {
      cacheDir: mkdtempSync(join(tmpdir(), 'plumbline-cache-')),
      ...rest,
    });
  }

  /** A new operator process over the same cache; the old one must have ended. */
  startOperator(options: Partial<OperatorOptions> = {}): Operator {
    this.operator = Operator.start(this.cluster, { namespace: this.namespace, ...this.#options, ...options });
    return this.operator;
  }

  /** As on another node: over an empty cache. */
  startAsNewPod(): Operator {
    const cacheDir = mkdtempSync(join(tmpdir(), 'plumbline-cache-'));
    this.#caches.push(cacheDir);
    return this.startOperator({ cacheDir });
  }

  async createSource(
    spec: Partial<GitOpsSourceSpecInput> = {},
    name = 'app',
    annotations: Record<string, string> = {},
  ): Promise<void> {
    const body = {
      apiVersion: 'plumbline.dev/v1alpha1',
      kind: 'GitOpsSource',
      metadata: { name, namespace: this.namespace, annotations },
      spec: { url: this.repository.url, interval: '1s', ...spec },
    };
    await this.expect(201, 'POST', `${SOURCES}/namespaces/${this.namespace}/gitopssources`, { body });
  }

  /** A merge patch of the source. */
  async patchSource(patch: object, name = 'app'): Promise<void> {
    await this.expect(200, 'PATCH', this.#sourcePath(name), { body: patch });
  }

  async deleteSource(name = 'app'): Promise<void> {
    await this.expect(200, 'DELETE', this.#sourcePath(name));
  }

  async source(name = 'app'): Promise<GitOpsSource | undefined> {
    const { status, body } = await this.cluster.request('GET', this.#sourcePath(name));
    return status === 200 ? (body as GitOpsSource) : undefined;
  }

  /** Waits until the source's condition has this status (and reason), and gives the source. */
  async condition(
    type: string,
    status: string,
    options: { name?: string; reason?: string; revision?: string; timeoutMs?: number } = {},
  ): Promise<GitOpsSource> {
    const what = `${type}=${status}${options.reason ? ` (${options.reason})` : ''} of ${options.name ?? 'app'}`;
    let last: GitOpsSource | undefined;
    try {
      return await until(
        async () => {
          last = await this.source(options.name);
          const found = last?.status?.conditions?.find((condition) => condition.type === type);
          const revision =
            options.revision === undefined || last?.status?.lastAttemptedRevision?.endsWith(options.revision);
          const fits = found?.status === status && (options.reason === undefined || found.reason === options.reason);
          const observed = last?.status?.observedGeneration === last?.metadata.generation;
          return fits && observed && revision ? last : undefined;
        },
        { what, ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }) },
      );
    } catch (error) {
      throw new Error(
        `${(error as Error).message}\nstatus: ${JSON.stringify(last?.status, null, 1)}\nlog: ${JSON.stringify(this.operator.lines.slice(-15), null, 1)}\n${this.operator.stderr}`,
        { cause: error },
      );
    }
  }

  /** Pushes and waits until that commit is applied as a whole. */
  async push(files: Record<string, string | null>, message = 'change', name = 'app'): Promise<string> {
    const commit = await this.repository.write(files, message);
    await this.condition('Ready', 'True', { name, revision: commit });
    return commit;
  }

  /** An object of the namespace by its path below /api/v1 or /apis/…: `v1/configmaps/a`, `apps/v1/deployments/web`. */
  async get(place: string): Promise<KubeObject | undefined> {
    const { status, body } = await this.cluster.request('GET', this.path(place));
    return status === 200 ? body : undefined;
  }

  path(place: string): string {
    const parts = place.split('/');
    const root = parts[0] === 'v1' ? '/api/v1' : `/apis/${parts.shift()}/${parts[0]}`;
    return `${root}/namespaces/${this.namespace}/${parts.slice(1).join('/')}`;
  }

  /** As somebody with kubectl: a merge patch under this field manager. */
  async edit(place: string, patch: object, manager = 'kubectl-edit'): Promise<KubeObject> {
    return this.expect(200, 'PATCH', `${this.path(place)}?fieldManager=${manager}`, { body: patch });
  }

  async expect(
    status: number,
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: Parameters<Cluster['request']>[2] = {},
  ): Promise<KubeObject> {
    const answer = await this.cluster.request(method, path, options);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  #sourcePath(name: string): string {
    return `${SOURCES}/namespaces/${this.namespace}/gitopssources/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operator[Symbol.asyncDispose]();
    await this.git[Symbol.asyncDispose]();
    for (const dir of this.#caches) rmSync(dir, { recursive: true, force: true });
  }
}

/** By server-side apply, so that test files that run side by side do not disturb each other. */
export async function installCrd(cluster: Cluster): Promise<void> {
  for (const crd of [gitOpsSourceCrd(), driftGuardCrd()]) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
    await cluster.request('PATCH', `${path}?fieldManager=test&force=true`, {
      body: crd,
      contentType: 'application/apply-patch+yaml',
    });
    const { plural } = crd.spec.names;
    await until(async () => (await cluster.request('GET', `${SOURCES}/${plural}`)).status === 200, {
      what: `${plural} are served`,
    });
  }
}

/** A ConfigMap as a manifest. */
export function configMap(name: string, data: Record<string, string> = { key: 'value' }): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }, null, 2);
}
