import { NAME_LABEL, NAMESPACE_LABEL } from '../api/names.ts';
import { identityKey, identityOf } from '../kube/object.ts';
import { inParallel } from '../sync/pool.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Source } from './source.ts';

const WIDTH = 4;

/**
 * Somebody asked for a look at everything: what is live of this source is listed anew and judged. Only its own objects are
 * listed, beside the watches that all sources share: whoever asks in a loop pays for his own objects and disturbs nobody.
 */
export async function verify(
  source: Source,
  { live, healer, api, discovery }: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  live.doubt(source.key);
  const labelSelector = `${NAME_LABEL}=${source.name},${NAMESPACE_LABEL}=${source.namespace}`;
  await inParallel(source.kinds, WIDTH, async (kind) => {
    const resource = discovery.cached(kind.apiVersion, kind.kind);
    // A kind that is not served holds nothing; one that is silent is among the unlisted ones.
    if (!resource) return;
    const seen = new Set<string>();
    let resourceVersion = '';
    for await (const page of api.list(resource, { labelSelector, signal })) {
      resourceVersion = page.resourceVersion;
      for (const item of page.items) {
        const key = identityKey(identityOf(item));
        seen.add(key);
        // What the watch has not told yet, or has told to be gone meanwhile, is the watch's to tell.
        if (live.get(key)) healer.observe('ADDED', item);
      }
    }
    healer.listedOf(source.key, kind, seen, resourceVersion);
  });
  source.verifyDue = false;
}
