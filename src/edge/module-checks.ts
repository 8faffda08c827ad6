import { cidrProblem } from './cidr.ts';
import { Frozen, GLOBAL_KEY, type Compilation } from './compilation.ts';
import { shown } from './shown.ts';
import { isRecord, listAt, recordAt, valueAt } from './spec.ts';
import { breakerNames, isLoadBalancer, isRetryOn } from './upstream-options.ts';
import { isNotSeconds, raiseWrongType } from './module-types.ts';
import type { AmbassadorModule } from './module.ts';
import type { HttpFilter } from './model.ts';

/** Fields of the Module that add a filter by being there, whatever their value. */
const FILTER_FIELDS = [
  ['enable_grpc_http11_bridge', 'grpc_http1_bridge'],
  ['enable_grpc_web', 'grpc_web'],
  ['grpc_stats', 'grpc_stats'],
  ['lua_scripts', 'lua'],
  ['gzip', 'gzip'],
] as const;

/**
 * Checks the Module and gives the filters that it adds to every request (ir/irambassador.py `finalize`). The first thing
 * that is wrong ends it: what comes after is not looked at, so an address list behind it protects nothing.
 */
export function moduleFilters(module: AmbassadorModule, compilation: Compilation): HttpFilter[] {
  const { config, key } = module;
  const has = (field: string): boolean => Object.hasOwn(config, field);
  raiseWrongType(module);
  if (has('envoy_validation_timeout') && !isWholeNumber(config['envoy_validation_timeout'])) {
    compilation.error(key, 'envoy_validation_timeout must be an integer number of seconds');
  }
  const given = FILTER_FIELDS.filter(([field]) => has(field) && !(field === 'grpc_stats' && config[field] === null));
  const filters: HttpFilter[] = given.map(([, name]) => ({ name: `envoy.filters.http.${name}` }));
  if (has('buffer')) {
    if (valueAt(config, 'buffer', 'max_request_bytes') == null) {
      compilation.error('ir.buffer', 'missing required field: max_request_bytes');
      return filters;
    }
    if (valueAt(config, 'buffer', 'max_request_time')) {
      compilation.notice('ir.buffer', 'max_request_time is no longer supported, ignoring');
    }
    filters.push({ name: 'envoy.filters.http.buffer' });
  }
  if (has('retry_policy') && !isRetryOn(valueAt(config, 'retry_policy', 'retry_on'))) {
    compilation.error('ir.retrypolicy', 'the Module has a retry_policy without a known retry_on');
    return filters;
  }
  if (addressFilter(module, compilation)) filters.push({ name: 'envoy.filters.http.rbac' });
  const problem = optionProblem(module);
  if (problem) compilation.error(key, problem);
  return filters;
}

/** As Python's `int()` takes it. */
function isWholeNumber(value: unknown): boolean {
  return typeof value === 'string'
    ? /^\s*[+-]?\d+\s*$/.test(value)
    : ['number', 'bigint', 'boolean'].includes(typeof value);
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
  const problem = cidrProblem(typeof range === 'string' ? range : '');
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
  const type = Object.hasOwn(config, 'envoy_log_type') ? config['envoy_log_type'] : 'text';
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

/** What an HTTP Listener says of the Module; throws where the compiler cannot write it with these types. */
export function checkForListener(module: AmbassadorModule, compilation: Compilation): void {
  const { config, policy } = module;
  const logType = Object.hasOwn(config, 'envoy_log_type') ? config['envoy_log_type'] : 'text';
  const wrong =
    typeof logType !== 'string'
      ? 'envoy_log_type'
      : isNotSeconds(config['listener_idle_timeout_ms']) && 'listener_idle_timeout_ms';
  if (wrong) throw new Frozen({ stage: 'envoy', message: `Module ambassador: ${wrong} is of a wrong type`, policy });
  const overrides = config['header_case_overrides'];
  if (!overrides || (isRecord(overrides) && Object.keys(overrides).length === 0)) return;
  if (config['proper_case'])
    compilation.error(GLOBAL_KEY, 'Only one of proper_case and header_case_overrides may be set');
  if (config['proper_case'] || !Array.isArray(overrides)) {
    return compilation.error(GLOBAL_KEY, 'header_case_overrides must be an array');
  }
  const skipped = overrides.filter((name) => typeof name !== 'string').length;
  for (let i = 0; i < skipped; i++)
    compilation.error(GLOBAL_KEY, 'Skipping non-string header in header_case_overrides');
  if (skipped > 0 && skipped === overrides.length) compilation.error(GLOBAL_KEY, 'header_case_overrides holds no text');
}
