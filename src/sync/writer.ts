import { FIELD_MANAGER, INITIAL_FIELD_MANAGER, OWNER_ANNOTATION, ownerProof } from '../api/names.ts';
import { baselineOf, type Baseline } from '../drift/judge.ts';
import { PlumblineError } from '../errors.ts';
import type { Discovery } from '../kube/discovery.ts';
import { isConflict, isKindNotServed } from '../kube/errors.ts';
import { identityKey, type Identity, type KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import { impersonated, type Actor, type WriteCall } from './actor.ts';
import { bodyWithout } from './body.ts';
import type { Desired } from './desired.ts';
import { withoutForeign } from './foreign-fields.ts';
import { handOver, takeBack } from './given-up.ts';
import { assertMayTouch, firstTouch, readLive, type Adopted } from './first-touch.ts';
import type { LiveObject, LiveObjects } from './live.ts';
import { Presence } from './presence.ts';
import { isImmutable, recreate } from './recreate.ts';
import { isMarkedOnly, sighted } from './sighting.ts';
import { Turns } from '../concurrency/turns.ts';

export type WriteAction = 'created' | 'configured' | 'unchanged' | 'adopted' | 'recreated';

export interface Written {
  action: WriteAction;
  /** As the server answered; undefined when nothing was sent. */
  object?: KubeObject;
  /** An object of ours that the watches had lost (no labels), as it was found. */
  found?: KubeObject;
  adopted?: Adopted;
}

export interface WriterDeps {
  api: KubeApi;
  discovery: Discovery;
  live: LiveObjects;
  /** Who may write the key now: `namespace/name`, or undefined when nobody declares it. */
  holder(key: string): string | undefined;
  /** The last turn of a key ended. */
  onIdle: (key: string) => void;
}

/**
 * Writes one managed object at a time, each under its own lock. Managed objects are written by server-side apply only: an
 * Update under our name would split ownership. Everything it learns from the answers goes into LiveObjects.
 */
export class ObjectWriter {
  readonly #deps: WriterDeps;
  readonly turns: Turns;
  readonly presence: Presence;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
    this.turns = new Turns(deps.onIdle);
    this.presence = new Presence(deps.api);
  }

  /**
   * Makes the object as declared. `absent`: the caller knows (from a list a moment ago) that it does not exist, which saves
   * a read. Rejects with a KubeError or one of SYNC_ERRORS.
   */
  apply(actor: Actor, desired: Desired, options: { absent?: boolean; signal: AbortSignal }): Promise<Written> {
    return this.turns.run(desired.key, async () => {
      options.signal.throwIfAborted();
      this.#assertHolder(actor, desired.key, desired.identity);
      if (desired.policy.ssa === 'Ignore') return { action: 'unchanged' };
      const resource = await this.resourceOf(desired, options.signal);
      try {
        return await this.#applyTo({ actor, desired, resource, signal: options.signal }, options.absent === true);
      } catch (error) {
        // Its CRD went, or came back as another one: the next attempt goes to where the kind is served by then.
        if (isKindNotServed(error) || isKindNotServed((error as Error).cause))
          await this.#deps.discovery.doubt(options.signal).catch(() => options.signal.throwIfAborted());
        throw error;
      }
    });
  }

  #applyTo(call: WriteCall, absent: boolean): Promise<Written> | Written {
    const { actor, desired } = call;
    const known = this.#deps.live.get(desired.key);
    if (known?.deleting) throw terminating(desired);
    if (!known || !isOurs(known, actor.source)) return this.#applyFirst(call, absent && !known);
    if (desired.policy.ssa === 'IfNotPresent') return { action: 'unchanged' };
    return this.#applyOwn(call, known.surrendered);
  }

  /** The object as it is in the cluster, labelled or not, with the rights of the source; undefined when it does not exist. */
  async read(actor: Actor, desired: Desired, signal: AbortSignal): Promise<KubeObject | undefined> {
    const resource = await this.resourceOf(desired, signal);
    return readLive(this.#deps.api, { actor, desired, resource, signal });
  }

  /** The answer that an apply would get; nothing is stored. */
  async rehearse(actor: Actor, desired: Desired, signal: AbortSignal): Promise<KubeObject> {
    const resource = await this.resourceOf(desired, signal);
    const { object } = await this.#send({ actor, desired, resource, signal }, this.steadyBody(desired), {
      dryRun: true,
    });
    return object;
  }

  /**
   * Rejects when an apply would: nothing is stored. Unlike `rehearse`, for objects that may not be ours yet, and content with
   * a change that `force` will carry out by making the object anew.
   */
  async foresee(actor: Actor, desired: Desired, signal: AbortSignal): Promise<void> {
    const resource = await this.resourceOf(desired, signal);
    const known = this.#deps.live.get(desired.key);
    if (!known || !isOurs(known, actor.source))
      await assertMayTouch(this.#deps.api, { actor, desired, resource, signal });
    try {
      await this.rehearse(actor, desired, signal);
    } catch (error) {
      if (!isImmutable(error) || !(actor.force || desired.policy.force)) throw error;
    }
  }

  /** The body of every apply but the first: without what is given up and what an autoscaler took. */
  steadyBody(desired: Desired): string {
    return bodyWithout(desired.body.text, this.#deps.live.get(desired.key)?.surrendered ?? []);
  }

  async resourceOf(desired: Desired, signal: AbortSignal): Promise<ApiResource> {
    const { apiVersion, identity } = desired;
    const resource = await this.#deps.discovery.resource(apiVersion, identity.kind, signal);
    if (resource) return resource;
    throw kindNotFound(desired);
  }

  /** Scope is checked again right before each write: claims may have moved while this write waited for its turn. */
  #assertHolder(actor: Actor, key: string, identity: Identity): void {
    const holder = this.#deps.holder(key);
    if (holder === actor.source) return;
    throw new PlumblineError('OwnershipLost', `${holder ?? 'nobody'} declares this object now, not ${actor.source}`, {
      object: identity,
    });
  }

  async #applyOwn(call: WriteCall, surrendered: readonly string[]): Promise<Written> {
    const body = bodyWithout(call.desired.body.text, surrendered);
    if (call.desired.givenUp) await handOver(this.#deps.api, call);
    try {
      const { object, created } = await this.#send(call, body, { force: true });
      const kept = await takeBack(this.#deps.api, call, object);
      const settled = await this.#cleanse(call, body, kept);
      return { action: created ? 'created' : 'configured', object: settled };
    } catch (error) {
      return this.#recreateIfWanted(call, error);
    }
  }

  async #applyFirst(call: WriteCall, absent: boolean): Promise<Written> {
    const { desired } = call;
    const createBody = (desired.givenUp?.createBody ?? desired.body).text;
    if (absent) {
      try {
        // Not forced: if somebody was faster, the conflict says so and the first touch looks at what is there.
        const { object, created } = await this.#send(call, createBody, { force: false });
        if (created) return await this.#settle(call, object, { action: 'created', object });
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    const touched = await firstTouch(this.#deps, call);
    if (touched.kind === 'leave') return { action: 'unchanged' };
    try {
      const { object, created } = await this.#send(call, touched.kind === 'absent' ? createBody : desired.body.text, {
        force: true,
      });
      if (created) return await this.#settle(call, object, { action: 'created', object });
      const adopted = touched.kind === 'adopt' ? touched.adopted : undefined;
      return await this.#settle(call, object, {
        action: adopted ? 'adopted' : 'configured',
        object,
        ...(touched.kind === 'own' && { found: touched.live }),
        ...(adopted && { adopted }),
      });
    } catch (error) {
      return this.#recreateIfWanted(call, error);
    }
  }

  /** After the first apply: hand over what is given up, apply the rest, remember the answer. */
  async #settle(call: WriteCall, object: KubeObject, written: Written): Promise<Written> {
    const { desired } = call;
    let settled = object;
    if (desired.givenUp) {
      await handOver(this.#deps.api, call, object);
      ({ object: settled } = await this.#send(call, desired.body.text, { force: true }));
    }
    return { ...written, object: await this.#cleanse(call, desired.body.text, settled) };
  }

  /** Remembers the answer to an apply of this body, and takes out what others added, where the source wants that. */
  async #cleanse(call: WriteCall, body: string, answer: KubeObject): Promise<KubeObject> {
    const { desired } = call;
    this.#record(desired, body, answer);
    const again = async () => (await this.#send(call, body, { force: true })).object;
    const settled = await withoutForeign(this.#deps.api, call, answer, again);
    if (settled !== answer) this.#record(desired, body, settled);
    return settled;
  }

  async #recreateIfWanted(call: WriteCall, error: unknown): Promise<Written> {
    if (!isImmutable(error)) throw error;
    const { desired, actor } = call;
    if (!actor.force && !desired.policy.force) {
      throw new PlumblineError('ImmutableField', (error as Error).message, { cause: error, object: desired.identity });
    }
    const object = await recreate(this.#deps.api, call);
    return this.#settle(call, object, { action: 'recreated', object });
  }

  async #send(call: WriteCall, body: string, options: { force?: boolean; dryRun?: boolean }) {
    const { actor, desired, resource, signal } = call;
    try {
      return await this.#deps.api.apply(resource, desired.identity.namespace, desired.identity.name, body, {
        fieldManager: FIELD_MANAGER,
        force: options.force ?? true,
        ...(options.dryRun && { dryRun: true }),
        ...impersonated(actor),
        signal,
      });
    } catch (error) {
      // Its CRD went a moment ago, and discovery has not heard of it yet.
      throw isKindNotServed(error) ? kindNotFound(desired, error) : error;
    }
  }

  #record(desired: Desired, body: string, answer: KubeObject): void {
    const { live } = this.#deps;
    const baseline = baselineOf(JSON.parse(body) as KubeObject, answer, FIELD_MANAGER);
    const next = sighted(answer, live.get(desired.key), desired);
    live.set({ ...next, ...remembered(desired, baseline) });
  }

  /**
   * Puts back the proof of an object that the source declared, where nothing else of its marks is missing. By a patch, since it
   * is no longer declared and nothing else of it may change. Rejects with a KubeError.
   */
  prove(actor: Actor, desired: Desired, signal: AbortSignal): Promise<void> {
    const { key, identity } = desired;
    const { namespace, name } = identity;
    return this.turns.run(key, async () => {
      const { api, live } = this.#deps;
      const resource = await this.resourceOf(desired, signal);
      const object = await readLive(api, { actor, desired, resource, signal });
      const isHeldByOther = (this.#deps.holder(key) ?? actor.source) !== actor.source;
      if (!object || isHeldByOther || !isMarkedOnly(object, actor.source)) return;
      const [sourceNamespace, sourceName] = actor.source.split('/') as [string, string];
      const proof = ownerProof({ namespace: sourceNamespace, name: sourceName }, key);
      const { resourceVersion } = object.metadata;
      const patch = { metadata: { resourceVersion, annotations: { [OWNER_ANNOTATION]: proof } } };
      const options = { fieldManager: INITIAL_FIELD_MANAGER, ...impersonated(actor), signal };
      const answer = await api.mergePatch(resource, namespace, name, patch, options);
      live.set(sighted(answer.object, live.get(key), undefined));
    });
  }

  /** Deletes an object that is still the one that was decided about: uid and resourceVersion are preconditions. */
  remove(actor: Actor, identity: Identity, options: { signal: AbortSignal }): Promise<'deleted' | 'gone' | 'changed'> {
    const key = identityKey(identity);
    return this.turns.run(key, async () => {
      const { api, discovery, live } = this.#deps;
      const known = live.get(key);
      if (!known) return 'gone';
      if (known.source !== actor.source || this.#deps.holder(key) !== undefined) return 'changed';
      const resource = await discovery.resource(known.apiVersion, identity.kind, options.signal);
      if (!resource) return 'gone';
      try {
        const rest = await api.delete(resource, identity.namespace, identity.name, {
          uid: known.uid,
          resourceVersion: known.resourceVersion,
          ...impersonated(actor),
          signal: options.signal,
        });
        // Without finalizers it is gone now; whoever waits for its place need not wait for the watch.
        if (!rest) live.delete(key);
        return 'deleted';
      } catch (error) {
        if (isConflict(error)) return 'changed';
        throw error;
      }
    });
  }
}

function remembered(desired: Desired, baseline: Baseline | undefined) {
  return { baseline, declaredDigest: baseline ? desired.digest : undefined, unjudged: undefined };
}

function kindNotFound({ apiVersion, identity, file, line }: Desired, cause?: unknown): PlumblineError {
  const message = `the cluster does not serve ${identity.kind} in ${apiVersion}`;
  return new PlumblineError('KindNotFound', message, { object: identity, file, line, cause });
}

export function terminating({ identity }: Desired): PlumblineError {
  return new PlumblineError('Terminating', 'is being deleted and waits for its finalizers', { object: identity });
}

/** Without a proof (somebody removed the annotation) it is ours when we wrote it in this life; else the first touch decides. */
function isOurs(known: LiveObject, source: string): boolean {
  return known.source === source || (known.source === undefined && known.baseline !== undefined);
}
