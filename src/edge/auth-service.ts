import { Frozen, type Compilation } from './compilation.ts';
import { configOf, type AmbassadorModule } from './module.ts';
import { shown } from './shown.ts';
import { isTrueAt, numberAt, textAt, valueAt } from './spec.ts';
import { breakerNamesSoFar, hasWrongLimit } from './upstream-options.ts';
import type { Freeze, HttpFilter, Policy, Spec } from './model.ts';
import type { Clusters, WantedCluster } from './clusters.ts';

/** All AuthServices together: upstream makes one filter and one cluster of them (ir/irauth.py). */
export interface AuthPool {
  readonly namespace: string;
  /** Errors of the pool are posted under the first one's key. */
  readonly key: string;
  readonly settings: Spec;
  /** By service as written; the order is the one in which they came. */
  readonly hosts: ReadonlyMap<string, { readonly policy: Policy; readonly grpc: boolean; readonly tls: unknown }>;
  /** Any one that fails open lets the whole pool fail open. */
  readonly failureModeAllow: boolean;
  /** Its own ones are not checked by anybody, and named otherwise. Where they are not its own, `of` is the Module. */
  readonly breakers: { readonly written: unknown; readonly own: boolean; readonly of: Policy | undefined };
}

/** Undefined when nobody asks for authentication. */
export function authPool(compilation: Compilation, module: AmbassadorModule): AuthPool | undefined {
  const legacy = compilation.module('authentication');
  const sources = [
    ...(legacy ? [{ policy: legacy, spec: configOf(legacy) }] : []),
    ...Array.from(compilation.of('AuthService'), (policy) => ({ policy, spec: policy.spec })),
  ];
  const [first] = sources;
  const last = sources.at(-1);
  if (!first || !last) return undefined;
  const { key } = first.policy;
  const hosts = new Map<string, { policy: Policy; grpc: boolean; tls: unknown }>();
  for (const { policy, spec } of sources) {
    const proto = protoOf(spec);
    if (proto !== 'http' && proto !== 'grpc') compilation.error(key, `AuthService: proto ${proto} is unsupported`);
    if (proto === 'grpc' && textAt(spec, 'protocol_version') !== 'v3') {
      compilation.error(key, 'AuthService: protocol_version must be "v3"');
    }
    const service = textAt(spec, 'auth_service');
    if (valueAt(spec, 'include_body') && valueAt(spec, 'allow_request_body')) {
      compilation.error(key, 'AuthService ignoring allow_request_body since include_body is present');
    }
    if (service) hosts.set(service, { policy, grpc: proto === 'grpc', tls: valueAt(spec, 'tls') });
    else compilation.drop(policy, 'invalid', 'it names no auth_service');
  }
  postConflicts(sources, compilation);
  if (hosts.size === 0) return undefined;
  const breakers = sources.map(({ policy, spec }) => {
    const own = valueAt(spec, 'circuit_breakers');
    return own
      ? { written: own, own: true, of: policy }
      : { written: module.circuitBreakers, own: false, of: module.policy };
  });
  return {
    namespace: last.policy.namespace,
    key,
    settings: last.spec,
    hosts,
    failureModeAllow: sources.some(({ spec }) => Boolean(valueAt(spec, 'failure_mode_allow'))),
    breakers: breakers.findLast(({ written }) => Boolean(written)) ?? { written: [], own: false, of: undefined },
  };
}

function protoOf(spec: Spec): string {
  return textAt(spec, 'proto') ?? 'http';
}

/** Settings of which the pool has one value only: told where another is asked for. `proto` of the one before counts, if it says nothing too. */
function postConflicts(sources: readonly { policy: Policy; spec: Spec }[], compilation: Compilation): void {
  const reached = new Map<string, unknown>();
  for (const { policy, spec } of sources) {
    for (const field of ['path_prefix', 'timeout_ms', 'cluster', 'allow_request_body', 'proto']) {
      const value = valueAt(spec, field);
      const before = reached.get(field);
      if (!value) continue;
      if (before && before !== value) {
        compilation.error(policy.key, `AuthService cannot support multiple ${field} values; using ${shown(before)}`);
      } else reached.set(field, value);
    }
    reached.set('proto', protoOf(spec));
    reached.set('timeout_ms', numberAt(spec, 'timeout_ms') ?? 5000);
    reached.set('allow_request_body', isTrueAt(spec, 'allow_request_body'));
  }
}

