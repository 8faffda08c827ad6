import { API_VERSION } from '../api/names.ts';
import { PlumblineError } from '../errors.ts';
import type { Discovery } from '../kube/discovery.ts';
import type { KubeError } from '../kube/errors.ts';
import { abortable } from '../concurrency/abortable.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ApiResource } from '../kube/resource.ts';
import { crdHandler } from './crd-handler.ts';
import { PREVENT_LABEL } from './names.ts';
import { ADMISSION_VERSION } from './policy.ts';

/** Codes of this room; each becomes the reason of the condition DriftPrevented. */
export const PREVENT_ERRORS = {
  PreventUnsupported: {
    meaning:
      'The API server does not serve ValidatingAdmissionPolicy in its version v1 (Kubernetes 1.30 and later), or the CRD of DriftGuard is not installed.',
    mend: 'Install all CRDs of this version of Plumbline; drift is healed meanwhile. Or set spec.drift.mode: Heal.',
  },
  GuardTooLarge: {
    meaning:
      'What sources with spec.drift.mode: Prevent declare in one namespace is more than the API server stores in one object (some 30,000 objects). Nothing is refused in that namespace.',
    mend: 'Set the largest of them to Heal, or divide the namespace; drift is healed meanwhile.',
  },
} as const;

export const GUARD = 'DriftGuard';

const POLICY_KIND = 'ValidatingAdmissionPolicy';

const KINDS = [
  [ADMISSION_VERSION, POLICY_KIND],
  [ADMISSION_VERSION, 'ValidatingAdmissionPolicyBinding'],
  [API_VERSION, GUARD],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['authentication.k8s.io/v1', 'SelfSubjectReview'],
] as const;

/** The kinds that are needed, as the API server serves them. */
export interface Kinds {
  /** What we write. */
  byName: ReadonlyMap<string, ApiResource>;
  crd: ApiResource;
  review: ApiResource;
}

export interface OwnObjectsDeps {
  api: KubeApi;
  discovery: Discovery;
  watchNamespace: string;
  /** Found when the watches were opened: an earlier process left it. */
  found: (object: KubeObject) => void;
  /** Made, changed or removed since, by whomever. */
  changed: (id: string, isGone: boolean) => void;
  /** The CRD of this name (`plural.group`) has another content now. */
  redefined: (crd: string) => void;
  onError: (error: unknown) => void;
  signal: AbortSignal;
}

/**
 * Our policies, bindings and guards as they are in the cluster, by `idOf`. But for one question, nothing is asked or watched
 * before `open` is called.
 */
export class OwnObjects {
  readonly live = new Map<string, KubeObject>();
  readonly #deps: OwnObjectsDeps;
  #left: Promise<boolean> | undefined;
  #opened: Promise<{ kinds: Kinds; reflectors: readonly Reflector[] }> | undefined;
  #isKnown = false;
  #problem = Promise.withResolvers<never>();

  constructor(deps: OwnObjectsDeps) {
    this.#deps = deps;
    this.#problem.promise.catch(() => undefined);
  }

  /** Watches that are open. */
  get size(): number {
    return this.#opened ? 4 : 0;
  }

  /** Opens the watches if there is anything of ours; false: there is nothing, as far as was asked once. */
  async openIfAny(signal: AbortSignal): Promise<boolean> {
    if (!this.#opened && !(await (this.#left ??= this.#askLeft()))) return false;
    await this.open(signal);
    return true;
  }

  /** All of ours are known from here on. Rejects while they cannot be listed; it goes on trying by itself. */
  async open(signal: AbortSignal): Promise<Kinds> {
    this.#opened ??= this.#watch();
    this.#opened.catch(() => (this.#opened = undefined));
    const { kinds, reflectors } = await this.#opened;
    for (const reflector of reflectors)
      if (!reflector.hasSynced) await abortable(Promise.race([reflector.synced, this.#problem.promise]), signal);
    this.#isKnown = true;
    return kinds;
  }

  get #selection() {
    return { labelSelector: `${PREVENT_LABEL}=${this.#deps.watchNamespace || 'all'}` };
  }

  /** Policies are made before the first guard and removed after the last. */
  async #askLeft(): Promise<boolean> {
    const { api, discovery, signal } = this.#deps;
    try {
      const resource = await discovery.resource(ADMISSION_VERSION, POLICY_KIND, signal);
      if (!resource) return false;
      const { value } = await api.list(resource, { ...this.#selection, limit: 1, signal }).next();
      return value !== undefined && value.items.length > 0;
    } catch (error) {
      this.#left = undefined;
      throw error;
    }
  }

  async #watch() {
    const { api, signal, redefined } = this.#deps;
    const [policy, binding, guard, crd, review] = await this.#kinds();
    const own = [policy!, binding!, guard!];
    const reflectors = [
      ...own.map((resource) => new Reflector(api, { resource, ...this.#selection }, this.#handler(resource))),
      new Reflector(
        api,
        { resource: crd!, metadataOnly: true },
        crdHandler({ redefined, problem: (error) => this.#troubled(error) }),
      ),
    ];
    for (const reflector of reflectors) void reflector.run(signal);
    const byName = new Map(own.map((resource) => [resource.kind, resource]));
    return { kinds: { byName, crd: crd!, review: review! }, reflectors };
  }

  #kinds(): Promise<ApiResource[]> {
    const { discovery, signal } = this.#deps;
    return Promise.all(
      KINDS.map(async ([apiVersion, kind]) => {
        const resource = await discovery.resource(apiVersion, kind, signal);
        if (resource) return resource;
        throw new PlumblineError('PreventUnsupported', `the API server does not serve ${kind} in ${apiVersion}`);
      }),
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
        for (const [id, object] of this.live) if (object.kind === kind && !seen.has(id)) this.#gone(object);
      },
      event: (type: string, object: KubeObject) => (type === 'DELETED' ? this.#gone(object) : this.#seen(object)),
      problem: (error: KubeError) => this.#troubled(error),
    };
  }

  #seen(object: KubeObject): void {
    const id = idOf(object);
    const before = this.live.get(id);
    this.live.set(id, object);
    if (!this.#isKnown) this.#deps.found(object);
    else if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) this.#deps.changed(id, false);
  }

  #gone(object: KubeObject): void {
    const id = idOf(object);
    if (this.live.get(id)?.metadata.uid !== object.metadata.uid) return;
    this.live.delete(id);
    this.#deps.changed(id, true);
  }

  #troubled(error: KubeError): void {
    this.#deps.onError(error);
    this.#problem.reject(error);
    this.#problem = Promise.withResolvers<never>();
    this.#problem.promise.catch(() => undefined);
  }
}

export function idOf({ kind, metadata: { namespace, name } }: KubeObject): string {
  return kind === GUARD ? guardId(namespace ?? '') : `${kind}/${name}`;
}

/** There is one in a namespace. */
export function guardId(namespace: string): string {
  return `${GUARD}/${namespace}`;
}

/** Of two ids the one with the lower number is removed first: a guard, a binding, a policy. */
export function rankOf(id: string): number {
  if (namespaceOf(id) !== undefined) return 0;
  return id.startsWith(`${POLICY_KIND}/`) ? 2 : 1;
}

/** The namespace of a guard, from its id; undefined for anything else. */
export function namespaceOf(id: string): string | undefined {
  return id.startsWith(`${GUARD}/`) ? id.slice(GUARD.length + 1) : undefined;
}
