import type { KubeApi } from '../kube/objects.ts';
import { Flight } from '../concurrency/flight.ts';
import { isNotFound } from '../kube/errors.ts';
import type { ApiResource } from '../kube/resource.ts';
import { provenSource } from './sighting.ts';
import { inParallel } from '../concurrency/parallel.ts';

/** How many objects of a kind prove to belong to one source. */
export interface KindCount {
  group: string;
  kind: string;
  count: number;
}

export interface Scanned {
  /** By source, `namespace/name`. */
  bySource: ReadonlyMap<string, readonly KindCount[]>;
  /** Kinds that could not be listed now. Whatever is found, there may be more. */
  unlisted: readonly Pick<KindCount, 'group' | 'kind'>[];
}

const WIDTH = 4;

/**
 * Looks through the metadata of every object of the cluster for our ownership annotation. Only for sources whose stored
 * inventory is lost (a backup brings resources back without their status): nothing else tells which kinds they have. Sources
 * that ask at the same time share one scan.
 */
export class OwnershipScan {
  readonly #flight: Flight<Scanned>;

  constructor(api: KubeApi) {
    this.#flight = new Flight((signal) => scan(api, signal));
  }

  /** Rejects only when the API server cannot tell its kinds. */
  async run(signal: AbortSignal): Promise<Scanned> {
    return this.#flight.join(signal);
  }
}

async function scan(api: KubeApi, signal: AbortSignal): Promise<Scanned> {
  await api.discovery.refresh(signal);
  const bySource = new Map<string, Map<string, KindCount>>();
  const unlisted: Pick<KindCount, 'group' | 'kind'>[] = [];
  const kinds = api.discovery.preferredKinds().filter(isManageable);
  await inParallel(kinds, WIDTH, async (resource) => {
    const { group, kind } = resource;
    try {
      for await (const { items } of api.list(resource, { metadataOnly: true, signal })) {
        for (const item of items) {
          const source = provenSource(item);
          if (source === undefined) continue;
          const counts = bySource.get(source) ?? new Map<string, KindCount>();
          bySource.set(source, counts);
          const count = counts.get(`${group}/${kind}`)?.count ?? 0;
          counts.set(`${group}/${kind}`, { group, kind, count: count + 1 });
        }
      }
    } catch (error) {
      signal.throwIfAborted();
      // A kind that went away meanwhile holds nothing. One that we may not see does: whoever writes is not us.
      if (!isNotFound(error)) unlisted.push({ group, kind });
    }
  });
  return { bySource: new Map([...bySource].map(([source, counts]) => [source, [...counts.values()]])), unlisted };
}

function isManageable({ verbs }: ApiResource): boolean {
  return ['list', 'watch', 'patch', 'delete'].every((verb) => verbs.includes(verb));
}
