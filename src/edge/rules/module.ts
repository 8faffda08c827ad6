import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Policy } from '../model.ts';
import { standing } from '../dropped.ts';
import { cidrProblem } from '../cidr.ts';
import { describe, partyOf } from '../party.ts';
import { shown } from '../shown.ts';
import { isRecord, listAt, recordAt, valueAt } from '../spec.ts';
import { overridesResponses } from '../mapping.ts';
import { moduleIn, resolversOf } from '../upstream.ts';
import { isRetryOn } from '../upstream-options.ts';

export const MODULE_RULES: readonly Rule[] = [
  {
    id: 'EM084',
    name: 'module-dup',
    severity: 'error',
    impact: 'drop',
    when: 'There are two or more Modules called `ambassador`.',
    means: 'The one of the first namespace in alphabetical order holds; all others are ignored without a word.',
    mend: 'Keep one Module `ambassador` for each `ambassador_id`.',
    find: moduleTwice,
  },
  {
    id: 'EM085',
    name: 'module-content',
    severity: 'error',
    impact: 'drop',
    when: 'The Module `ambassador` has a setting that Emissary refuses, or one that it does not know, or no longer (a warning).',
    means:
      'Nothing checks the Module’s settings when it is applied. A wrong default drops every Mapping, a wrong type can freeze the whole edge; an unknown name does nothing.',
    mend: 'Correct the setting, or its name.',
    find: moduleContent,
  },
  {
    id: 'EM086',
    name: 'ip-filter',
    severity: 'error',
    impact: 'protection-lost',
    when: '`ip_allow` has no valid entry, an entry of `ip_allow` or `ip_deny` is not valid, or both are set.',
    means:
      'Without a valid entry there is no filter: everybody is let in. Entries that are not valid are left out, and of the two lists only `ip_allow` holds.',
    mend: 'Write entries `peer: 192.0.2.0/24` or `remote: …`, each an element of its own, in one of the two lists.',
    find: ipFilter,
  },
  {
    id: 'EM087',
    name: 'diagnostics-exposed',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'The Module `ambassador` does not set `diagnostics.enabled: false`, or there is none, while a Listener serves Hosts.',
    means: 'The diagnostics of the whole gateway are served on every Host below `/ambassador/v0/`.',
    mend: 'Set `diagnostics: {enabled: false, allow_non_local: true}`: they stay on the admin port.',
    find: diagnosticsExposed,
  },
];

function* moduleTwice({ edge }: Judged): Iterable<Hit> {
  const kept = moduleIn(edge);
  if (!kept) return;
  for (const policy of standing(edge, 'Module')) {
    if (policy.name !== 'ambassador' || policy === kept) continue;
    const [object, other] = [partyOf(policy), partyOf(kept)];
    yield { object, other, otherMayChange: true, message: `${describe(object)} is ignored: ${describe(other)} holds` };
  }
}

/** What ir/irambassador.py reads of `spec.config`. */
const KNOWN_SETTINGS = new Set(
  `
  add_linkerd_headers admin_port allow_chunked_length ambassador_id auth_enabled buffer buffer_limit_bytes
  circuit_breakers cluster_idle_timeout_ms cluster_max_connection_lifetime_ms cluster_request_timeout_ms cors
  debug_mode default_label_domain default_labels defaults diagnostics enable_grpc_http11_bridge enable_grpc_web
  enable_http10 enable_ipv4 enable_ipv6 envoy_log_format envoy_log_path envoy_log_type envoy_validation_timeout
  error_response_overrides forward_client_cert_details grpc_stats gzip header_case_overrides
  headers_with_underscores_action ip_allow ip_deny keepalive listener_idle_timeout_ms liveness_probe
  load_balancer lua_scripts max_request_headers_kb merge_slashes preserve_external_request_id proper_case
  prune_unreachable_routes readiness_probe regex_max_size regex_type reject_requests_with_escaped_slashes
  resolver retry_policy runtime_flags server_name service_port set_current_client_cert_details statsd
  strip_matching_host_port suppress_envoy_headers use_ambassador_namespace_for_service_resolution
  use_proxy_proto use_remote_address x_forwarded_proto_redirect xff_num_trusted_hops
  `
    .trim()
    .split(/\s+/),
);

