import { aboutPolicies } from './facts.ts';
import { GLOBAL_KEY } from './compilation.ts';
import { defaultFor, type AmbassadorModule } from './module.ts';
import { readHealthChecks, type HealthChecks } from './health-checks.ts';
import { hostProblemOf, matchOf, type Match } from './match.ts';
import { PairPool } from './pool.ts';
import { normaliseService, readUrl } from './service.ts';
import { isRecord, isTrueAt, numberAt, textAt, valueAt } from './spec.ts';
import { breakerNames, isLoadBalancer, isRetryOn } from './upstream-options.ts';
import type { EdgeSettings } from './input.ts';
import type { Freeze, Policy, Posted } from './model.ts';
import type { ResolverKind } from './resolvers.ts';
import { shared, type MappingUpstream } from './upstream-sharing.ts';
import type { MatchSet } from './groups.ts';

/** What a Mapping is read beside; equal inputs give the same answer. */
export interface MappingContext {
  readonly settings: EdgeSettings;
  readonly module: AmbassadorModule;
  readonly resolvers: ReadonlyMap<string, ResolverKind>;
}

/** A Mapping as the compiler reads it, before it meets the others. */
export interface ReadMapping {
  readonly policy: Policy;
  /** Undefined together with a problem only. */
  readonly match: Match | undefined;
  /** Completed; where a redirect sends to. */
  readonly service: string;
  readonly upstream: MappingUpstream;
  readonly circuitBreakers: unknown;
  /** Undefined: it has none. */
  readonly healthChecks: HealthChecks | undefined;
  readonly kind: 'route' | 'redirect' | 'shadow';
  readonly errors: readonly Posted[];
  readonly notices: readonly Posted[];
  /** Why it is dropped; undefined: it is valid. */
  readonly problem: string | undefined;
  /** The compiler raises when it reads it. */
  readonly freeze: Freeze | undefined;
  /** What it was read beside: the Module's config, and the kind of its resolver. */
  readonly config: AmbassadorModule['config'];
  readonly resolver: ResolverKind | undefined;
  readonly memory: MappingMemory;
}

/** What later stages remember with a Mapping. */
export interface MappingMemory {
  /** Where it belongs, with these labels. */
  set: MatchSet | undefined;
  labels: string;
}

const CORE_FIELDS = [
  'bypass_auth',
  'connect_timeout_ms',
  'cluster_idle_timeout_ms',
  'cluster_max_connection_lifetime_ms',
  'keepalive',
  'labels',
  'load_balancer',
  'prefix',
  'prefix_regex',
  'prefix_exact',
] as const;

const lastReading = aboutPolicies.fact<ReadMapping>();

/** Reads one Mapping (ir/irhttpmapping.py, ir/irbasemapping.py). Remembered with the policy. */
export function readMapping(policy: Policy, context: MappingContext): ReadMapping {
  const { module, resolvers } = context;
  const before = lastReading.of(policy);
  if (before?.config === module.config && resolvers.get(before.upstream.resolver) === before.resolver) return before;
  return lastReading.set(policy, read(policy, context));
}

function resolverOf({ spec }: Policy, module: AmbassadorModule): string {
  return textAt(spec, 'resolver') || module.resolver;
}

function read(policy: Policy, context: MappingContext): ReadMapping {
  const { spec } = policy;
  const { module, resolvers } = context;
  const resolverName = resolverOf(policy, module);
  const resolver = resolvers.get(resolverName);
  const match = matchOf(spec);
  const { service, freeze = withoutPrefix(policy, match), refused } = serviceOf(policy, context, resolver);
  const circuitBreakers = valueAt(spec, 'circuit_breakers') ?? module.circuitBreakers ?? null;
  const considered: Considered = { match, resolver, resolverName, service, circuitBreakers };
  // A service that freezes the edge is the last thing that is read.
  const trouble = freeze ? undefined : troubleOf(spec, considered);
  const problems = freeze ? NOTHING : problemsOf(policy, trouble, context.settings);
  // What is not supported is told after that.
  const isSetUp = !freeze && trouble === undefined && !problems.some(({ message }) => message === NO_OVERRIDES);
  const ignored = isSetUp ? ignoredRedirects(policy) : NOTHING;
  const told = ignored.length > 0 ? [...ignored, ...problems] : problems;
  return {
    policy,
    match,
    service,
    freeze,
    errors: refused ? [{ key: GLOBAL_KEY, message: refused }, ...told] : told,
    notices: freeze ? NOTHING : noticesOf(policy, considered),
    upstream: shared(upstreamOf(policy, service, circuitBreakers, module), context.settings),
    circuitBreakers,
    healthChecks: readHealthChecks(policy),
    kind: kindOf(spec),
    problem: problems[0]?.message,
    config: module.config,
    resolver,
    memory: { set: undefined, labels: '' },
  };
}

