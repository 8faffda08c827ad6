import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import { shown } from './shown.ts';
import { isTrueAt, listAt, textAt, valueAt } from './spec.ts';
import type { Clusters, Upstream } from './clusters.ts';
import type { Freeze, HttpFilter, Policy } from './model.ts';

/** The RateLimitService, TracingService and LogService that are in force. */
export interface GlobalServices {
  readonly rateLimit: Policy | undefined;
  readonly tracing: Policy | undefined;
  readonly log: Policy | undefined;
}

/** There is one of each, for all policies; what is wrong with one leaves it out (ir/irratelimit.py, irtracing.py, irlogservice.py). */
export function globalServices(compilation: Compilation): GlobalServices {
  return {
    tracing: onlyOne(compilation, 'TracingService', 'ir.tracing', tracingProblem),
    rateLimit: onlyOne(compilation, 'RateLimitService', 'ir.ratelimit', rateLimitProblem),
    log: firstLogService(compilation),
  };
}

function onlyOne(
  compilation: Compilation,
  kind: string,
  key: string,
  problemOf: (policy: Policy) => string | undefined,
): Policy | undefined {
  const all = [...compilation.of(kind)];
  const [only] = all;
  if (all.length > 1) {
    compilation.error(key, `only one ${kind} is supported, got ${all.length}`);
    for (const policy of all) {
      const other = all.find((one) => one !== policy);
      compilation.drop(policy, 'duplicate', `of ${all.length} ${kind}s none is in force`, other);
    }
  }
  if (!only || all.length > 1) return undefined;
  const problem = problemOf(only);
  if (problem === undefined) return only;
  compilation.error(key, `${kind}: ${problem}`);
  compilation.drop(only, 'invalid', problem);
  return undefined;
}

function tracingProblem({ spec }: Policy): string | undefined {
  const driver = textAt(spec, 'driver');
  if (!textAt(spec, 'service')) return 'service is required';
  if (!driver) return 'driver is required';
  if (driver === 'lightstep') return 'the driver lightstep is no longer supported';
  const version = textAt(spec, 'config', 'collector_endpoint_version') || 'HTTP_JSON';
  if (driver !== 'zipkin' || version === 'HTTP_JSON' || version === 'HTTP_PROTO') return undefined;
  return 'collector_endpoint_version must be HTTP_JSON or HTTP_PROTO';
}

const DRIVERS = ['zipkin', 'datadog', 'opentelemetry'];

/** A driver that only the schema refuses ends the compiler when tracing is written. */
export function raiseForDriver({ tracing }: GlobalServices): void {
  const driver = textAt(tracing?.spec, 'driver') ?? '';
  if (!tracing || DRIVERS.includes(driver)) return;
  throw new Frozen({ stage: 'envoy', message: `there is no tracing driver ${shown(driver)}`, policy: tracing });
}

function rateLimitProblem({ spec }: Policy): string | undefined {
  if (!textAt(spec, 'service')) return 'service is required';
  return isOldProtocol(spec) ? 'protocol_version must be "v3"' : undefined;
}

function isOldProtocol(spec: Policy['spec']): boolean {
  return (valueAt(spec, 'protocol_version') ?? 'v2') === 'v2';
}

/** All LogServices go by one name for the compiler: the first valid one has it. */
function firstLogService(compilation: Compilation): Policy | undefined {
  let first: Policy | undefined;
  for (const policy of compilation.of('LogService')) {
    const problem = logProblem(policy);
    if (problem !== undefined) {
      compilation.error('ir.logservice', problem);
      compilation.drop(policy, 'invalid', problem);
    }
    if (first) {
      compilation.error(GLOBAL_KEY, `Duplicate LogService ${policy.name}`);
      compilation.drop(policy, 'duplicate', 'another LogService is in force', first);
    } else if (problem === undefined) first = policy;
  }
  return first;
}

function logProblem(policy: Policy): string | undefined {
  const { spec } = policy;
  if (!textAt(spec, 'service')) return 'service must be present for a remote log service!';
  if (isOldProtocol(spec)) return 'LogService: protocol_version must be "v3"';
  if (valueAt(spec, 'driver_config') == null) {
    throw new Frozen({ stage: 'ir', message: 'a LogService without driver_config', policy });
  }
  const headers = listAt(spec, 'driver_config', 'additional_log_headers');
  if (headers.length > 0 && textAt(spec, 'driver') !== 'http')
    return 'additional_log_headers are not supported in tcp mode';
  const unnamed = headers.some((header) => !textAt(header, 'header_name'));
  return unnamed ? 'Please provide a header name for every additional log header!' : undefined;
}

/** Why the compiler ends later on, because a service of these has no usable address or no cluster at all. */
export interface ServiceFreezes {
  /** When all clusters are named. */
  readonly tracing: Freeze | undefined;
  /** When the configuration is written. */
  readonly rateLimit: Freeze | undefined;
  /** When a Listener is written: its access log goes to the LogService. */
  readonly log: Freeze | undefined;
}

const NO_ADDRESS = 'has no usable address';
const SAME_NAME = 'has namespace and name of another service of all policies, which takes its place';
type Trouble = typeof NO_ADDRESS | typeof SAME_NAME;

/**
 * Adds their clusters. They come before those of the Mappings: a Mapping to the same service gets their settings. Upstream
 * remembers what has clusters to add by the key alone, whatever its kind: of those that have one namespace and name the last
 * has its cluster, the others have none. `authKey`: of the AuthServices, which come last.
 */
export function addGlobalClusters(
  { tracing, rateLimit, log }: GlobalServices,
  authKey: string | undefined,
  clusters: Clusters,
): ServiceFreezes {
  const add = (
    policy: Policy | undefined,
    later: readonly (string | undefined)[],
    more: Partial<Upstream>,
  ): Trouble | undefined => {
    if (!policy) return undefined;
    if (later.includes(policy.key)) return SAME_NAME;
    const wanted = clusters.want(upstreamOf(policy, more), policy);
    clusters.keep(wanted);
    return wanted.ignored ? NO_ADDRESS : undefined;
  };
  const ofTracing = add(tracing, [rateLimit?.key, log?.key, authKey], { marker: 'tracing' });
  const ofRateLimit = add(rateLimit, [log?.key, authKey], { tls: valueAt(rateLimit?.spec, 'tls') });
  const ofLog = add(log, [authKey], { marker: 'logging' });
  return {
    tracing: freezeOf(tracing, 'ir', ofTracing),
    // Without a usable address rate limits are written all the same.
    rateLimit: ofRateLimit === NO_ADDRESS ? undefined : freezeOf(rateLimit, 'envoy', ofRateLimit),
    log: freezeOf(log, 'envoy', ofLog),
  };
}

function freezeOf(
  policy: Policy | undefined,
  stage: Freeze['stage'],
  trouble: Trouble | undefined,
): Freeze | undefined {
  if (!policy || trouble === undefined) return undefined;
  return { stage, message: `${policy.kind} ${policy.namespace}/${policy.name} ${trouble}`, policy };
}

function upstreamOf(policy: Policy, more: Partial<Upstream>): Upstream {
  const { spec, namespace } = policy;
  const statsName = policy.kind === 'LogService' ? undefined : textAt(spec, 'stats_name');
  return { namespace, service: textAt(spec, 'service') ?? '', ...(statsName && { statsName }), ...more };
}

export function rateLimitFilter({ spec }: Policy): HttpFilter {
  return { name: 'envoy.filters.http.ratelimit', failureModeDeny: isTrueAt(spec, 'failure_mode_deny') };
}
