import { mayDo } from '../kube/access-review.ts';
import type { Desired } from '../sync/desired.ts';
import { inParallel } from '../concurrency/parallel.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { actorFor, orderFor } from './actor.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';

const WIDTH = 8;

/**
 * Of these objects, by key, those that the source's ServiceAccount may not write. They will never be there by its doing, so
 * declaring them must neither hold others up nor use what was granted to others. One question for each kind and namespace;
 * where the answer is no, one for each object, as a right may name objects. Throws ServiceAccountMissing.
 */
export async function barredOf(
  source: Source,
  spec: GitOpsSourceSpec,
  objects: readonly Desired[],
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const barred = new Set<string>();
  const { impersonate } = orderFor(source, spec, deps);
  if (!impersonate) return barred;
  const { api, discovery } = deps;
  const places = Map.groupBy(objects, ({ identity: { group, kind, namespace } }) => `${group}/${kind}/${namespace}`);
  await inParallel(places.values(), WIDTH, async (all) => {
    const { group, kind, namespace } = all[0]!.identity;
    // Of what is not served yet the right cannot be asked; the CRD that brings it is a matter of rights itself.
    const resource = await discovery.preferred(group, kind, signal);
    if (!resource) return;
    const deed = { verb: 'patch', resource, namespace };
    if (await mayDo(api, deed, { impersonate, signal })) return;
    for (const { key, identity } of all)
      if (!(await mayDo(api, { ...deed, name: identity.name }, { impersonate, signal }))) barred.add(key);
  });
  if (barred.size > 0) await actorFor(source, spec, deps, signal, { check: true });
  return barred;
}

/** May a source be told whether there is this Secret? As far as its ServiceAccount may read it. */
export async function mayReadSecret(
  source: Source | undefined,
  { namespace, name }: { namespace: string; name: string },
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<boolean> {
  // There is no status any more that could tell it.
  if (!source) return true;
  if (!source.spec) return false;
  const { impersonate } = orderFor(source, source.spec, deps);
  if (!impersonate) return true;
  const resource = { group: '', plural: 'secrets' };
  return mayDo(deps.api, { verb: 'get', resource, namespace, name }, { impersonate, signal });
}
