import { NAME_LABEL, NAMESPACE_LABEL } from '../api/names.ts';
import { keyOfKind, type UnlistedKind, type WatchedKind } from '../drift/watches.ts';
import { identityKey, identityOf } from '../kube/object.ts';
import type { ApiResource } from '../kube/resource.ts';
import { inParallel } from '../concurrency/parallel.ts';
import type { ReconcileDeps } from './deps.ts';
import { nextRetryMs } from './failure.ts';
import type { Source } from './source.ts';

const WIDTH = 4;

/**
 * Somebody asked for a look at everything: what is live of this source is listed anew and judged. Only its own objects are
 * listed, beside the watches that all sources share: whoever asks in a loop pays for his own objects and disturbs nobody.
 * A kind that cannot be listed is `unlisted` then, and holds up nothing else.
 */
export async function verify(source: Source, deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const { live, discovery, log, wake, clock } = deps;
  live.doubt(source.key);
  const failed: UnlistedKind[] = [];
  await inParallel(source.kinds, WIDTH, async (kind) => {
    const resource = discovery.cached(kind.apiVersion, kind.kind);
    // A kind that is not served holds nothing; one that is silent is among the unlisted ones.
    if (!resource) return;
    try {
      await listOwn(source, kind, resource, deps, signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ source: source.key, kind, error }, 'a kind cannot be compared as a whole now; trying again');
      failed.push({ ...kind, why: error as Error });
    }
  });
  source.verifyDue = false;
  const before = source.verifyAgain;
  before?.cancel();
  source.verifyAgain = undefined;
  if (failed.length === 0) return;
  const unlisted = new Map([...source.unlisted, ...failed].map((kind) => [keyOfKind(kind), kind]));
  source.unlisted = [...unlisted.values()];
  const waitMs = nextRetryMs(before?.waitMs);
  const cancel = clock.after(waitMs, () => {
    source.verifyDue = true;
    wake(source.key);
  });
  source.verifyAgain = { waitMs, cancel };
}

async function listOwn(
  source: Source,
  kind: WatchedKind,
  resource: ApiResource,
  { live, healer, api }: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  const labelSelector = `${NAME_LABEL}=${source.name},${NAMESPACE_LABEL}=${source.namespace}`;
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
}
