import type { KubeApi } from '../kube/objects.ts';
import type { LiveObjects } from './live.ts';
import { provenSource, sighted } from './sighting.ts';
import { inParallel } from '../concurrency/parallel.ts';

const WIDTH = 4;

/**
 * Our watches select by label, so an object whose label was taken off while nobody was watching is invisible. When fewer
 * objects of a kind are known than the stored inventory counts, its metadata is scanned once for our ownership annotation.
 */
export async function findUnlabelled(
  { api, live }: { api: KubeApi; live: LiveObjects },
  source: string,
  inventory: readonly { group: string; kind: string; count: number }[],
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, number>();
  for (const { identity } of live.of(source)) {
    const key = `${identity.group}/${identity.kind}`;
    known.set(key, (known.get(key) ?? 0) + 1);
  }
  const short = inventory.filter(({ group, kind, count }) => (known.get(`${group}/${kind}`) ?? 0) < count);
  await inParallel(short, WIDTH, async ({ group, kind }) => {
    const resource = await api.discovery.preferred(group, kind, signal);
    if (!resource) return;
    for await (const { items } of api.list(resource, { metadataOnly: true, signal })) {
      for (const item of items) {
        if (provenSource(item) !== source) continue;
        const found = sighted(item, undefined, undefined);
        if (!live.get(found.key)) live.set(found);
      }
    }
  });
}
