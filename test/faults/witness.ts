// Watches a world over a connection of its own, and remembers what was seen when: nothing that a status claims is believed.
import type { GitOpsSource } from '../../src/api/source.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { ApiResource } from '../../src/kube/resource.ts';
import type { Cluster } from '../cluster.ts';
import { clientOf } from '../kube-client.ts';
import { EDGE } from '../edge.ts';
import { factOf, KINDS, valueOf, type Fact, type Key, type Kind, type Places, type SourceName } from './declared.ts';

/** A source said, at this version of the cluster, that it has applied this commit. */
interface Claim {
  source: SourceName;
  commit: string;
  version: bigint;
}

export class Witness implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #api: ReturnType<typeof clientOf>;
  readonly #running: Promise<void>[] = [];
  /** When each value was first seen at each object: `configmaps/k-0=v12` → version. */
  readonly #seen = new Map<Fact, bigint>();
  readonly #claimed = new Map<SourceName, string>();
  #claims: Claim[] = [];
  /** Of events up to here some may be missing: a watch had to list again. */
  #blindUntil = 0n;

  constructor(cluster: Cluster, places: Places) {
    this.#api = clientOf(cluster, { token: cluster.tokens.driver });
    const { namespace, other, group } = places;
    const core = (kind: string, plural: string) => resource('', 'v1', kind, plural);
    const kinds: Record<Kind, [ApiResource, string]> = {
      configmaps: [core('ConfigMap', 'configmaps'), namespace],
      secrets: [core('Secret', 'secrets'), other],
      services: [core('Service', 'services'), namespace],
      widgets: [resource(group, 'v1', 'Widget', 'widgets'), namespace],
      mappings: [resource('getambassador.io', EDGE.split('/')[1]!, 'Mapping', 'mappings'), namespace],
    };
    for (const kind of KINDS) this.#watch(...kinds[kind], (object) => this.#object(kind, object));
    const sources = resource('plumbline.dev', 'v1alpha1', 'GitOpsSource', 'gitopssources');
    this.#watch(sources, namespace, (object) => this.#source(object as GitOpsSource));
  }

  /**
   * The claims since the last `forget` that nothing proves: an object that the commit declares had not been seen with its value
   * when the source said that the commit is applied. `declaredBy` is undefined for a commit that nobody pushed.
   */
  unproven(declaredBy: (commit: string, source: SourceName) => ReadonlyMap<Key, string> | undefined): string[] {
    const claims = this.#claims.filter(({ version }) => version > this.#blindUntil);
    return claims.flatMap(({ source, commit, version }) => {
      const declared = declaredBy(commit, source);
      if (!declared) return [`${source} says that it applied ${commit}, which was never pushed`];
      return [...declared].flatMap(([key, value]) => {
        const at = this.#seen.get(factOf(key, value));
        return at !== undefined && at <= version
          ? []
          : [`${source} said that ${commit} is applied (at ${version}), but ${key}=${value} was seen ${at ?? 'never'}`];
      });
    });
  }

  /** Those of the facts that were seen, ever. */
  seen(facts: readonly Fact[]): Fact[] {
    return facts.filter((fact) => this.#seen.has(fact));
  }

  forget(): void {
    this.#claims = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    await this.#api[Symbol.asyncDispose]();
  }

  #watch(kind: ApiResource, namespace: string, tell: (object: KubeObject) => void): void {
    let lists = 0;
    const reflector = new Reflector(
      this.#api,
      { resource: kind, namespace },
      {
        listStarted: () => {},
        item: tell,
        listDone: (version) => {
          if ((lists += 1) > 1) this.#blindUntil = max(this.#blindUntil, BigInt(version));
        },
        event: (_type, object) => tell(object),
      },
    );
    this.#running.push(reflector.run(this.#stop.signal));
  }

  #object(kind: Kind, object: KubeObject): void {
    const version = BigInt(object.metadata.resourceVersion ?? 0);
    const fact = factOf(`${kind}/${object.metadata.name}`, valueOf(kind, object));
    if (!this.#seen.has(fact)) this.#seen.set(fact, version);
  }

  #source({ metadata, status }: GitOpsSource): void {
    const version = BigInt(metadata.resourceVersion ?? 0);
    const source = metadata.name as SourceName;
    const commit = status?.lastAppliedRevision?.slice(-40);
    if (commit === undefined || this.#claimed.get(source) === commit) return;
    this.#claimed.set(source, commit);
    this.#claims.push({ source, commit, version });
  }
}

function resource(group: string, version: string, kind: string, plural: string): ApiResource {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const verbs = ['get', 'list', 'watch'];
  return { apiVersion, group, version, kind, plural, namespaced: true, verbs, hasStatus: false };
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
