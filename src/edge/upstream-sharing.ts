import type { Upstream } from './clusters.ts';
import type { EdgeSettings } from './input.ts';
import { USUAL_RESOLVER } from './module.ts';
import { PairPool, Pool } from './pool.ts';

/** What a Mapping asks for: it always has a resolver. */
export interface MappingUpstream extends Upstream {
  readonly resolver: string;
}

interface Pools {
  /** Of those who ask for nothing but a service, by namespace and service: nearly all. */
  readonly plain: PairPool<MappingUpstream>;
  readonly others: Pool<MappingUpstream>;
}

const allPools = new WeakMap<EdgeSettings, Pools>();

function poolsOf(settings: EdgeSettings): Pools {
  const known = allPools.get(settings) ?? { plain: new PairPool(), others: new Pool() };
  allPools.set(settings, known);
  return known;
}

/** The wishes that a Mapping had before, where they are equal: ten thousand Mappings send to a few hundred services. */
export function shared(upstream: MappingUpstream, settings: EdgeSettings): MappingUpstream {
  const { service, namespace, marker, tls, hostRewrite, breakers, loadBalancer, statsName } = upstream;
  const { connectTimeoutMs, resolver } = upstream;
  const { plain, others } = poolsOf(settings);
  const more = loadBalancer ?? tls ?? marker ?? hostRewrite ?? statsName ?? connectTimeoutMs ?? breakers?.[0];
  if (more === undefined && resolver === USUAL_RESOLVER) return plain.shared(namespace, service, () => upstream);
  // Any JSON may stand there, and few write it.
  if (loadBalancer !== undefined || !(tls === undefined || tls === true || typeof tls === 'string')) return upstream;
  const timeout = String(connectTimeoutMs);
  const wishes = [service, namespace, marker, tls, hostRewrite, breakers, statsName, timeout, resolver];
  return others.shared(JSON.stringify(wishes), () => upstream);
}
