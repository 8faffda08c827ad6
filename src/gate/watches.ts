import { API_VERSION } from '../api/names.ts';
import type { EdgePolicy, EdgePolicySpec } from '../api/edge-policy.ts';
import {
  KindWatches,
  type UnlistedKind,
  type WatchedKind,
  type WatchEventType,
  type WatchListener,
} from '../drift/watches.ts';
import { EDGE_GROUP } from '../edge/gather.ts';
import type { KubeError } from '../kube/errors.ts';
import { identityKey, identityOf, type KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { Log } from '../report/log.ts';
import { EdgePolicies, type PolicyListener, type WatchedPolicy } from './policies.ts';
import type { EdgeWorld } from './world.ts';

/** How long a verdict waits for the first lists; what cannot be listed then is not known. Without the EdgePolicies there is none. */
const LIST_TIMEOUT_MS = 10_000;
/** Of Emissary's versions the one that its compiler works with. */
const NEWEST = `${EDGE_GROUP}/v3alpha1`;
/** Who wants the watches, for KindWatches. */
const EDGE = 'edge';

/** What platform teams ask of an edge. */
export const POLICIES: WatchedKind = { apiVersion: API_VERSION, kind: 'EdgePolicy' };
const NAMESPACES: WatchedKind = { apiVersion: 'v1', kind: 'Namespace', metadataOnly: true };
/** Old annotations are metadata. Of an Ingress the rules are needed too. */
const OTHERS: readonly WatchedKind[] = [
  { apiVersion: 'v1', kind: 'Service', metadataOnly: true },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass' },
];

export interface EdgeWatchesDeps {
  api: KubeApi;
  world: EdgeWorld;
  log: Log;
  signal: AbortSignal;
  /** Something arrived that may change what is judged. */
  onChange: () => void;
  policies: PolicyListener;
}

/**
 * What is live on the edge whoever made it, and the policies of the platform team. Nothing is watched in a cluster that does
 * not serve Emissary's kinds, until a source declares one of them.
 */
export class EdgeWatches implements WatchListener {
  readonly #deps: EdgeWatchesDeps;
  readonly #watches: KindWatches;
  readonly #policies: EdgePolicies;
  readonly #namespaces = new Map<string, Record<string, string>>();
  /** Moves with the policies and with what they select. */
  rulesVersion = 0;
  #wanted: WatchedKind[] = [];
  #served = '';
  /** A source declares something of the edge, whether or not the cluster serves it. */
  #asked = false;

  constructor(deps: EdgeWatchesDeps) {
    this.#deps = deps;
    this.#policies = new EdgePolicies(deps.policies);
    const { api, signal } = deps;
    this.#watches = new KindWatches({ api, discovery: api.discovery, listener: this, signal });
  }

  get size(): number {
    return this.#watches.size;
  }

  /** What holds, by name of the EdgePolicy. */
  get policies(): ReadonlyMap<string, EdgePolicySpec> {
    return this.#policies.specs;
  }

  get watchedPolicies(): readonly WatchedPolicy[] {
    return this.#policies.all;
  }

  /** The labels of the namespaces, when a grant selects by them. */
  get namespaces(): ReadonlyMap<string, Readonly<Record<string, string>>> {
    return this.#namespaces;
  }

  /** apiVersions of Emissary's group that the cluster serves. */
  get servedVersions(): ReadonlySet<string> {
    return new Set(this.#deps.api.discovery.servedVersions(EDGE_GROUP));
  }

  /** Called when the server began to serve other kinds. */
  follow(): void {
    const { discovery } = this.#deps.api;
    const served = discovery
      .preferredKinds()
      .filter(({ group, verbs }) => group === EDGE_GROUP && verbs.includes('watch'));
    if (served.length === 0 && !this.#asked) return this.#want([]);
    const kinds = served.map(({ apiVersion, kind }) => ({
      apiVersion: discovery.cached(NEWEST, kind) ? NEWEST : apiVersion,
      kind,
    }));
    // Their CRD went, and they with it. Their watch goes on looking for it: nobody else would hear that it is back.
    if (!this.#isServed(POLICIES)) this.listed(POLICIES, new Set());
    const bySelector = [...this.#policies.specs.values()].some(({ grants }) =>
      grants?.some(({ selector }) => selector),
    );
    this.#want([...kinds, ...OTHERS, POLICIES, ...(bySelector ? [NAMESPACES] : [])]);
  }

  /** Waits until everything has been listed once, or cannot be. Returns what could not. */
  async settled(signal: AbortSignal): Promise<readonly UnlistedKind[]> {
    this.#asked = true;
    let unlisted: UnlistedKind[] = [];
    // A policy that selects namespaces by labels brings one more kind.
    for (let known = -1; known !== this.#wanted.length;) {
      this.follow();
      known = this.#wanted.length;
      const served = this.#wanted.filter((kind) => this.#isServed(kind));
      unlisted = await this.#watches.unlisted(served, LIST_TIMEOUT_MS, signal);
      this.follow();
    }
    return unlisted;
  }

  #isServed({ apiVersion, kind }: WatchedKind): boolean {
    return this.#deps.api.discovery.cached(apiVersion, kind) !== undefined;
  }

  #want(kinds: WatchedKind[]): void {
    const served = [...this.servedVersions].sort().join();
    if (this.#served !== served) {
      this.#served = served;
      this.#rulesChanged();
      this.#deps.onChange();
    }
    const isWanted = (kind: WatchedKind) =>
      kinds.some((other) => other.kind === kind.kind && other.apiVersion === kind.apiVersion);
    for (const kind of this.#wanted) if (!isWanted(kind)) this.listed(kind, new Set());
    this.#wanted = kinds;
    this.#watches.want(EDGE, kinds);
  }

  observe(type: WatchEventType, object: KubeObject): void {
    const { world, onChange } = this.#deps;
    const before = world.version;
    if (object.kind === 'EdgePolicy') this.#policySeen(type, object as EdgePolicy);
    else if (object.kind === 'Namespace') this.#namespaceSeen(type, object);
    else if (type === 'DELETED') world.gone(identityKey(identityOf(object)));
    else world.seen(object);
    if (world.version !== before) onChange();
  }

  listed(kind: WatchedKind, seen: ReadonlySet<string>): void {
    const { world, onChange } = this.#deps;
    const before = world.version;
    if (kind.kind === 'EdgePolicy') {
      if (this.#policies.keep(seen)) this.#rulesChanged();
    } else if (kind.kind === 'Namespace') this.#forgetUnseenNamespaces(seen);
    else world.listed(kind, seen);
    if (world.version !== before) onChange();
  }

  problem(kind: WatchedKind, error: KubeError): void {
    this.#deps.log.warn({ kind, error }, 'a kind of the edge cannot be watched; trying again');
  }

  #policySeen(type: WatchEventType, resource: EdgePolicy): void {
    const { name } = resource.metadata;
    if (type === 'DELETED') {
      if (!this.#policies.delete(name)) return;
    } else {
      const policy = this.#policies.seen(resource);
      if (!policy) return;
      const { parsed } = policy;
      if (!parsed.ok) this.#deps.log.error({ policy: name, problems: parsed.problems }, 'an EdgePolicy is malformed');
    }
    this.#rulesChanged();
    this.follow();
  }

  #namespaceSeen(type: WatchEventType, { metadata: { name, labels = {} } }: KubeObject): void {
    if (type === 'DELETED') this.#namespaces.delete(name);
    else this.#namespaces.set(name, labels);
    this.#rulesChanged();
  }

  #forgetUnseenNamespaces(seen: ReadonlySet<string>): void {
    for (const name of this.#namespaces.keys()) {
      if (seen.has(identityKey({ group: '', kind: 'Namespace', namespace: '', name }))) continue;
      this.#namespaces.delete(name);
      this.#rulesChanged();
    }
  }

  #rulesChanged(): void {
    this.#deps.world.version += 1;
    this.rulesVersion += 1;
  }
}
