import { driftGuardSpec } from '../api/drift-guard.ts';
import { API_VERSION, STATUS_FIELD_MANAGER } from '../api/names.ts';
import type { FieldPath } from '../drift/fields.ts';
import { judge } from '../drift/judge.ts';
import { PlumblineError } from '../errors.ts';
import type { Discovery } from '../kube/discovery.ts';
import { isGone, isNamespaceTerminating } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import { inParallel } from '../concurrency/parallel.ts';
import { Turns } from '../concurrency/turns.ts';
import { Ledger } from './ledger.ts';
import { labels, POLICY, scopedName } from './names.ts';
import { GUARD, guardId, idOf, namespaceOf, OwnObjects, rankOf } from './own-objects.ts';
import { homeOf, type Platform } from './policy.ts';
import { ScalePaths } from './scale-paths.ts';
import { sharesOf, type Wish } from './shares.ts';
import { askStanding, type Standing } from './standing.ts';

export interface GuardDeps {
  api: KubeApi;
  discovery: Discovery;
  /** Without the operator's own user, which the API server is asked for. */
  platform: Omit<Platform, 'operatorUser'>;
  /** Somebody else changed or removed what was made for this source, and it could not be made again. */
  disturbed: (source: string) => void;
  /** The CRD of this name (`plural.group`) has another content now. */
  redefined: (crd: string) => void;
  onError: (error: unknown) => void;
  signal: AbortSignal;
}

/** etcd takes 1.5 MiB for all that is stored of an object (its flag max-request-bytes). */
const MAX_BYTES = 1.3 * 1024 * 1024;
/** Requests at once, for a source whose objects are in many namespaces. */
const WIDTH = 8;

/**
 * Keeps in the cluster what the sources with `drift.mode: Prevent` need: the two policies and their bindings, and in each
 * namespace that holds objects of theirs one DriftGuard. But for one question at the start, nothing is asked or watched as
 * long as no source wants it and nothing is left from before.
 */
export class Guard {
  readonly #deps: GuardDeps;
  readonly #own: OwnObjects;
  readonly #wanting = new Set<string>();
  readonly #ledger = new Ledger();
  /** Those of ours that may be other than they should. */
  readonly #unsure = new Set<string>();
  /** By source: the guards in which something of it has changed and is not written yet. */
  readonly #owed = new Map<string, readonly string[]>();
  readonly #turns = new Turns();
  readonly #scalePaths: ScalePaths;
  #standing: Promise<Standing> | undefined;

