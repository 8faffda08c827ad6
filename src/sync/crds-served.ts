import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Discovery } from '../kube/discovery.ts';
import type { Desired } from './desired.ts';

const DEADLINE_MS = 15_000;
const FIRST_POLL_MS = 25;
const SLOWEST_POLL_MS = 500;

/**
 * Resolves once the API server serves all versions of these CRDs, and returns those that it does not serve within 15 s.
 * Discovery is what is asked, not the condition Established: its controller lists a kind only when it is established, a
 * moment later than the condition says so (apiextensions-apiserver, pkg/apiserver/customresource_discovery_controller.go).
 */
export async function notServed<Crd extends Pick<Desired, 'body'>>(
  discovery: Pick<Discovery, 'refresh' | 'cached'>,
  crds: readonly Crd[],
  signal: AbortSignal,
): Promise<Crd[]> {
  if (crds.length === 0) return [];
  const deadline = performance.now() + DEADLINE_MS;
  const kinds = new Map(crds.map((crd) => [crd, kindsOf(crd.body.text)]));
  for (let poll = FIRST_POLL_MS; ; poll = Math.min(poll * 2, SLOWEST_POLL_MS)) {
    // Also when it knows them: a kind that was deleted and comes back is known from before.
    await discovery.refresh(signal).catch(() => signal.throwIfAborted());
    const missing = crds.filter((crd) =>
      kinds.get(crd)!.some(({ apiVersion, kind }) => !discovery.cached(apiVersion, kind)),
    );
    if (missing.length === 0 || performance.now() > deadline) return missing;
    await delay(poll, undefined, { signal });
  }
}

/** One for each version that is declared as served. A body may hold a part of a CRD: the server has the rest from others. */
function kindsOf(body: string): { apiVersion: string; kind: string }[] {
  const { spec } = JSON.parse(body) as {
    spec?: { group?: string; names?: { kind?: string }; versions?: { name: string; served?: boolean }[] };
  };
  const { group, names: { kind } = {}, versions = [] } = spec ?? {};
  if (!group || !kind) return [];
  return versions.filter(({ served }) => served).map(({ name }) => ({ apiVersion: `${group}/${name}`, kind }));
}