function kindOf(spec: Policy['spec']): ReadMapping['kind'] {
  if (isTrueAt(spec, 'shadow')) return 'shadow';
  return isTrueAt(spec, 'host_redirect') ? 'redirect' : 'route';
}

/** The service with its name completed. What cannot be read is used as written, and freezes the edge if nothing can read it. */
export function serviceOf(
  policy: Policy,
  { settings, module }: MappingContext,
  resolver: ResolverKind | undefined,
): { service: string; refused: string | undefined; freeze: Freeze | undefined } {
  const { spec, namespace, key, kind } = policy;
  if (!Object.hasOwn(spec, 'service')) return { service: '', refused: undefined, freeze: without('service', policy) };
  const written = textAt(spec, 'service') ?? '';
  const qualified = !module.servicesInOwnNamespace && resolver !== 'ConsulResolver';
  const own = kind === 'InternalMapping' || namespace === settings.namespace;
  const read = qualified && !own ? inNamespace(written, namespace) : normaliseService(written, undefined);
  const service = typeof read === 'string' ? read : written;
  // Only brackets can be wrong in a way that nobody catches.
  const url = /[[\]]/.test(service) ? readUrl(`random://${service.replace(/^https?:\/\//i, '')}`) : undefined;
  return {
    service,
    refused: typeof read === 'string' ? undefined : `${key}: Malformed service '${written}': ${read.refused}`,
    freeze: url && 'refused' in url ? { stage: 'ir', message: url.refused, policy } : undefined,
  };
}

/**
 * The compiler takes the field for granted, because the schema asks for it; but an empty text, which the schema takes, is left
 * out by the watcher (emissary-ingress/emissary#3286).
 */
function without(field: string, policy: Policy): Freeze {
  return { stage: 'ir', message: `it has no ${field}, or an empty one`, policy };
}

/** An error that upstream kept for later is told before the prefix is looked at: such a Mapping is just dropped. */
function withoutPrefix(policy: Policy, match: Match | undefined): Freeze | undefined {
  return match || hostProblemOf(policy.spec) !== undefined ? undefined : without('prefix', policy);
}

/** Ten thousand Mappings send to a few hundred services. */
const completed = new PairPool<ReturnType<typeof normaliseService>>();

function inNamespace(service: string, namespace: string): ReturnType<typeof normaliseService> {
  return completed.shared(namespace, service, () => normaliseService(service, namespace));
}

// Most have nothing to say, and there are thousands of them.
const NOTHING: readonly Posted[] = [];

interface Considered {
  readonly match: Match | undefined;
  readonly resolver: ResolverKind | undefined;
  readonly resolverName: string;
  readonly service: string;
  readonly circuitBreakers: unknown;
}

/** Why the Mapping is dropped: the first trouble in upstream's order, and the fields that are not supported, which are told in any case. */
function problemsOf({ spec, key }: Policy, trouble: string | undefined, settings: EdgeSettings): readonly Posted[] {
  if (!trouble && !UNSUPPORTED.some((field) => Object.hasOwn(spec, field))) return NOTHING;
  const problems: Posted[] = [];
  if (trouble) problems.push({ key: trouble === INVALID_RETRY ? 'ir.retrypolicy' : key, message: trouble });
  if (!trouble && Object.hasOwn(spec, 'error_response_overrides') && !overridesResponses(settings)) {
    problems.push({ key, message: NO_OVERRIDES });
  }
  if (Object.hasOwn(spec, 'outlier_detection')) problems.push({ key, message: 'outlier_detection is not supported' });
  return problems;
}

/** Does it take `error_response_overrides`? The stock Envoy of Emissary 4 has no filter for them (emissary-ingress/emissary#5975). */
export function overridesResponses({ version }: EdgeSettings): boolean {
  return Number.parseInt(version, 10) < 4;
}

const UNSUPPORTED = ['error_response_overrides', 'outlier_detection'];
const NO_OVERRIDES = 'error_response_overrides is not supported in Emissary 4';
const INVALID_RETRY = 'Invalid retry policy specified';

