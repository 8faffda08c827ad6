import type { Upstream } from './clusters.ts';
import type { EdgeSettings } from './input.ts';

/** So many different wishes are told apart; then it begins anew. Only who shares with whom depends on it. */
const MOST = 20_000;

const pools = new WeakMap<EdgeSettings, Map<string, Upstream>>();

/** The wishes that somebody had before, where they are equal: ten thousand Mappings send to a few hundred services. */
export function shared(upstream: Upstream, settings: EdgeSettings): Upstream {
  const { service, namespace, marker, tls, hostRewrite, breakers, loadBalancer, statsName } = upstream;
  const { connectTimeoutMs, resolver } = upstream;
  // Any JSON may stand there, and few write it.
  if (loadBalancer !== undefined || !(tls === undefined || tls === true || typeof tls === 'string')) return upstream;
  const wishes = [service, namespace, marker, tls, hostRewrite, breakers, statsName, String(connectTimeoutMs), resolver];
  const text = JSON.stringify(wishes);
  const pool = pools.get(settings) ?? new Map<string, Upstream>();
  pools.set(settings, pool);
  const known = pool.get(text);
  if (known) return known;
  if (pool.size >= MOST) pool.clear();
  pool.set(text, upstream);
  return upstream;
}
