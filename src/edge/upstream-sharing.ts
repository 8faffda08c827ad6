import type { Upstream } from './clusters.ts';
import type { EdgeSettings } from './input.ts';
import { Pool } from './pool.ts';

/** What a Mapping asks for: it always has a resolver. */
export interface MappingUpstream extends Upstream {
  readonly resolver: string;
}

const pools = new WeakMap<EdgeSettings, Pool<MappingUpstream>>();

/** The wishes that a Mapping had before, where they are equal: ten thousand Mappings send to a few hundred services. */
export function shared(upstream: MappingUpstream, settings: EdgeSettings): MappingUpstream {
  const { service, namespace, marker, tls, hostRewrite, breakers, loadBalancer, statsName } = upstream;
  const { connectTimeoutMs, resolver } = upstream;
  // Any JSON may stand there, and few write it.
  if (loadBalancer !== undefined || !(tls === undefined || tls === true || typeof tls === 'string')) return upstream;
  const name = `${namespace.length} ${namespace}${resolver.length} ${resolver}${service}`;
  const more = marker ?? tls ?? hostRewrite ?? statsName ?? connectTimeoutMs ?? breakers?.[0];
  const text =
    more === undefined
      ? name
      : JSON.stringify([name, marker, tls, hostRewrite, breakers, statsName, String(connectTimeoutMs)]);
  const pool = pools.get(settings) ?? new Pool<MappingUpstream>();
  pools.set(settings, pool);
  return pool.shared(text, () => upstream);
}
