import { NAME_LABEL } from '../api/names.ts';
import { Flight } from '../concurrency/flight.ts';
import { identityKey } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { Desired } from './desired.ts';
import { impersonated, type Actor } from './actor.ts';

/** From this many objects of one kind in one namespace, a list is cheaper than a read for each. */
const LIST_FROM = 3;
/** A namespace with more foreign objects of the kind than this is not listed to the end; its objects are read one by one. */
const LIST_LIMIT = 500;
/** So long a list answers for other sources too. A creation that finds the object there after all looks at it first. */
const SHARED_MS = 2_000;

/** Keys of the objects that are there; undefined: not served, may not be listed, or too many. */
type Present = ReadonlySet<string> | undefined;

interface List {
  flight: Flight<Present>;
  /** When it was asked for. */
  at: number;
  answer?: { present: Present };
}

/**
 * Which objects certainly do not exist, asked with the rights of the source: they can be created without looking at each one
 * first. Many small sources of one namespace that begin together share one list for each kind. What carries our labels is left
 * out of it, or a namespace that holds thousands of managed objects would make it long: of that our watches know.
 */
export class Presence {
  readonly #api: KubeApi;
  readonly #now: () => number;
  readonly #lists = new Map<string, List>();

  /** `now` in milliseconds, monotonic. */
  constructor(api: KubeApi, now: () => number = () => performance.now()) {
    this.#api = api;
    this.#now = now;
  }

  /**
   * Keys of those that are certainly absent; of another one nothing is known. `objects` are such as our watches, which hold
   * their kinds whole, do not know. Rejects only when aborted.
   */
  async absent(actor: Actor, objects: readonly Desired[], signal: AbortSignal): Promise<Set<string>> {
    const groups = Map.groupBy(objects, (object) => listKey(actor, object));
    const absent = new Set<string>();
    await Promise.all(
      [...groups].map(async ([key, group]) => {
        const present = await this.#present(key, actor, group, signal);
        if (present) for (const object of group) if (!present.has(object.key)) absent.add(object.key);
      }),
    );
    return absent;
  }

  async #present(key: string, actor: Actor, group: readonly Desired[], signal: AbortSignal): Promise<Present> {
    for (const [other, { at }] of this.#lists) if (this.#now() - at > SHARED_MS) this.#lists.delete(other);
    let list = this.#lists.get(key);
    if (!list) {
      if (group.length < LIST_FROM) return undefined;
      const flight = new Flight((shared) => presentKeys(this.#api, actor, group[0]!, shared));
      this.#lists.set(key, (list = { flight, at: this.#now() }));
    }
    list.answer ??= { present: await list.flight.join(signal) };
    return list.answer.present;
  }
}

function listKey({ impersonate }: Actor, { apiVersion, identity }: Desired): string {
  return JSON.stringify([impersonate?.username, apiVersion, identity.kind, identity.namespace]);
}

async function presentKeys(
  api: KubeApi,
  actor: Actor,
  { apiVersion, identity }: Desired,
  signal: AbortSignal,
): Promise<Present> {
  const resource = api.discovery.cached(apiVersion, identity.kind);
  if (!resource) return undefined;
  const present = new Set<string>();
  try {
    const { namespace } = identity;
    const selection = { namespace, labelSelector: `!${NAME_LABEL}`, metadataOnly: true, limit: LIST_LIMIT };
    for await (const { items } of api.list(resource, { ...selection, ...impersonated(actor), signal })) {
      for (const { metadata } of items) present.add(identityKey({ ...identity, name: metadata.name }));
      if (present.size >= LIST_LIMIT) return undefined;
    }
    return present;
  } catch {
    signal.throwIfAborted();
    // The reason comes back, with its message, when the objects are read one by one.
    return undefined;
  }
}
