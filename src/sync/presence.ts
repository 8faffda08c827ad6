import { identityKey } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { Desired } from './desired.ts';
import { impersonated, type Actor } from './actor.ts';

/** From this many objects of one kind in one namespace, a list is cheaper than a read for each. */
const LIST_FROM = 3;
/** A namespace with more foreign objects of the kind than this is not listed to the end; its objects are read one by one. */
const LIST_LIMIT = 500;

/**
 * Which of these objects certainly do not exist, asked with the rights of the source: they can be created without looking at
 * each one first. An object that is not in the answer may exist.
 */
export async function absentObjects(
  api: KubeApi,
  actor: Actor,
  objects: readonly Desired[],
  signal: AbortSignal,
): Promise<Set<string>> {
  const groups = Map.groupBy(
    objects,
    ({ apiVersion, identity }) => `${apiVersion}/${identity.kind}/${identity.namespace}`,
  );
  const absent = new Set<string>();
  await Promise.all(
    [...groups.values()].map(async (group) => {
      if (group.length < LIST_FROM) return;
      const present = await presentKeys(api, actor, group[0]!, signal);
      if (present) for (const { key } of group) if (!present.has(key)) absent.add(key);
    }),
  );
  return absent;
}

/** undefined: the kind is not served, may not be listed, or has too many objects there. */
async function presentKeys(
  api: KubeApi,
  actor: Actor,
  { apiVersion, identity }: Desired,
  signal: AbortSignal,
): Promise<Set<string> | undefined> {
  const resource = api.discovery.cached(apiVersion, identity.kind);
  if (!resource) return undefined;
  const present = new Set<string>();
  try {
    const selection = { namespace: identity.namespace, metadataOnly: true, limit: LIST_LIMIT };
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
