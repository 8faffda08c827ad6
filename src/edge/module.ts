import type { Compilation } from './compilation.ts';
import { Frozen } from './compilation.ts';
import { breakerNames, isLoadBalancer, isRetryOn } from './upstream-options.ts';
import { isRecord, listAt, recordAt, textAt, valueAt } from './spec.ts';
import { cidrProblem } from './cidr.ts';
import { shown } from './shown.ts';
import type { HttpFilter, Policy, RouteGroup, Spec } from './model.ts';

/** The Module `ambassador`: what holds where a policy says nothing itself. All of it is free-form: any JSON may stand anywhere. */
export interface AmbassadorModule {
  /** Absent: nobody declares one. */
  readonly policy: Policy | undefined;
  /** Errors of it and of Emissary's own routes are posted under this. */
  readonly key: string;
  /** `spec.config` as written. */
  readonly config: Spec;
  /** Name of the resolver for Mappings that name none. */
  readonly resolver: string;
  readonly circuitBreakers: unknown;
  readonly loadBalancer: unknown;
  /** Services are looked for in Emissary's namespace: names are not qualified. */
  readonly servicesInOwnNamespace: boolean;
}

// One object for ever: what is remembered with a Mapping is compared by it.
const NO_CONFIG: Spec = {};

/** The Module `ambassador` of the first namespace in the order; others of that name have no effect. */
export function moduleOf(compilation: Compilation): AmbassadorModule {
  const policy = compilation.named('Module', 'ambassador');
  if (policy) dropOthers(policy, compilation);
  const config = policy ? configOf(policy) : NO_CONFIG;
  return {
    policy,
    key: policy?.key ?? 'ir.ambassador',
    config,
    resolver: textAt(config, 'resolver') ?? 'kubernetes-service',
    circuitBreakers: valueAt(config, 'circuit_breakers') ?? undefined,
    loadBalancer: valueAt(config, 'load_balancer') ?? undefined,
    servicesInOwnNamespace: Boolean(valueAt(config, 'use_ambassador_namespace_for_service_resolution')),
  };
}

/** `spec.config` of a Module; a Module without one makes the compiler raise while it loads. */
export function configOf(policy: Policy): Spec {
  const config = valueAt(policy.spec, 'config');
  if (isRecord(config)) return config;
  throw new Frozen({
    stage: 'load',
    message: `Module ${policy.namespace}/${policy.name}: spec.config is not an object`,
    policy,
  });
}

function dropOthers(kept: Policy, compilation: Compilation): void {
  for (const other of compilation.of('Module')) {
    if (other.name !== 'ambassador' || other === kept) continue;
    compilation.drop(
      other,
      'duplicate',
      `the Module of namespace ${kept.namespace} sorts first; only one counts`,
      kept,
    );
  }
}

/** A default of the Module for a field of a Mapping: `defaults.httpmapping` before `defaults`. */
export function defaultFor(module: AmbassadorModule, field: string): unknown {
  return valueAt(module.config, 'defaults', 'httpmapping', field) ?? valueAt(module.config, 'defaults', field);
}

/**
 * Checks the Module and gives the filters that it adds to every request (ir/irambassador.py `finalize`). The first thing
 * that is wrong ends it: what comes after is not looked at, so an address list behind it protects nothing.
 */
export function moduleFilters(module: AmbassadorModule, compilation: Compilation): HttpFilter[] {
  const { config } = module;
  const filters: HttpFilter[] = [];
  const has = (field: string): boolean => Object.hasOwn(config, field);
  const add = (name: string): number => filters.push({ name: `envoy.filters.http.${name}` });
  freezeOn(wrongType(config), module);
  if (has('enable_grpc_http11_bridge')) add('grpc_http1_bridge');
  if (has('enable_grpc_web')) add('grpc_web');
  if (valueAt(config, 'grpc_stats') != null) add('grpc_stats');
  if (has('lua_scripts')) add('lua');
  if (has('gzip')) add('gzip');
  if (has('buffer')) {
    if (valueAt(config, 'buffer', 'max_request_bytes') == null) {
      compilation.error('ir.buffer', 'missing required field: max_request_bytes');
      return filters;
    }
    add('buffer');
  }
  if (has('retry_policy') && !isRetryOn(valueAt(config, 'retry_policy', 'retry_on'))) {
    compilation.error('ir.retrypolicy', 'the Module has a retry_policy without a known retry_on');
    return filters;
  }
  if (addressFilter(module, compilation)) add('rbac');
  const problem = optionProblem(module);
  if (problem) compilation.error(module.key, problem);
  return filters;
}

/** Is `ip_allow` or `ip_deny` in force? A list of which no entry is valid is not: everybody passes. */
function addressFilter({ config, key }: AmbassadorModule, compilation: Compilation): boolean {
  let inForce = false;
  for (const field of ['ip_allow', 'ip_deny']) {
    if (!Object.hasOwn(config, field)) continue;
    if (inForce) {
      compilation.error(key, 'ip_allow and ip_deny may not both be set');
      continue;
    }
    for (const entry of listAt(config, field)) {
      const [first, ...more] = Object.entries(isRecord(entry) ? entry : {});
      if (!first) continue;
      const problem = principalProblem(field, first);
      if (problem) compilation.error(key, problem);
      else inForce = true;
      if (more.length > 0) compilation.error(key, `${field} principals must be separate list elements`);
    }
  }
  return inForce;
}

