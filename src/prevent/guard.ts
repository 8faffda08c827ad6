import { STATUS_FIELD_MANAGER } from '../api/names.ts';
import { judge } from '../drift/judge.ts';
import { PlumblineError } from '../errors.ts';
import type { Discovery } from '../kube/discovery.ts';
import { isNotFound, KubeError } from '../kube/errors.ts';
import { abortable } from '../concurrency/abortable.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ApiResource } from '../kube/resource.ts';
import { Turns } from '../concurrency/turns.ts';
import { bindings, sourceOf, type Wish } from './bindings.ts';
import { crdHandler } from './crd-handler.ts';
import { PREVENT_LABEL } from './names.ts';
import { ADMISSION_VERSION, policies, type Platform } from './policy.ts';

/** Codes of `Guard.want`; each becomes the reason of the condition DriftPrevented. */
export const PREVENT_ERRORS = {
  PreventUnsupported: {
    meaning: 'The API server does not serve ValidatingAdmissionPolicy in its version v1 (Kubernetes 1.30 and later).',
    mend: 'Nothing: drift is healed instead. Or set spec.drift.mode: Heal.',
  },
} as const;

export interface GuardDeps {
  api: KubeApi;
  discovery: Discovery;
  /** Without the operator's own user, which the API server is asked for. */
  platform: Omit<Platform, 'operatorUser'>;
  /** False when another replica may act by now. */
  mayWrite: () => boolean;
  /** Somebody else changed or removed what was made for this source. */
  disturbed: (source: string) => void;
  /** The CRD of this name (`plural.group`) has another content now. */
  redefined: (crd: string) => void;
  onError: (error: unknown) => void;
  signal: AbortSignal;
}

interface Watched {
  policy: ApiResource;
  binding: ApiResource;
  crd: ApiResource;
  reflectors: readonly Reflector[];
}

/**
 * Keeps in the cluster the two policies and the bindings that the sources with `drift.mode: Prevent` need. Nothing is watched
 * and nothing asked as long as no source wants it and none is left from before.
 */
export class Guard {
  readonly #deps: GuardDeps;
  readonly #wanting = new Set<string>();
  /** Our policies and bindings as they are in the cluster, by `idOf`. */
  readonly #live = new Map<string, KubeObject>();
  readonly #turns = new Turns(() => undefined);
  #watched: Promise<Watched> | undefined;
  #problem = Promise.withResolvers<never>();
  #platform: Promise<Platform> | undefined;
  #owner: Promise<object> | undefined;

  constructor(deps: GuardDeps) {
    this.#deps = deps;
    this.#problem.promise.catch(() => undefined);
  }

  /** Watches that are open. */
  get size(): number {
    return this.#watched ? 3 : 0;
  }

