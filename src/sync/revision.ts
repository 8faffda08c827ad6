import { inParallel } from '../concurrency/parallel.ts';
import { Slice } from '../concurrency/slice.ts';
import { PlumblineError } from '../errors.ts';
import type { Beside } from '../drift/beside.ts';
import type { Difference } from '../drift/compare.ts';
import type { DriftedField } from '../drift/explain.ts';
import type { DriftPolicy } from '../drift/policy.ts';
import { settle } from '../drift/settle.ts';
import { isGone, isNotFound } from '../kube/errors.ts';
import { identityKey, type Identity, type KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { notServed } from './crds-served.ts';
import type { Desired } from './desired.ts';
import { edgeReferences } from './edge-references.ts';
import type { LiveObjects } from './live.ts';
import { planStep, type Step } from './plan.ts';
import { isImmutable } from './recreate.ts';
import { isCrd, stageOf } from './stages.ts';
import { impersonated, type Actor } from './actor.ts';
import type { ObjectWriter, Written } from './writer.ts';

/** What applying a revision tells while it goes on. Must not throw. */
export interface RevisionListener {
  /** `fields`: what differed, when it was found by comparison with the live object. */
  written(desired: Desired, written: Written, fields: readonly DriftedField[]): void;
  /** As declared, by comparison or by a write: earlier failures and drift of it are over. */
  inSync(desired: Desired): void;
  rewritten(desired: Desired, differences: readonly Difference[]): void;
  /** What a comparison found that differs from Git without being drift; all of it, so what was told before and is not here is over. */
  beside(desired: Desired, beside: Beside): void;
  failed(desired: Desired, error: unknown): void;
}

export interface RevisionInput {
  actor: Actor;
  desired: readonly Desired[];
  /** Objects that failed lately and whose time has not come yet. */
  held: ReadonlySet<string>;
  /** Kinds of which our watches do not know all objects: each is looked at before it is created. */
  unlisted: readonly { apiVersion: string; kind: string }[];
  /** Is an object known to differ at this moment, although nothing was declared anew? Put back, unless `leaveDrift` says no. */
  isDrifted: (key: string) => boolean;
  atomic: boolean;
  /** What counts as drift. */
  policy: DriftPolicy;
  /** Declared objects that another source holds and that are therefore not in `desired`. */
  conflicts: number;
  /** Asked about an object that differs from Git: is that drift which the source only wants to hear about? */
  leaveDrift: (desired: Desired) => boolean;
  listener: RevisionListener;
  signal: AbortSignal;
}

export interface RevisionDeps {
  api: KubeApi;
  writer: ObjectWriter;
  live: LiveObjects;
}

/** Requests of one revision that wait for their turn at the transport; it decides how many really go out. */
const WIDTH = 32;

/**
 * Makes the cluster hold these objects: plan, then stages in order, each object on its own. Resolves when everything has
 * been tried; failures go to the listener. Sends nothing for an object that is as declared.
 */
export class RevisionRun {
  readonly #deps: RevisionDeps;
  readonly #input: RevisionInput;
  /** Keys that are not as declared when their dependents ask. */
  readonly #notApplied = new Set<string>();
  readonly #declared: Map<string, Desired>;
  /** What edge objects refer to by bare name, whatever the namespace. */
  readonly #namedBare: Identity[];

  constructor(deps: RevisionDeps, input: RevisionInput) {
    this.#deps = deps;
    this.#input = input;
    this.#declared = new Map(input.desired.map((object) => [object.key, object]));
    const identities = input.desired.map(({ identity }) => identity);
    this.#namedBare = identities.filter(
      ({ group, kind }) => group === 'getambassador.io' && /^TLSContext$|Resolver$/.test(kind),
    );
  }

  async run(): Promise<void> {
    const { desired, atomic, signal } = this.#input;
    const steps = await this.#plan();
    const doubtful = desired.filter(({ key }) => steps.get(key)?.kind === 'rehearse');
    await inParallel(doubtful, WIDTH, (object) => this.#rehearse(object, steps));

    const todo = desired.filter(({ key }) => ['create', 'configure'].includes(steps.get(key)?.kind ?? ''));
    for (const { key } of todo) this.#notApplied.add(key);
    if (atomic && todo.length > 0 && !(await this.#rehearseAll(todo))) return;
    const unseen = todo.filter((object) => steps.get(object.key)?.kind === 'create' && this.#isListed(object));
    const absent = await this.#deps.writer.presence.absent(this.#input.actor, unseen, signal);
    const stages = [...Map.groupBy(todo, ({ identity }) => stageOf(identity))].sort(([a], [b]) => a - b);
    for (const [, objects] of stages) {
      await inParallel(objects, WIDTH, (object) => this.#apply(object, absent.has(object.key), steps.get(object.key)));
      await this.#served(objects.filter(({ identity, key }) => isCrd(identity) && !this.#notApplied.has(key)));
    }
  }

  #isListed({ apiVersion, identity }: Desired): boolean {
    return !this.#input.unlisted.some((other) => other.kind === identity.kind && other.apiVersion === apiVersion);
  }

  /** In slices: comparing ten thousand objects must not stop the heals meanwhile. */
  async #plan(): Promise<Map<string, Step>> {
    const { live } = this.#deps;
    const { desired, held, isDrifted, policy, signal } = this.#input;
    const steps = new Map<string, Step>();
    const slice = new Slice(signal);
    for (const object of desired) {
      const now = live.get(object.key);
      if (now?.unjudged) await slice.rest();
      if (held.has(object.key)) {
        this.#notApplied.add(object.key);
        continue;
      }
      const step = planStep(object, now, policy);
      // What a comparison has just found to be as declared is no longer what it was known to be.
      const isPutBack = step.kind === 'unchanged' && !step.baseline && isDrifted(object.key);
      steps.set(object.key, this.#settled(object, isPutBack ? { kind: 'configure' } : step));
    }
    return steps;
  }

  /** Takes in what the comparison found out. */
  #settled(object: Desired, step: Step): Step {
    const { live } = this.#deps;
    const { listener, leaveDrift } = this.#input;
    const now = live.get(object.key);
    if (now && 'surrendered' in step && step.surrendered) now.surrendered = step.surrendered;
    if ('beside' in step && step.beside) listener.beside(object, step.beside);
    if (step.kind === 'unchanged') {
      if (now && step.baseline)
        live.set({ ...now, baseline: step.baseline, declaredDigest: object.digest, unjudged: undefined });
      listener.inSync(object);
    } else if (step.kind === 'terminating') {
      this.#fail(
        object,
        new PlumblineError('Terminating', 'is being deleted and waits for its finalizers', { object: object.identity }),
      );
    } else if ((step.kind === 'configure' || step.kind === 'create') && leaveDrift(object)) {
      return { kind: 'skip' };
    }
    return step;
  }

  async #rehearse(object: Desired, steps: Map<string, Step>): Promise<void> {
    const { writer, live } = this.#deps;
    const { actor, listener, signal } = this.#input;
    const step = steps.get(object.key);
    if (step?.kind !== 'rehearse') return;
    try {
      const settled = settle(writer.steadyBody(object), step.live, await writer.rehearse(actor, object, signal));
      const now = live.get(object.key);
      const unmoved = now?.resourceVersion === step.live.metadata.resourceVersion;
      if (!settled || !now || !unmoved) return void steps.set(object.key, this.#settled(object, { kind: 'configure' }));
      live.set({ ...now, baseline: settled.baseline, declaredDigest: object.digest, unjudged: undefined });
      listener.rewritten(object, settled.rewritten);
      listener.inSync(object);
    } catch (error) {
      // It differs, then; what becomes of that is for the apply to find out.
      if (isImmutable(error)) steps.set(object.key, this.#settled(object, { kind: 'configure' }));
      else this.#fail(object, error);
    }
  }

  /** For `atomic`: would the server take all of them? Kinds whose CRD is part of the revision cannot be asked about yet. */
  async #rehearseAll(todo: readonly Desired[]): Promise<boolean> {
    const { writer } = this.#deps;
    const { actor, signal } = this.#input;
    const brought = new Set(
      [...this.#declared.values()].filter(({ identity }) => isCrd(identity)).map(({ body }) => kindOfCrd(body.text)),
    );
    const refused = new Set<string>();
    await inParallel(todo, WIDTH, async (object) => {
      if (brought.has(`${object.identity.group}/${object.identity.kind}`)) return;
      try {
        await writer.foresee(actor, object, signal);
      } catch (error) {
        if (isNotFound(error) && this.#declared.has(namespaceKey(object.identity))) return;
        refused.add(object.key);
        this.#fail(object, error);
      }
    });
    const count = refused.size + this.#input.conflicts;
    if (count === 0) return true;
    for (const object of todo) {
      if (refused.has(object.key)) continue;
      this.#fail(
        object,
        new PlumblineError(
          'NotAttempted',
          `not applied, because spec.atomic is true and ${count} other ${count === 1 ? 'object' : 'objects'} would be refused`,
          { object: object.identity },
        ),
      );
    }
    return false;
  }

  async #apply(object: Desired, absent: boolean, step: Step | undefined): Promise<void> {
    const { writer } = this.#deps;
    const { actor, listener, signal } = this.#input;
    try {
      await this.#assertReferences(object);
      const written = await writer.apply(actor, object, { absent, signal });
      this.#notApplied.delete(object.key);
      listener.written(object, written, (step?.kind === 'configure' && step.fields) || []);
      listener.inSync(object);
    } catch (error) {
      this.#fail(object, error);
    }
  }

  #fail(object: Desired, error: unknown): void {
    this.#input.signal.throwIfAborted();
    this.#notApplied.add(object.key);
    this.#input.listener.failed(object, error);
  }

  /** An edge object comes after what it refers to: a Host without its certificate would be served in cleartext. */
  async #assertReferences(object: Desired): Promise<void> {
    if (object.identity.group !== 'getambassador.io') return;
    for (const reference of edgeReferences(JSON.parse(object.body.text) as KubeObject, this.#namedBare)) {
      const key = identityKey(reference.identity);
      const declared = this.#declared.has(key);
      if (declared ? !this.#notApplied.has(key) : !reference.mustExist || (await this.#exists(reference.identity)))
        continue;
      const { kind, namespace, name } = reference.identity;
      throw new PlumblineError(
        'WaitingForReference',
        `waits for ${kind} ${namespace}/${name}, which ${declared ? 'is not applied yet' : 'does not exist'}`,
        {
          object: object.identity,
          file: object.file,
          line: object.line,
        },
      );
    }
  }

  async #exists(identity: Identity): Promise<boolean> {
    const { api, live } = this.#deps;
    const { actor, signal } = this.#input;
    // Others' objects are asked for with the source's own rights: a status tells nobody what he may not read.
    if (live.get(identityKey(identity))?.source === actor.source) return true;
    const resource = await api.discovery.preferred(identity.group, identity.kind, signal);
    if (!resource) return false;
    try {
      await api.get(resource, identity.namespace, identity.name, {
        metadataOnly: true,
        ...impersonated(actor),
        signal,
      });
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  /** New kinds are served a moment after their CRD is stored. */
  async #served(crds: readonly Desired[]): Promise<void> {
    for (const crd of await notServed(this.#deps.api.discovery, crds, this.#input.signal)) {
      const message = 'is stored, but the API server does not serve it yet';
      this.#fail(crd, new PlumblineError('CrdNotEstablished', message, { object: crd.identity }));
    }
  }
}

function kindOfCrd(body: string): string {
  const { spec } = JSON.parse(body) as { spec?: { group?: string; names?: { kind?: string } } };
  return `${spec?.group}/${spec?.names?.kind}`;
}

function namespaceKey({ namespace }: Identity): string {
  return identityKey({ group: '', kind: 'Namespace', namespace: '', name: namespace });
}
