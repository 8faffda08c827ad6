import { setTimeout as delay } from 'node:timers/promises';
import { FINALIZER } from '../api/names.ts';
import type { Discovery } from '../kube/discovery.ts';
import { isGone, KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ApiResource } from '../kube/resource.ts';
import type { Log } from '../report/log.ts';
import { inParallel } from '../concurrency/parallel.ts';
import type { Source } from './source.ts';

export interface UninstallDeps {
  api: KubeApi;
  discovery: Discovery;
  sources: ReadonlyMap<string, Source>;
  sourceResource: () => ApiResource;
  /** Asked right before each write: is it certain that no other replica acts? */
  mayWrite: () => boolean;
  log: Log;
}

/** Requests at once: whoever takes Plumbline away takes our rights, too, a few requests later. */
const WIDTH = 64;
const ATTEMPTS = 5;
const AGAIN_MS = 50;

/**
 * Notices that our own CRD is being deleted, and lets go of every source in the same moment. `kubectl delete -f` deletes the CRD,
 * and right after it what gives us the right to do so: the server deletes the sources half a second later or more, which is
 * too late to begin.
 */
export class Uninstall {
  readonly #deps: UninstallDeps;
  #lettingGo: Promise<void> | undefined;
  /** Our CRD is going: nothing is enforced any more, and everything stays in place. */
  begun = false;

  constructor(deps: UninstallDeps) {
    this.#deps = deps;
  }

  /** Watches until the signal aborts; what has begun by then is ended first. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { api, discovery, sourceResource, log } = this.#deps;
    const { plural, group } = sourceResource();
    const kind = ['apiextensions.k8s.io', 'CustomResourceDefinition'] as const;
    const resource = await discovery.preferred(...kind, signal).catch(() => undefined);
    if (!resource) return;
    const seen = ({ metadata }: KubeObject) => this.#seen(metadata.deletionTimestamp !== undefined);
    const selection = { resource, fieldSelector: `metadata.name=${plural}.${group}`, metadataOnly: true };
    const crd = new Reflector(api, selection, {
      listStarted: () => undefined,
      item: seen,
      listDone: () => undefined,
      event: (type, object) => type !== 'DELETED' && seen(object),
      problem: (error) => log.warn({ error }, 'our own CRD cannot be watched; trying again'),
    });
    await crd.run(signal);
    await this.#lettingGo;
  }

  #seen(isGoing: boolean): void {
    if (this.begun === isGoing) return;
    this.begun = isGoing;
    if (isGoing) this.#lettingGo = this.#letGoOfAll();
  }

  async #letGoOfAll(): Promise<void> {
    const { sources, log } = this.#deps;
    log.info({ sources: sources.size }, 'Plumbline is being removed: everything stays in place');
    await inParallel(sources.values(), WIDTH, async (source) => {
      try {
        await this.#letGo(source);
      } catch (error) {
        log.warn({ source: source.key, error }, 'could not let go of a source');
      }
    });
  }

  /** Guarded by the finalizer alone: our own writes of the status must not come in between. */
  async #letGo({ namespace, name, resource }: Source): Promise<void> {
    const { api, sourceResource, mayWrite } = this.#deps;
    // The process may be told to end meanwhile; this must not be cut off by that.
    const signal = AbortSignal.timeout(5_000);
    let { finalizers = [] } = (resource as KubeObject).metadata;
    for (let attempt = 1; mayWrite(); attempt += 1) {
      const path = `/metadata/finalizers/${finalizers.indexOf(FINALIZER)}`;
      if (path.endsWith('-1')) return;
      const patch = [
        { op: 'test', path, value: FINALIZER },
        { op: 'remove', path },
      ];
      try {
        return void (await api.jsonPatch(sourceResource(), namespace, name, patch, { signal }));
      } catch (error) {
        if (isGone(error)) return;
        if (!(error instanceof KubeError) || error.code === 'ApiForbidden' || attempt === ATTEMPTS) throw error;
        await delay(AGAIN_MS);
        ({ finalizers = [] } = (
          await api.get(sourceResource(), namespace, name, { metadataOnly: true, signal })
        ).metadata);
      }
    }
  }
}