  /** At the start: takes up what an earlier process left, and removes what belongs to a source that does not exist. */
  async start(exists: (source: string) => boolean): Promise<void> {
    const { api, discovery, signal } = this.#deps;
    const resource = await discovery.resource(ADMISSION_VERSION, 'ValidatingAdmissionPolicy', signal);
    if (!resource) return;
    // They are made before the first binding and removed after the last.
    const { value } = await api.list(resource, { ...this.#selection, limit: 1, signal }).next();
    if (!value || value.items.length === 0) return;
    await this.#watching(signal);
    const sources = new Set([...this.#live.values()].flatMap((object) => sourceOf(object) ?? []));
    for (const source of sources) if (!exists(source)) await this.#remove(source, new Set());
    await this.#removeUnused();
  }

  /** Resolves when the cluster holds what this source needs, and no more; sends nothing when it does already. */
  async want(wish: Wish, signal: AbortSignal): Promise<void> {
    const source = `${wish.namespace}/${wish.name}`;
    this.#wanting.add(source);
    const { policy, binding } = await this.#watching(signal);
    const platform = await (this.#platform ??= this.#askPlatform());
    const wanted = bindings(wish, platform.watchNamespace);
    for (const object of policies(platform)) await this.#ensure(policy, object, signal);
    for (const object of wanted) await this.#ensure(binding, object, signal);
    await this.#remove(source, new Set(wanted.map(idOf)));
  }

  /** Removes everything that was made for this source; with the last one, the policies too. */
  async release(source: string): Promise<void> {
    this.#wanting.delete(source);
    if (!this.#watched) return;
    await this.#remove(source, new Set());
    await this.#removeUnused();
  }

  /** Policies that nothing binds and nobody wants. */
  async #removeUnused(): Promise<void> {
    const { policy } = await this.#watching(this.#deps.signal);
    if (this.#wanting.size > 0 || [...this.#live.values()].some(sourceOf)) return;
    for (const object of this.#live.values()) await this.#delete(policy, object);
  }

  async #remove(source: string, kept: ReadonlySet<string>): Promise<void> {
    const { binding } = await this.#watching(this.#deps.signal);
    for (const [id, object] of this.#live)
      if (sourceOf(object) === source && !kept.has(id)) await this.#delete(binding, object);
  }

  async #ensure(resource: ApiResource, object: KubeObject, signal: AbortSignal): Promise<void> {
    await this.#turns.run(idOf(object), async () => {
      const owner = await (this.#owner ??= this.#askOwner());
      const declared = { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } } as KubeObject;
      const live = this.#live.get(idOf(object));
      if (judge({ declared, live, manager: STATUS_FIELD_MANAGER }).kind === 'inSync') return;
      this.#assertLeading();
      const options = { fieldManager: STATUS_FIELD_MANAGER, force: true, signal };
      const answer = await this.#deps.api.apply(resource, '', object.metadata.name, JSON.stringify(declared), options);
      // What the watch said meanwhile is newer: somebody may have changed or removed it again before the answer was here.
      if (this.#live.get(idOf(object)) === live) this.#live.set(idOf(object), answer.object);
    });
  }

  async #delete(resource: ApiResource, object: KubeObject): Promise<void> {
    const id = idOf(object);
    await this.#turns.run(id, async () => {
      const source = sourceOf(object);
      // Wanted again while this waited for its turn.
      if (source === undefined ? this.#wanting.size > 0 : !this.#live.has(id)) return;
      this.#assertLeading();
      const { api, signal } = this.#deps;
      const { name, uid } = object.metadata;
      await api.delete(resource, '', name, { uid, signal });
      this.#live.delete(id);
    });
  }

  #assertLeading(): void {
    if (!this.#deps.mayWrite())
      throw new KubeError('LeaseLost', 'the leader lease was not renewed in time: another replica may lead now');
  }

  get #selection() {
    return { labelSelector: `${PREVENT_LABEL}=${this.#deps.platform.watchNamespace || 'all'}` };
  }

  /** Both kinds are known completely from here on. Rejects while they cannot be listed; it goes on trying by itself. */
  async #watching(signal: AbortSignal): Promise<Watched> {
    this.#watched ??= this.#watch();
    this.#watched.catch(() => (this.#watched = undefined));
    const watched = await this.#watched;
    for (const reflector of watched.reflectors)
      if (!reflector.hasSynced) await abortable(Promise.race([reflector.synced, this.#problem.promise]), signal);
    return watched;
  }

  async #watch(): Promise<Watched> {
    const { api, signal } = this.#deps;
    const [policy, binding, crd] = await Promise.all([
      this.#kind(ADMISSION_VERSION, 'ValidatingAdmissionPolicy'),
      this.#kind(ADMISSION_VERSION, 'ValidatingAdmissionPolicyBinding'),
      this.#kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    ]);
    const reflectors = [
      ...[policy, binding].map(
        (resource) => new Reflector(api, { resource, ...this.#selection }, this.#handler(resource)),
      ),
      new Reflector(
        api,
        { resource: crd, metadataOnly: true },
        crdHandler({ redefined: this.#deps.redefined, problem: (error) => this.#troubled(error) }),
      ),
    ];
    for (const reflector of reflectors) void reflector.run(signal);
    return { policy, binding, crd, reflectors };
  }

  async #kind(apiVersion: string, kind: string): Promise<ApiResource> {
    const resource = await this.#deps.discovery.resource(apiVersion, kind, this.#deps.signal);
    if (resource) return resource;
    throw new PlumblineError(
      'PreventUnsupported',
      `the API server does not serve ${kind} in ${apiVersion}; drift is healed`,
    );
  }

  #handler({ kind }: ApiResource) {
    let seen = new Set<string>();
    return {
      listStarted: () => void (seen = new Set()),
      item: (object: KubeObject) => {
        seen.add(idOf(object));
        this.#seen(object);
      },
      listDone: () => {
        for (const [id, object] of this.#live) if (object.kind === kind && !seen.has(id)) this.#gone(object);
      },
      event: (type: string, object: KubeObject) => (type === 'DELETED' ? this.#gone(object) : this.#seen(object)),
      problem: (error: KubeError) => this.#troubled(error),
    };
  }

  #seen(object: KubeObject): void {
    const id = idOf(object);
    const before = this.#live.get(id);
    this.#live.set(id, object);
    // The echo of what we wrote, or nothing that its run would not see anyway.
    if (before && before.metadata.resourceVersion !== object.metadata.resourceVersion) this.#disturbed(object);
  }

  #gone(object: KubeObject): void {
    const known = this.#live.get(idOf(object));
    if (known?.metadata.uid !== object.metadata.uid) return;
    this.#live.delete(idOf(object));
    // It may have gone with our CRD; another one has another uid.
    this.#owner = undefined;
    this.#disturbed(object);
  }

  /** A binding is one source's, a policy everybody's. */
  #disturbed(object: KubeObject): void {
    const source = sourceOf(object);
    for (const key of source === undefined ? this.#wanting : [source])
      if (this.#wanting.has(key)) this.#deps.disturbed(key);
  }

  #troubled(error: KubeError): void {
    this.#deps.onError(error);
    this.#problem.reject(error);
    this.#problem = Promise.withResolvers<never>();
    this.#problem.promise.catch(() => undefined);
  }

  async #askPlatform(): Promise<Platform> {
    try {
      return { ...this.#deps.platform, operatorUser: await this.#ownUser() };
    } catch (error) {
      this.#platform = undefined;
      throw error;
    }
  }

  async #ownUser(): Promise<string> {
    const { api, signal } = this.#deps;
    const apiVersion = 'authentication.k8s.io/v1';
    const review = { apiVersion, kind: 'SelfSubjectReview', metadata: {} };
    const { object } = await api.create(await this.#kind(apiVersion, 'SelfSubjectReview'), '', review, { signal });
    return (object['status'] as { userInfo: { username: string } }).userInfo.username;
  }

  /** What we make goes with our CRD: without it nothing of ours refuses anything. */
  async #askOwner(): Promise<object> {
    const { api, signal } = this.#deps;
    const { crd } = await this.#watching(signal);
    const name = 'gitopssources.plumbline.dev';
    try {
      const { metadata } = await api.get(crd, '', name, { metadataOnly: true, signal });
      return { apiVersion: crd.apiVersion, kind: crd.kind, name, uid: metadata.uid };
    } catch (error) {
      this.#owner = undefined;
      throw isNotFound(error) ? new KubeError('ApiNotFound', `the CRD ${name} is gone`, { cause: error }) : error;
    }
  }
}

function idOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
