// What people do to the cluster of one world with kubectl; their requests go on while the API server restarts.
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Cluster } from '../cluster.ts';
import type { ClusterResponse } from '../cluster-request.ts';
import { collectionOf, folderOf, patchOf, type Key, type Kind, type Places, type SourceName } from './declared.ts';
import type { Action, EditHow } from './schedule.ts';

/** The object is gone, there already, or refuses: it may well be, in the middle of all this. */
const NOT_NOW: readonly number[] = [404, 409, 422];
const ATTEMPTS = 300;

export type DeletionPolicy = 'Delete' | 'Orphan';

export class Hands {
  readonly #cluster: Cluster;
  readonly #places: Places;

  constructor(cluster: Cluster, places: Places) {
    this.#cluster = cluster;
    this.#places = places;
  }

  /** Asks until there is an answer that means something. */
  async request<Body = KubeObject>(...args: Parameters<Cluster['request']>): Promise<ClusterResponse<Body>> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#cluster.request<Body>(...args).catch((error: unknown) => {
        if (attempt === ATTEMPTS) throw error;
      });
      if (answer && (answer.status < 300 || NOT_NOW.includes(answer.status))) return answer;
      if (answer && attempt === ATTEMPTS) throw new Error(`${args[0]} ${args[1]}: ${JSON.stringify(answer.body)}`);
      await delay(100);
    }
  }

  async list(path: string): Promise<KubeObject[]> {
    const { body } = await this.request<{ items?: KubeObject[] }>('GET', path);
    return body.items ?? [];
  }

  sourcePath(name?: SourceName): string {
    const path = `/apis/plumbline.dev/v1alpha1/namespaces/${this.#places.namespace}/gitopssources`;
    return name === undefined ? path : `${path}/${name}`;
  }

  async createSource(name: SourceName, url: string, deletionPolicy: DeletionPolicy = 'Delete'): Promise<void> {
    const spec = {
      url,
      path: folderOf(name).replace('/', ''),
      interval: '1s',
      timeout: '20s',
      retryInterval: '3s',
      secretRef: { name: 'git' },
      pruneGuard: { maxPercent: 100 },
      deletionPolicy,
    };
    const body = { apiVersion: 'plumbline.dev/v1alpha1', kind: 'GitOpsSource', metadata: { name }, spec };
    await this.request('POST', this.sourcePath(), { body });
  }

  async edit(key: Key, how: EditHow): Promise<void> {
    const [kind, name] = key.split('/') as [Kind, string];
    const path = `${collectionOf(kind, this.#places)}/${name}`;
    if (how === 'delete') return void (await this.request('DELETE', path));
    if (how === 'thief') return this.#steal(key, path);
    const patches = {
      value: patchOf(key, 'edited'),
      unlabel: { metadata: { labels: { 'plumbline.dev/name': null, 'plumbline.dev/namespace': null } } },
      relabel: { metadata: { labels: { 'plumbline.dev/name': 'somebody-else' } } },
      unproven: { metadata: { annotations: { 'plumbline.dev/owner': null } } },
      foreign: { metadata: { annotations: { 'example.com/note': 'mine' } } },
      unmanaged: { metadata: { managedFields: [{}] } },
    };
    await this.request('PATCH', `${path}?fieldManager=kubectl-edit`, { body: patches[how] });
  }

  /** `kubectl apply --server-side --force-conflicts` of another value. */
  async #steal(key: Key, path: string): Promise<void> {
    const { status, body } = await this.request('GET', path);
    if (status !== 200) return;
    const { apiVersion, kind, metadata } = body;
    const stolen = { apiVersion, kind, metadata: { name: metadata.name }, ...patchOf(key, 'stolen') };
    const options = { body: stolen, contentType: 'application/apply-patch+yaml' };
    await this.request('PATCH', `${path}?fieldManager=thief&force=true`, options);
  }

  async editSource(name: SourceName, how: (Action & { do: 'source' })['how']): Promise<void> {
    const patch = {
      suspend: { spec: { suspend: true } },
      resume: { spec: { suspend: false } },
      report: { spec: { drift: { mode: 'Report' } } },
      heal: { spec: { drift: { mode: 'Heal' } } },
      request: { metadata: { annotations: { 'plumbline.dev/requestedAt': String(performance.now()) } } },
    }[how];
    await this.request('PATCH', this.sourcePath(name), { body: patch });
  }

  async deleteSource(name: SourceName, deletionPolicy: DeletionPolicy): Promise<void> {
    await this.request('PATCH', this.sourcePath(name), { body: { spec: { deletionPolicy } } });
    await this.request('DELETE', this.sourcePath(name));
  }

  async sourceExists(name: SourceName): Promise<boolean> {
    return (await this.request('GET', this.sourcePath(name))).status !== 404;
  }

  /** The password of the Secret that the sources read Git with. */
  async setPassword(password: string): Promise<void> {
    const body = { data: { password: Buffer.from(password).toString('base64') } };
    await this.request('PATCH', `/api/v1/namespaces/${this.#places.namespace}/secrets/git`, { body });
  }

  async leaseHolder(): Promise<string | undefined> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${this.#places.namespace}/leases/plumbline-operator`;
    const { body } = await this.request<{ spec?: { holderIdentity?: string } }>('GET', path);
    return body.spec?.holderIdentity;
  }
}
