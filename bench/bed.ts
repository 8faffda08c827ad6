import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GitOpsSource, GitOpsSourceSpecInput } from '../src/api/source.ts';
import { REQUESTED_AT_ANNOTATION } from '../src/api/names.ts';
import { bundle } from '../src/build.ts';
import { freshNamespace, startCluster, type Cluster } from '../test/cluster.ts';
import { startGitServer, type GitServer } from '../test/git-server.ts';
import { installCrd } from '../test/operator.ts';
import { until } from '../test/until.ts';
import { Child } from './child-process.ts';
import { COLLECTIONS } from './mixed-objects.ts';
import { startOperator } from './operator-process.ts';
import type { Row } from './table.ts';

/** What every bench is told. */
export interface BenchOptions {
  objects: number;
  rounds: number;
  samples: number | undefined;
  seconds: number;
  /** Of a source that is found by polling alone. */
  interval: string;
  profileDir: string | undefined;
  report: (row: Row) => void;
  /** A line for people, on stderr. */
  tell: (line: string) => void;
}

/** How long whatever is waited for may take on a slow machine. */
const PATIENCE_MS = 600_000;

/** What a bench runs on: a control plane and a Git server of its own, and the bundle of the operator. */
export class Bed implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly git: GitServer;
  readonly #scratch: string;
  readonly #profileDir: string | undefined;

  private constructor(cluster: Cluster, git: GitServer, scratch: string, profileDir: string | undefined) {
    this.cluster = cluster;
    this.git = git;
    this.#scratch = scratch;
    this.#profileDir = profileDir;
  }

  /**
   * `audit` writes a log of all requests, which costs the server some time: only for counting. Without `controllers` nothing
   * works in the cluster but the server and the store.
   */
  static async create({ profileDir, tell }: BenchOptions, { audit = false, controllers = true } = {}): Promise<Bed> {
    const scratch = mkdtempSync(join(tmpdir(), 'plumbline-bench-'));
    process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
    const [cluster, git] = await Promise.all([
      startCluster({ priorityAndFairness: false, audit, controllers, log: tell }),
      startGitServer(),
      bundle(join(scratch, 'app')),
      bundle(join(scratch, 'raw'), { 'raw-process': 'bench/raw-process.ts' }),
    ]);
    await installCrd(cluster);
    return new Bed(cluster, git, scratch, profileDir);
  }

  namespace(): Promise<string> {
    return freshNamespace(this.cluster, 'bench');
  }

  /** Over the Git mirrors of the one before it in this namespace: a restart. */
  operator(namespace: string, { metricsPort, args }: { metricsPort?: number; args?: readonly string[] } = {}): Child {
    return startOperator({
      cluster: this.cluster,
      app: join(this.#scratch, 'app'),
      namespace,
      cacheDir: join(this.#scratch, 'cache', namespace),
      profileDir: this.#profileDir,
      metricsPort,
      args,
    });
  }

  /** A bare loop as a process of its own, bundled like the operator; see raw-process.ts. */
  raw(mode: 'heal' | 'list' | 'hold', namespace: string): Child {
    const file = join(this.#scratch, 'raw', 'raw-process.js');
    return new Child(() => ({ file: process.execPath, args: [file, mode, this.cluster.dir, namespace] }));
  }

  async createSource(namespace: string, name: string, spec: Partial<GitOpsSourceSpecInput>): Promise<void> {
    const body = {
      apiVersion: 'plumbline.dev/v1alpha1',
      kind: 'GitOpsSource',
      metadata: { name, namespace },
      spec,
    };
    const answer = await this.cluster.request('POST', sourcesOf(namespace), { body });
    if (answer.status !== 201) throw new Error(`source ${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  /** Asks for a run now; returns the token that the status will echo. */
  async request(namespace: string, name: string): Promise<string> {
    const token = crypto.randomUUID();
    const body = { metadata: { annotations: { [REQUESTED_AT_ANNOTATION]: token } } };
    const answer = await this.cluster.request('PATCH', `${sourcesOf(namespace)}/${name}`, { body });
    if (answer.status !== 200) throw new Error(`request for ${name}: ${answer.status}`);
    return token;
  }

  /** Waits until the source says that it is Ready at this commit (at any, without). */
  async ready(namespace: string, name: string, commit = ''): Promise<GitOpsSource> {
    let last: GitOpsSource | undefined;
    return until(
      async () => {
        last = (await this.cluster.request<GitOpsSource>('GET', `${sourcesOf(namespace)}/${name}`)).body;
        const { conditions, lastAppliedRevision } = last.status ?? {};
        const isReady = conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
        return isReady && lastAppliedRevision?.endsWith(commit) ? last : undefined;
      },
      { what: `the source ${name} is ready`, timeoutMs: PATIENCE_MS, intervalMs: 100 },
    );
  }

  /** Waits until the source says that this request has been served. */
  async handled(namespace: string, name: string, token: string): Promise<void> {
    await until(
      async () => {
        const { body } = await this.cluster.request<GitOpsSource>('GET', `${sourcesOf(namespace)}/${name}`);
        return body.status?.lastHandledReconcileAt === token;
      },
      { what: `the request to ${name} is served`, timeoutMs: PATIENCE_MS, intervalMs: 100 },
    );
  }

  /** Changes the field that benches change, as somebody with kubectl. */
  async edit(namespace: string, name: string, mark: string): Promise<void> {
    const path = `${COLLECTIONS.ConfigMap(namespace)}/${name}?fieldManager=kubectl-edit`;
    const answer = await this.cluster.request('PATCH', path, { body: { data: { mark } } });
    if (answer.status !== 200) throw new Error(`edit of ${name}: ${answer.status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.cluster.stop(), this.git.stop()]);
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

export function sourcesOf(namespace: string): string {
  return `/apis/plumbline.dev/v1alpha1/namespaces/${namespace}/gitopssources`;
}