function troubleOf(spec: Policy['spec'], considered: Considered): string | undefined {
  const { match, resolver, resolverName, service, circuitBreakers } = considered;
  const loadBalancer = valueAt(spec, 'load_balancer') ?? undefined;
  const problem = match ? match.problem : hostProblemOf(spec);
  if (problem !== undefined) return problem;
  if (!resolver) return `resolver ${resolverName} is unknown!`;
  if (resolver === 'KubernetesServiceResolver' && isGiven(loadBalancer)) {
    return 'No load_balancer setting is allowed with the KubernetesServiceResolver';
  }
  if (resolver === 'ConsulResolver' && service.includes('.')) {
    return 'The Consul resolver does not allow dots in service names';
  }
  if (circuitBreakers !== null && !breakerNames(circuitBreakers)) {
    return 'Invalid circuit_breakers specified, invalidating mapping';
  }
  if (Object.hasOwn(spec, 'retry_policy') && !isRetryOn(valueAt(spec, 'retry_policy', 'retry_on')))
    return INVALID_RETRY;
  if (loadBalancer !== undefined && !isLoadBalancer(loadBalancer))
    return 'Invalid load_balancer specified, invalidating mapping';
  return undefined;
}

/** Truthy in Python: an empty object is not. */
function isGiven(value: unknown): boolean {
  return isRecord(value) ? Object.keys(value).length > 0 : Boolean(value);
}

function noticesOf({ spec, key }: Policy, { resolver, service }: Considered): readonly Posted[] {
  if (resolver !== 'ConsulResolver' && !Object.hasOwn(spec, 'regex_rewrite')) return NOTHING;
  const notices: Posted[] = [];
  const rewrite = textAt(spec, 'rewrite') ?? '/';
  if (Object.hasOwn(spec, 'regex_rewrite') && rewrite !== '' && rewrite !== '/') {
    notices.push({ key: GLOBAL_KEY, message: 'Cannot specify both rewrite and regex_rewrite: rewrite is ignored' });
  }
  if (resolver === 'ConsulResolver' && service.includes(':')) {
    notices.push({ key, message: 'The Consul resolver ignores the requested port' });
  }
  return notices;
}

/** How a redirect may move the path; of several the first one counts. */
export const PATH_REDIRECTS = ['path_redirect', 'prefix_redirect', 'regex_redirect'] as const;

/** Of the three redirects of a path only one is used: told once for each that is not. */
function ignoredRedirects({ spec, key }: Policy): readonly Posted[] {
  if (!PATH_REDIRECTS.some((field) => Object.hasOwn(spec, field))) return NOTHING;
  let used: string | undefined;
  const ignored: Posted[] = [];
  for (const field of PATH_REDIRECTS) {
    if (!Object.hasOwn(spec, field)) continue;
    if (used)
      ignored.push({ key, message: `Cannot specify both ${used} and ${field}. Using ${used} and ignoring ${field}.` });
    used ??= field;
  }
  return ignored;
}

/** Two Mappings of one group that share this are one for the compiler: the name is cut at its first dot. */
export function cacheKeyOf({ policy: { kind, storedName, namespace } }: ReadMapping): string {
  return `${kind}/${beforeDot(storedName)}/${namespace}`;
}

/** The part of a name by which upstream's cache knows it. */
export function beforeDot(name: string): string {
  const dot = name.indexOf('.');
  return dot < 0 ? name : name.slice(0, dot);
}

/** The fields in which the members of a group must agree, as far as a Mapping has them. */
export function coreOf({ policy: { spec }, match, circuitBreakers }: ReadMapping): ReadonlyMap<string, unknown> {
  const core = new Map<string, unknown>([
    ['headers', match?.headers],
    ['circuit_breakers', circuitBreakers],
  ]);
  for (const field of CORE_FIELDS) if (Object.hasOwn(spec, field)) core.set(field, spec[field]);
  return core;
}

const NO_BREAKERS: readonly string[] = [];

function upstreamOf(
  policy: Policy,
  service: string,
  circuitBreakers: unknown,
  module: AmbassadorModule,
): MappingUpstream {
  const { spec, namespace } = policy;
  const marker = kindOf(spec) === 'shadow' ? 'shadow' : textAt(spec, 'cluster_tag');
  const hostRewrite = textAt(spec, 'host_rewrite');
  const statsName = textAt(spec, 'stats_name') ?? textAt(defaultFor(module, 'stats_name'));
  const connectTimeoutMs = numberAt(spec, 'connect_timeout_ms');
  return {
    service,
    namespace,
    breakers: breakerNames(circuitBreakers) ?? NO_BREAKERS,
    tls: valueAt(spec, 'tls'),
    loadBalancer: valueAt(spec, 'load_balancer'),
    resolver: resolverOf(policy, module),
    marker: marker || undefined,
    hostRewrite: hostRewrite || undefined,
    statsName: statsName || undefined,
    connectTimeoutMs,
  };
}
