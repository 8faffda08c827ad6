// Several teams and one operator, with the rights of deploy/install.yaml: each team may edit its own namespace only.
import type { GitOpsSource, GitOpsSourceSpecInput, GitOpsSourceStatus } from '../src/api/source.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { serviceAccountUser } from '../src/kube/impersonation.ts';
import { freshNamespace, serviceAccountToken, startCluster, type Cluster, type ClusterOptions } from './cluster.ts';
import type { Files, Repository } from './git-repository.ts';
import { applyObject, objectsOf, pathOf } from './install.ts';
import { World } from './operator.ts';
import { rightsInForce } from './rights.ts';
import { until } from './until.ts';

/** A cluster of its own with Plumbline installed; the operator of the World serves all namespaces. */
export async function installedWorld(options: ClusterOptions = {}): Promise<World> {
  const cluster = await startCluster(options);
  for (const object of objectsOf('deploy/install.yaml')) await applyObject(cluster, object);
  return World.create({ cluster, ...(await installed(cluster)) });
}

/** Ends the operator of an installed world as a power cut does, and starts it again. */
export async function restarted(world: World): Promise<void> {
  await world.operator.stop('SIGKILL');
  world.startOperator(await installed(world.cluster));
}

/** What deploy/install.yaml gives the operator. */
async function installed(cluster: Cluster) {
  const token = await serviceAccountToken(cluster, 'plumbline-system', 'plumbline-operator');
  return { token, args: ['--watch-namespace='], env: { POD_NAMESPACE: 'plumbline-system' } };
}

/** Lets a ServiceAccount edit a namespace; it may when this resolves. */
export async function mayEdit(
  cluster: Cluster,
  account: { name: string; namespace: string },
  namespace: string,
): Promise<void> {
  await applyObject(cluster, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: `${account.name}-of-${account.namespace}`, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
  const rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] };
  await rightsInForce(cluster, { user: serviceAccountUser(account), namespace }, [rule]);
}

/** A namespace whose ServiceAccount `plumbline` may edit it, and nothing else. */
export class Tenant {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly #world: World;

  private constructor(world: World, namespace: string) {
    this.#world = world;
    this.cluster = world.cluster;
    this.namespace = namespace;
  }

  static async create(world: World, prefix: string): Promise<Tenant> {
    const namespace = await freshNamespace(world.cluster, prefix);
    const account = { name: 'plumbline', namespace };
    await applyObject(world.cluster, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    await mayEdit(world.cluster, account, namespace);
    return new Tenant(world, namespace);
  }

  /** A repository with these files, and a source that follows it. */
  async source(name: string, files: Files, spec: Partial<GitOpsSourceSpecInput> = {}): Promise<TenantSource> {
    const repository = await this.#world.git.createRepository(`${this.namespace}-${name}`);
    await repository.write(files);
    const source = {
      apiVersion: 'plumbline.dev/v1alpha1',
      kind: 'GitOpsSource',
      metadata: { name, namespace: this.namespace },
      spec: { url: repository.url, interval: '1s', ...spec },
    };
    await applyObject(this.cluster, source);
    return new TenantSource(this.cluster, pathOf(source), repository);
  }

  /** An object of this namespace, by its path below it: `configmaps/a`. */
  async get(place: string): Promise<KubeObject | undefined> {
    const { status, body } = await this.cluster.request('GET', `/api/v1/namespaces/${this.namespace}/${place}`);
    return status === 200 ? body : undefined;
  }
}

export class TenantSource {
  readonly #cluster: Cluster;
  readonly #path: string;
  readonly repository: Repository;

  constructor(cluster: Cluster, path: string, repository: Repository) {
    this.#cluster = cluster;
    this.#path = path;
    this.repository = repository;
  }

  async status(): Promise<GitOpsSourceStatus> {
    const { body } = await this.#cluster.request<GitOpsSource>('GET', this.#path);
    return body.status ?? { observedGeneration: -1 };
  }

  /** Waits until Ready has this status and reason, and gives its message. */
  async ready(status: string, reason?: string): Promise<string> {
    let last: unknown;
    const what = `Ready=${status} (${reason ?? 'any reason'}) of ${this.#path}`;
    const wait = until(
      async () => {
        const ready = (await this.status()).conditions?.find(({ type }) => type === 'Ready');
        last = ready;
        return ready?.status === status && (reason === undefined || ready.reason === reason) && ready;
      },
      { what },
    );
    const { message } = await wait.catch((cause: unknown) => {
      throw new Error(`${(cause as Error).message}; last: ${JSON.stringify(last)}`, { cause });
    });
    return message;
  }

  async patch(body: object): Promise<void> {
    const { status } = await this.#cluster.request('PATCH', this.#path, { body });
    if (status !== 200) throw new Error(`PATCH ${this.#path}: ${status}`);
  }

  async delete(): Promise<void> {
    await this.#cluster.request('DELETE', this.#path);
    await until(async () => (await this.#cluster.request('GET', this.#path)).status === 404, {
      what: `${this.#path} is gone`,
    });
  }
}