function principalProblem(field: string, [kind, range]: [string, unknown]): string | undefined {
  if (kind !== 'peer' && kind !== 'remote') return `${field} principal type ${kind} unknown: must be peer or remote`;
  const problem = cidrProblem(typeof range === 'string' ? range : shown(range));
  return problem && `${field} principal ${shown(range)} is not valid: ${problem}`;
}

const LOG_FORMATS: Readonly<Record<string, (format: unknown) => boolean>> = {
  text: (format) => typeof format === 'string',
  json: isRecord,
  typed_json: isRecord,
};
const CERT_FORWARDING = ['SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY'];
const CERT_DETAILS = ['subject', 'cert', 'chain', 'dns', 'uri'];

/** The first option that the compiler refuses. */
function optionProblem({ config, loadBalancer, circuitBreakers }: AmbassadorModule): string | undefined {
  if (loadBalancer !== undefined && !isLoadBalancer(loadBalancer)) return 'Invalid load_balancer specified';
  if (circuitBreakers !== undefined && !breakerNames(circuitBreakers)) return 'Invalid circuit_breakers specified';
  const type = valueAt(config, 'envoy_log_type') ?? 'text';
  const fits = typeof type === 'string' && Object.hasOwn(LOG_FORMATS, type) ? LOG_FORMATS[type] : undefined;
  if (!fits) return 'Invalid log_type specified. Supported: json, text, typed_json';
  const format = valueAt(config, 'envoy_log_format') ?? undefined;
  if (format !== undefined && !fits(format)) return `envoy_log_format does not fit envoy_log_type ${shown(type)}`;
  const forward = valueAt(config, 'forward_client_cert_details') ?? undefined;
  if (forward !== undefined && !CERT_FORWARDING.some((known) => known === forward)) {
    return `forward_client_cert_details must be one of ${CERT_FORWARDING.join(', ')}`;
  }
  const details = Object.entries(recordAt(config, 'set_current_client_cert_details'));
  const wrong = details.find(([name, value]) => !CERT_DETAILS.includes(name) || typeof value !== 'boolean');
  return wrong && `set_current_client_cert_details may not contain ${wrong[0]} so`;
}

/** Fields whose wrong type makes the compiler raise at once. */
function wrongType(config: Spec): string | undefined {
  const wrong = (field: string, fits: (value: unknown) => boolean): string | undefined =>
    Object.hasOwn(config, field) && !fits(config[field]) ? field : undefined;
  const principals = (value: unknown): boolean => Array.isArray(value) && value.every(isRecord);
  return (
    wrong('gzip', isRecord) ??
    wrong('buffer', isRecord) ??
    wrong('cors', (cors) => isRecord(cors) && isNothingOr(cors['origins'], Array.isArray)) ??
    wrong('retry_policy', isRecord) ??
    wrong('ip_allow', principals) ??
    wrong('ip_deny', principals) ??
    wrong('load_balancer', (value) => value === null || isRecord(value)) ??
    wrong('default_labels', (value) => !value || isRecord(value))
  );
}

function freezeOn(field: string | undefined, { policy }: AmbassadorModule): void {
  if (field === undefined) return;
  throw new Frozen({
    stage: 'ir',
    message: `Module ambassador: ${field} is not of the type that the compiler reads`,
    policy,
  });
}

function isNothingOr(value: unknown, fits: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || fits(value);
}

/** Python's `float()` does not take it: nothing given is fine. */
export function isNotSeconds(value: unknown): boolean {
  if (typeof value === 'string') return value !== '' && (value.trim() === '' || Number.isNaN(Number(value)));
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** Fields of a wrong type that the compiler stumbles over when it writes routes. */
export function raiseForRoutes({ config, policy }: AmbassadorModule, groups: readonly RouteGroup[]): void {
  const timeout = valueAt(config, 'cluster_request_timeout_ms');
  if (timeout === undefined || typeof timeout === 'number' || typeof timeout === 'bigint') return;
  const used = groups.some(({ members }) => members.some((member) => !Object.hasOwn(member.policy.spec, 'timeout_ms')));
  if (used)
    throw new Frozen({
      stage: 'envoy',
      message: 'Module ambassador: cluster_request_timeout_ms is not a number',
      policy,
    });
}

/** Fields of a wrong type that the compiler stumbles over when it writes clusters. */
export function raiseForClusters({ config, policy }: AmbassadorModule, clusters: number): void {
  if (clusters === 0) return;
  const keepalive = valueAt(config, 'keepalive');
  const lifetimes = ['cluster_idle_timeout_ms', 'cluster_max_connection_lifetime_ms'];
  const wrong =
    keepalive && !isRecord(keepalive) ? 'keepalive' : lifetimes.find((field) => isNotSeconds(valueAt(config, field)));
  if (wrong) throw new Frozen({ stage: 'envoy', message: `Module ambassador: ${wrong} is of a wrong type`, policy });
}
