// What people do to the cluster of one world with kubectl; their requests go on while the API server restarts.
import { setTimeout as delay } from 'node:timers/promises';
import { load } from 'js-yaml';
import type { DriftGuard } from '../../src/api/drift-guard.ts';
import type { GitOpsSource } from '../../src/api/source.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Cluster } from '../cluster.ts';
import type { ClusterResponse } from '../cluster-request.ts';
import { UNLABELLED } from '../team.ts';
import { until } from '../until.ts';
import {
  additionTo,
  collectionOf,
  folderOf,
  manifestOf,
  patchOf,
  valueOf,
  type Key,
  type Kind,
  type Places,
  type SourceName,
} from './declared.ts';
import type { Action, DeletionPolicy, Edit, ForeignFields, Mode } from './steps.ts';

/** The object is gone, there already, or refuses: it may well be, in the middle of all this. */
const NOT_NOW: readonly number[] = [404, 409, 422];
const ATTEMPTS = 300;
/** How long somebody may be refused after Prevent is over: the operator opens what it held, and may only just have started. */
const AFTERMATH_MS = 60_000;
const OBSERVED_MS = 120_000;

type Answer = ClusterResponse<KubeObject>;

/** Closed whatever the time is: the operator's clock is moved. */
function closed(purpose: 'sync' | 'heal'): object {
  return { windows: [{ schedule: '* * * * *', duration: '1h', for: purpose, effect: 'deny' }] };
}

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
      if (answer && (answer.status < 300 || NOT_NOW.includes(answer.status) || isPrevented(answer))) return answer;
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

  /** What the API server answered: the object, when it is there and the edit is let pass. `mayPass`: also what must be refused. */
  async edit({ key, how, glass, must }: Omit<Edit, 'do'>, mayPass = () => false): Promise<Answer> {
    const token = glass && this.#cluster.tokens['ann'];
    const deadline = performance.now() + AFTERMATH_MS;
    for (;;) {
      const answer = await this.#edit(key, how, token ? { token } : {});
      const isRefused = isPrevented(answer);
      if (isRefused && must === 'pass' && performance.now() < deadline) await delay(100);
      else if (isRefused && (glass || must === 'pass')) throw new Error(`${key}: ${how} was refused: ${said(answer)}`);
      else if (!isRefused && must === 'be refused' && !mayPass())
        throw new Error(`${key}: ${how} got through: ${said(answer)}`);
      else return answer;
    }
  }

  #edit(key: Key, how: Edit['how'], options: { token?: string }): Promise<Answer> {
    const [kind, name] = key.split('/') as [Kind, string];
    const path = `${collectionOf(kind, this.#places)}/${name}`;
    const patch = (body: object, manager = 'kubectl-edit') =>
      this.request('PATCH', `${path}?fieldManager=${manager}`, { body, ...options });
    switch (how) {
      case 'delete':
        return this.request('DELETE', path, options);
      case 'remake':
        return this.#remake(key, path, options);
      case 'thief':
        return this.#steal(key, path, options);
      case 'value':
        return patch(patchOf(key, 'edited'));
      case 'unlabel':
        return patch(UNLABELLED);
      case 'relabel':
        return patch({ metadata: { labels: { 'plumbline.dev/name': 'somebody-else' } } });
      case 'unproven':
        return patch({ metadata: { annotations: { 'plumbline.dev/owner': null } } });
      case 'unmanaged':
        return patch({ metadata: { managedFields: [{}] } });
      case 'note':
      case 'extra': // by a manager whose fields nobody takes over
        return patch(additionTo(key, how), 'somebody');
    }
  }

  /**
   * As from an old backup: with our labels, and without our proof, which others may not write. By server-side apply: who creates
   * by other ways holds the server's defaults, too, which are foreign fields then. The operator may be faster.
   */
  async #remake(key: Key, path: string, options: { token?: string }): Promise<Answer> {
    const found = await this.request('GET', path);
    if (found.status !== 200) return found;
    const answer = await this.request('DELETE', path, options);
    if (answer.status >= 300) return answer;
    const ours = Object.entries(found.body.metadata.labels ?? {}).filter(([label]) =>
      label.startsWith('plumbline.dev/'),
    );
    const body = load(manifestOf(key, 'remade', this.#places)) as KubeObject;
    body.metadata.labels = Object.fromEntries(ours);
    const contentType = 'application/apply-patch+yaml';
    await this.request('PATCH', `${path}?fieldManager=backup&force=true`, { body, contentType, ...options });
    return answer;
  }

  /** `kubectl apply --server-side --force-conflicts` of another value. */
  async #steal(key: Key, path: string, options: { token?: string }): Promise<Answer> {
    const found = await this.request('GET', path);
    if (found.status !== 200) return found;
    const { apiVersion, kind, metadata } = found.body;
    const stolen = { apiVersion, kind, metadata: { name: metadata.name }, ...patchOf(key, 'stolen') };
    const contentType = 'application/apply-patch+yaml';
    return this.request('PATCH', `${path}?fieldManager=thief&force=true`, { body: stolen, contentType, ...options });
  }

  async editSource(name: SourceName, how: (Action & { do: 'source' })['how']): Promise<void> {
    if (how === 'request') return this.#annotate(name, 'requestedAt', String(performance.now()));
    await this.#spec(name, { suspend: how === 'suspend' });
  }

  setMode(name: SourceName, mode: Mode): Promise<void> {
    return this.#spec(name, { drift: { mode } });
  }

  setForeignFields(name: SourceName, foreignFields: ForeignFields): Promise<void> {
    return this.#spec(name, { drift: { foreignFields } });
  }

  async hold(name: SourceName, what: 'approval' | 'window'): Promise<void> {
    await this.#spec(name, what === 'approval' ? { sync: 'Manual' } : closed('sync'));
    await this.#observed(name);
  }

  async depend(name: SourceName, on: SourceName | undefined): Promise<void> {
    await this.#spec(name, { dependsOn: on ? [{ name: on }] : null });
    if (on) await this.#observed(name);
  }

  release(name: SourceName, how: (Action & { do: 'release' })['how'], commit: string): Promise<void> {
    return how === 'open' ? this.#spec(name, { sync: null, windows: null }) : this.#annotate(name, how, commit);
  }

  async closeHealing(name: SourceName): Promise<void> {
    await this.#spec(name, closed('heal'));
    await this.#observed(name);
  }

  async openHealing(name: SourceName, how: 'healNow' | 'open'): Promise<void> {
    const token = String(performance.now());
    if (how === 'healNow') {
      await this.#annotate(name, 'healNow', token);
      await this.#until(name, 'heals once', ({ status }) => status?.lastHandledHealNow === token);
    }
    await this.#spec(name, { windows: null });
  }

  /** The edit is reported as one that waits, and nobody has healed it. */
  async unhealed(name: SourceName, key: Key): Promise<void> {
    await this.#until(name, 'reports drift that waits', ({ status }) => {
      const drifted = status?.conditions?.find(({ type }) => type === 'Drifted');
      return drifted?.status === 'True' && drifted.reason === 'WaitingForWindow';
    });
    const [kind, object] = key.split('/') as [Kind, string];
    const { body } = await this.request('GET', `${collectionOf(kind, this.#places)}/${object}`);
    const value = valueOf(kind, body);
    if (value !== 'edited') throw new Error(`${key} of ${name} has ${value} although the window for healing is closed`);
  }

  #observed(name: SourceName): Promise<void> {
    const isObserved = ({ status, metadata }: GitOpsSource) => status?.observedGeneration === metadata.generation;
    return this.#until(name, 'is read again', isObserved);
  }

  async #until(name: SourceName, what: string, fits: (source: GitOpsSource) => boolean): Promise<void> {
    let last: GitOpsSource | undefined;
    const look = async () => fits((last = (await this.request<GitOpsSource>('GET', this.sourcePath(name))).body));
    const told = { what: `the source ${name} ${what}`, timeoutMs: OBSERVED_MS, intervalMs: 50 };
    await until(look, told).catch((cause: unknown) => {
      throw new Error(`${(cause as Error).message}; it is ${JSON.stringify(last)}`, { cause });
    });
  }

  async #spec(name: SourceName, spec: object): Promise<void> {
    await this.request('PATCH', this.sourcePath(name), { body: { spec } });
  }

  async #annotate(name: SourceName, annotation: string, value: string): Promise<void> {
    const body = { metadata: { annotations: { [`plumbline.dev/${annotation}`]: value } } };
    await this.request('PATCH', this.sourcePath(name), { body });
  }

  async deleteSource(name: SourceName, deletionPolicy: DeletionPolicy): Promise<void> {
    await this.request('PATCH', this.sourcePath(name), { body: { spec: { deletionPolicy } } });
    await this.request('DELETE', this.sourcePath(name));
  }

  /** Names of the sources for which edits are refused somewhere. */
  async guardedSources(): Promise<string[]> {
    const selector = encodeURIComponent(`plumbline.dev/prevent=${this.#places.namespace}`);
    const guards = await this.list(`/apis/plumbline.dev/v1alpha1/driftguards?labelSelector=${selector}`);
    const sources = (guards as DriftGuard[]).flatMap(({ spec }) => Object.keys(spec.sources));
    return sources.map((key) => key.split('/')[1]!);
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

/** Refused by a policy of drift.mode Prevent. */
export function isPrevented({ status, body }: ClusterResponse<unknown>): boolean {
  return status === 403 && JSON.stringify(body).includes("ValidatingAdmissionPolicy 'plumbline-prevent");
}

function said({ status, body }: Answer): string {
  return `${status} ${JSON.stringify(body).slice(0, 400)}`;
}