function* moduleContent({ edge }: Judged): Iterable<Hit> {
  const module = moduleIn(edge);
  if (!module) return;
  const object = partyOf(module);
  for (const problem of refusals(edge, module)) {
    const frozen = edge.freeze?.policy === module;
    yield {
      object,
      detail: problem,
      ...(frozen && { impact: 'freeze' as const }),
      message: `${describe(object)}: ${problem}`,
    };
  }
  for (const name of Object.keys(recordAt(module.spec, 'config'))) {
    const isGone = name === 'error_response_overrides' && !overridesResponses(edge.settings);
    if (KNOWN_SETTINGS.has(name) && !isGone) continue;
    const why = isGone ? `which Emissary ${edge.settings.version} ignores` : 'which Emissary does not know';
    const message = `${describe(object)} sets ${shown(name)}, ${why}`;
    yield { object, detail: shown(name), severity: 'warning', impact: 'no-effect', message };
  }
}

/** What the simulated compiler said of it, and what it says without a name; address lists are EM086's. */
function refusals(edge: Edge, module: Policy): ReadonlySet<string> {
  const config = valueAt(module.spec, 'config');
  const problems = edge.errors
    .filter(({ key, message }) => key === module.key && !/ip_allow|ip_deny|invalidating|resolver/.test(message))
    .map(({ message }) => message);
  if (edge.freeze?.policy === module) problems.push(edge.freeze.message);
  const resolver = valueAt(config, 'resolver');
  if (resolver && !(typeof resolver === 'string' && resolversOf(edge).has(resolver))) {
    problems.push(`there is no resolver ${shown(resolver)}: every Mapping is dropped`);
  }
  const retry = valueAt(config, 'retry_policy');
  if (isRecord(retry) && !isRetryOn(valueAt(retry, 'retry_on'))) problems.push('retry_policy has no valid retry_on');
  const buffer = valueAt(config, 'buffer');
  if (isRecord(buffer) && (valueAt(buffer, 'max_request_bytes') ?? undefined) === undefined) {
    problems.push('buffer has no max_request_bytes');
  }
  return new Set(problems);
}

function* ipFilter({ edge }: Judged): Iterable<Hit> {
  const module = moduleIn(edge);
  const config = valueAt(module?.spec, 'config');
  if (!module || !isRecord(config)) return;
  const object = partyOf(module);
  const inForce = (field: string) => listAt(config, field).some((entry) => principalProblem(entry) === undefined);
  for (const field of ['ip_allow', 'ip_deny']) {
    if (!Object.hasOwn(config, field)) continue;
    const problems = listAt(config, field).map((entry) => principalProblem(entry) ?? doubleProblem(entry));
    const wrong = problems.find((problem) => problem !== undefined);
    const off = !inForce(field) && (field === 'ip_allow' || wrong !== undefined);
    if (!off && wrong === undefined) continue;
    const effect = !off ? 'the entry is left out' : field === 'ip_allow' ? 'everybody is let in' : 'nobody is kept out';
    yield { object, detail: field, message: `${describe(object)} has ${field}: ${wrong ?? 'it is empty'}: ${effect}` };
  }
  if (Object.hasOwn(config, 'ip_allow') && Object.hasOwn(config, 'ip_deny')) {
    const ignored = inForce('ip_allow') ? 'ip_deny is ignored' : 'only ip_deny is looked at';
    yield { object, detail: 'both', message: `${describe(object)} has both ip_allow and ip_deny: ${ignored}` };
  }
}

/** Of one entry, `{peer: 192.0.2.1}`; only its first field is looked at (ir/iripallowdeny.py). */
function principalProblem(entry: unknown): string | undefined {
  const [first] = Object.entries(isRecord(entry) ? entry : {});
  if (!first) return `${shown(entry)} names no address`;
  const [kind, range] = first;
  if (kind !== 'peer' && kind !== 'remote') return `${shown(kind)} is neither peer nor remote`;
  if (typeof range !== 'string' || cidrProblem(range) !== undefined)
    return `${shown(range)} is no address and no range`;
  return undefined;
}

function doubleProblem(entry: unknown): string | undefined {
  return Object.keys(isRecord(entry) ? entry : {}).length > 1 ? `${shown(entry)} is two entries in one` : undefined;
}

function* diagnosticsExposed({ edge }: Judged): Iterable<Hit> {
  if (!edge.listeners.some(({ chains }) => chains.some(({ vhosts }) => vhosts.length > 0))) return;
  const module = moduleIn(edge);
  const enabled = valueAt(module?.spec, 'config', 'diagnostics', 'enabled');
  if (enabled === false) return;
  const object = module
    ? partyOf(module)
    : { kind: 'Module', namespace: edge.settings.namespace, name: 'ambassador', origin: { instead: 'not there' } };
  const message = module
    ? `${describe(object)} leaves diagnostics enabled on every Host`
    : 'there is no Module ambassador, so diagnostics are enabled on every Host';
  yield { object, traffic: { path: '/ambassador/v0/' }, message };
}