/**
 * Adds the cluster of a pool: the first one's with the addresses of all others that are equal to it in everything else. One
 * that has no usable address, or that another did not fit, does not count when the next one comes: that begins anew.
 * Returns why the compiler will end when it writes the filter into an HTTP Listener; undefined: it will not.
 */
export function authCluster(pool: AuthPool, clusters: Clusters, compilation: Compilation): Freeze | undefined {
  let pooled: PooledCluster | undefined;
  for (const host of pool.hosts) {
    const wanted = wantedFor(host, pool, clusters, compilation);
    if (!pooled || pooled.first.ignored || pooled.mismatched) {
      pooled = { first: wanted, endpoints: [...wanted.cluster.endpoints], mismatched: undefined };
    } else join(pooled, wanted, pool, compilation);
  }
  if (!pooled) return undefined;
  const { first, endpoints, mismatched } = pooled;
  if (!mismatched) clusters.keep({ cluster: { ...first.cluster, endpoints }, freeze: first.freeze });
  const message = mismatched
    ? 'AuthServices differ in more than the service'
    : 'the auth service has no usable address';
  return mismatched || first.ignored ? { stage: 'envoy', message, policy: (mismatched ?? first).policy } : undefined;
}

interface PooledCluster {
  readonly first: WantedHost;
  readonly endpoints: string[];
  mismatched: WantedHost | undefined;
}

function join(pooled: PooledCluster, other: WantedHost, { key }: AuthPool, compilation: Compilation): void {
  const { first, endpoints } = pooled;
  const differ = [other.context === first.context ? '' : 'tls_context', other.grpc === first.grpc ? '' : 'grpc'].filter(
    Boolean,
  );
  if (differ.length === 0) {
    if (other.ignored)
      throw new Frozen({ stage: 'ir', message: 'an auth service has no usable address', policy: other.policy });
    endpoints.push(...other.cluster.endpoints);
    return;
  }
  pooled.mismatched = other;
  compilation.error(
    first.fullName,
    `cannot merge cluster ${other.fullName}: mismatched attributes ${differ.join(', ')}`,
  );
  compilation.error(key, `auth canary ${other.fullName} can only change service!`);
}

interface WantedHost extends WantedCluster {
  readonly policy: Policy;
  readonly grpc: boolean;
}

function wantedFor(
  [service, { policy, grpc, tls }]: [string, { policy: Policy; grpc: boolean; tls: unknown }],
  { namespace, breakers, settings }: AuthPool,
  clusters: Clusters,
  compilation: Compilation,
): WantedHost {
  const { names, unchecked, freeze } = namesOf(breakers);
  const statsName = textAt(settings, 'stats_name');
  const upstream = { service, tls, namespace, marker: 'extauth', breakers: names, ...(statsName && { statsName }) };
  const wanted = clusters.want(upstream, policy);
  for (const name of unchecked) compilation.error(wanted.fullName, `${service}: unvalidated circuit breaker ${name}!`);
  return { policy, grpc, ...wanted, freeze: wanted.freeze ?? freeze };
}

/** What the breakers add to the name of a cluster; those without a name of their own are counted, and told. */
function namesOf({ written, own, of }: AuthPool['breakers']): {
  names: string[];
  unchecked: readonly string[];
  freeze: Freeze | undefined;
} {
  const message = 'circuit_breakers are of a type that the compiler does not read';
  if (!Array.isArray(written)) throw new Frozen({ stage: 'ir', message, policy: of });
  const checked = own ? written.map(() => undefined) : breakerNamesSoFar(written);
  const unchecked: string[] = [];
  const names = checked.map((name) => {
    if (name !== undefined) return name;
    const counted = `cbu${unchecked.length}`;
    unchecked.push(counted);
    return counted;
  });
  const isWrong = written.some(hasWrongLimit);
  return { names, unchecked, freeze: isWrong ? { stage: 'envoy', message, policy: of } : undefined };
}

/** Any error of the pool replaces authentication by a script that answers 500 to everything. */
export function authFilter({ key, failureModeAllow }: AuthPool, compilation: Compilation): HttpFilter {
  if (compilation.errors.some((error) => error.key === key)) return { name: 'envoy.filters.http.lua', isAuth: true };
  return { name: 'envoy.filters.http.ext_authz', isAuth: true, ...(failureModeAllow && { failureModeAllow }) };
}