  constructor(deps: GuardDeps) {
    this.#deps = deps;
    this.#scalePaths = new ScalePaths(deps.api);
    this.#own = new OwnObjects({
      ...deps,
      redefined: (crd) => {
        this.#scalePaths.forget(crd);
        deps.redefined(crd);
      },
      watchNamespace: deps.platform.watchNamespace,
      found: (object) => this.#adopt(object),
      changed: (id, isGone) => {
        // It may have gone with our CRD; another one has another uid.
        if (isGone) this.#standing = undefined;
        this.#mend(id);
      },
    });
  }

  /** Watches that are open. */
  get size(): number {
    return this.#own.size;
  }

  /** At the start: takes up what an earlier process left, and removes what belongs to a source that does not exist. */
  async start(exists: (source: string) => boolean): Promise<void> {
    if (!(await this.#own.openIfAny(this.#deps.signal))) return;
    const gone = this.#ledger.sources().filter((source) => !exists(source));
    await this.#settle([
      ...gone.flatMap((source) => this.#doubt(this.#ledger.put(source, new Map()))),
      ...this.#unused(),
    ]);
  }

  /** Resolves when the cluster holds what this source needs, and no more; sends nothing when it does already. */
  async want(wish: Wish, signal: AbortSignal): Promise<void> {
    this.#wanting.add(wish.source);
    await this.#own.open(signal);
    const { platform, objects } = await this.#stands();
    const standing = objects.map(idOf);
    for (const id of standing) if (!this.#own.live.has(id)) this.#unsure.add(id);
    // One after the other, policies first: who writes a binding must be known to have the rights that its policy asks for.
    for (const id of standing) await this.#settle([id]);
    const changed = this.#ledger.put(wish.source, sharesOf(wish, homeOf(platform)));
    const held = this.#ledger.namespacesOf(wish.source).map(guardId);
    await this.#settleFor(wish.source, changed, held);
  }

  /** The field that the subresource scale of this kind sets. What is remembered ends when its CRD changes. */
  async scaledBy(resource: ApiResource, signal: AbortSignal): Promise<FieldPath> {
    const { crd } = await this.#own.open(signal);
    return this.#scalePaths.of(resource, crd, this.#deps.signal);
  }

  /** From now on this user writes the objects of the source; told before the first of these writes. */
  async writesAs(source: string, account: string): Promise<void> {
    if (!(await this.#own.openIfAny(this.#deps.signal))) return;
    await this.#settleFor(source, this.#ledger.rename(source, account));
  }

  /** Lets everything go that was made for this source; with the last one, the policies too. Sends nothing if there is none. */
  async release(source: string): Promise<void> {
    this.#wanting.delete(source);
    if (!(await this.#own.openIfAny(this.#deps.signal))) return;
    await this.#settleFor(source, this.#ledger.put(source, new Map()));
  }

  /** What a source let go and could not be written stays owed: the next time that it asks, it is tried again. */
  async #settleFor(source: string, changed: readonly string[], held: readonly string[] = []): Promise<void> {
    const owed = [...new Set([...(this.#owed.get(source) ?? []), ...this.#doubt(changed)])];
    if (owed.length > 0) this.#owed.set(source, owed);
    await this.#settle([...owed, ...held, ...this.#unused()]);
    this.#owed.delete(source);
  }

  #doubt(namespaces: readonly string[]): string[] {
    const ids = namespaces.map(guardId);
    for (const id of ids) this.#unsure.add(id);
    return ids;
  }

  get #isUsed(): boolean {
    return this.#wanting.size > 0 || !this.#ledger.isEmpty;
  }

  /** What nobody wants: guards that have nothing to say, and when there are no others, policies and bindings. */
  #unused(): string[] {
    if (!this.#isUsed) for (const id of this.#own.live.keys()) this.#unsure.add(id);
    return [...this.#unsure].filter((id) => {
      const namespace = namespaceOf(id);
      return namespace === undefined ? !this.#isUsed : this.#ledger.sourcesIn(namespace).length === 0;
    });
  }

  /** Guards first, policies last: by these the next start sees that there is anything of ours. Throws the first failure. */
  async #settle(ids: readonly string[]): Promise<void> {
    const open = new Set(ids.filter((id) => this.#unsure.has(id) || this.#turns.busy(id)));
    for (const [, some] of [...Map.groupBy(open, rankOf)].sort(([a], [b]) => a - b)) await this.#keepAll(some);
  }

  /** Each by itself: what cannot be written in one namespace holds nobody up elsewhere. Throws the first failure at the end. */
  async #keepAll(ids: readonly string[]): Promise<void> {
    const failures: unknown[] = [];
    await inParallel(ids, WIDTH, (id) => this.#keep(id).catch((error: unknown) => void failures.push(error)));
    if (failures.length > 0) throw failures[0];
  }

  /** What many ask for at the same time is written once. */
  #keep(id: string): Promise<void> {
    return this.#turns.run(id, async () => {
      if (!this.#unsure.delete(id)) return;
      try {
        await this.#write(id);
      } catch (error) {
        this.#unsure.add(id);
        const isHome = namespaceOf(id) === homeOf(this.#deps.platform);
        if (isHome || !isNamespaceGone(error)) throw error;
      }
    });
  }

  async #write(id: string): Promise<void> {
    const { api, signal } = this.#deps;
    const live = this.#own.live.get(id);
    const declared = this.#isUsed ? await this.#declared(id) : undefined;
    if (!declared && !live) return;
    if (declared && judge({ declared, live, manager: STATUS_FIELD_MANAGER }).kind === 'inSync') return;
    const { kind, metadata } = (declared ?? live)!;
    const { name, namespace = '' } = metadata;
    const resource = (await this.#own.open(signal)).byName.get(kind)!;
    const body = JSON.stringify(declared ?? null);
    const isTooLarge = Buffer.byteLength(body) > MAX_BYTES;
    // One that cannot be written any more must not go on refusing what it said last.
    if (live && (!declared || isTooLarge)) {
      await api.delete(resource, namespace, name, { uid: live.metadata.uid, signal });
      this.#own.live.delete(id);
      // Somebody may want it again by now.
      this.#unsure.add(id);
    }
    if (isTooLarge) throw tooLarge(namespace);
    if (!declared) return;
    const options = { fieldManager: STATUS_FIELD_MANAGER, force: true, signal };
    const { object } = await api.apply(resource, namespace, name, body, options);
    // What the watch said meanwhile is newer: somebody may have changed or removed it again before the answer was here.
    if (this.#own.live.get(id) === live) this.#own.live.set(id, object);
  }

  /** What should be there; undefined for nothing. */
  async #declared(id: string): Promise<KubeObject | undefined> {
    const { platform, objects, owner } = await this.#stands();
    const object = objects.find((one) => idOf(one) === id) ?? this.#guardOf(id, platform);
    return object && ({ ...object, metadata: { ...object.metadata, ownerReferences: [owner] } } as KubeObject);
  }

  #guardOf(id: string, { watchNamespace }: Platform): KubeObject | undefined {
    const namespace = namespaceOf(id);
    const spec = namespace === undefined ? undefined : this.#ledger.specOf(namespace);
    if (namespace === undefined || !spec) return undefined;
    const name = scopedName(POLICY, watchNamespace);
    return {
      apiVersion: API_VERSION,
      kind: GUARD,
      metadata: { name, namespace, labels: labels(watchNamespace) },
      spec,
    };
  }

  async #stands(): Promise<Standing> {
    const { api, platform, signal } = this.#deps;
    const kinds = await this.#own.open(signal);
    const asked = (this.#standing ??= askStanding(api, kinds, platform, signal));
    asked.catch(() => (this.#standing = undefined));
    return asked;
  }

  #adopt(object: KubeObject): void {
    const id = idOf(object);
    // An operator of another version, or somebody else, may have written it.
    this.#unsure.add(id);
    const namespace = namespaceOf(id);
    const spec = driftGuardSpec.safeParse(object['spec']);
    if (namespace !== undefined && spec.success) this.#ledger.adopt(namespace, spec.data);
  }

  /** The echo of what we wrote is found as it should be. */
  #mend(id: string): void {
    this.#unsure.add(id);
    this.#keep(id).catch((error: unknown) => {
      if (this.#deps.signal.aborted) return;
      this.#deps.onError(error);
      const namespace = namespaceOf(id);
      for (const source of namespace === undefined ? this.#wanting : this.#ledger.sourcesIn(namespace))
        this.#deps.disturbed(source);
    });
  }
}

function tooLarge(namespace: string): PlumblineError {
  const message = `what is declared in the namespace ${namespace} under drift.mode Prevent is more than one DriftGuard can hold: nothing is refused there`;
  return new PlumblineError('GuardTooLarge', message);
}

/** Nothing is left there to be guarded: its namespace is on its way out, or gone. */
function isNamespaceGone(error: unknown): boolean {
  return isGone(error) || isNamespaceTerminating(error);
}
