import type { Hit, Judged, Rule } from '../finding.ts';
import { overridesResponses, PATH_REDIRECTS } from '../mapping.ts';
import type { Policy } from '../model.ts';
import { describe, partyOf } from '../party.ts';
import { shown } from '../shown.ts';
import { hasScalar, isRecord, numberAt, recordAt, textAt, valueAt } from '../spec.ts';
import { defaultResolver, resolversOf } from '../upstream.ts';
import { breakerNames, isLoadBalancer, isRetryOn } from '../upstream-options.ts';
import { inEach, policiesWith } from './each.ts';

export const OPTION_RULES: readonly Rule[] = [
  {
    id: 'EM048',
    name: 'lb-resolver',
    severity: 'error',
    impact: 'drop',
    when: 'The resolver is unknown or does not take the service; or `load_balancer` is set with the (default) service resolver, or is none that Emissary knows.',
    means: 'Emissary drops the Mapping: its requests go to a less specific route, or are answered with 404.',
    mend: 'Set `resolver: endpoint` beside `load_balancer`; ring_hash and maglev need exactly one of cookie, header and source_ip, the others none.',
    find: loadBalancing,
  },
  {
    id: 'EM049',
    name: 'unsupported-field',
    severity: 'error',
    impact: 'drop',
    when: '`outlier_detection` is set; or `error_response_overrides` with Emissary 4 or later.',
    means: 'Emissary posts an error and drops the Mapping, although it says that it ignores the field.',
    mend: 'Leave the field out.',
    find: unsupportedField,
  },
  {
    id: 'EM050',
    name: 'bad-option',
    severity: 'error',
    impact: 'drop',
    when: 'A retry policy without a valid `retry_on`, a circuit breaker of another priority than default and high or with a limit that is no number, a redirect code that is none, or a rate-limit label group with another number of keys than one.',
    means: 'Emissary drops the Mapping; a wrong redirect code becomes 301, and the API server refuses the label group.',
    mend: 'Write a value that Emissary knows.',
    find: inEach(['Mapping', 'TCPMapping'], badOption, [
      'circuit_breakers',
      'retry_policy',
      'redirect_response_code',
      'labels',
    ]),
  },
  {
    id: 'EM055',
    name: 'env-expansion',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'A text of a policy holds `$NAME` or `${NAME}`. An error where it decides which hosts, paths, requests or certificates the policy takes.',
    means:
      'Emissary replaces it by that variable of its own container, when there is one: the policy does not say what is written, and whoever writes policies can read Emissary’s environment.',
    mend: 'Write the value; in a regular expression, write `[$]` for the character.',
    find: inEach('every', environmentNames, 'any', mayHoldVariables),
  },
  {
    id: 'EM056',
    name: 'redirect-exclusive',
    severity: 'warning',
    impact: 'no-effect',
    when: 'More than one of `path_redirect`, `prefix_redirect` and `regex_redirect`; any of them without `host_redirect`; or `rewrite` with `regex_rewrite`.',
    means:
      'Only one holds: path before prefix before regex, `regex_rewrite` before `rewrite`. Without `host_redirect` requests are routed, not redirected.',
    mend: 'Keep the one that is meant.',
    find: inEach(['Mapping'], redirectExclusive, [...PATH_REDIRECTS, 'regex_rewrite']),
  },
];

const withResolving = policiesWith(['Mapping', 'TCPMapping'], ['resolver', 'load_balancer']);

function* loadBalancing({ edge }: Judged): Iterable<Hit> {
  const resolvers = resolversOf(edge);
  const usual = defaultResolver(edge);
  // Only Consul finds fault with a Mapping that says nothing about it.
  const concerned = resolvers.get(usual) === 'ConsulResolver' ? edge.policies : withResolving(edge);
  for (const policy of concerned) {
    if (policy.kind !== 'Mapping' && policy.kind !== 'TCPMapping') continue;
    const problem = resolverProblem(policy, usual, resolvers);
    if (problem === undefined) continue;
    const object = partyOf(policy);
    yield { object, message: `${describe(object)}: ${problem}` };
  }
}

/** An unknown resolver of the Module is the Module's trouble (EM085). */
function resolverProblem(policy: Policy, usual: string, resolvers: ReadonlyMap<string, string>): string | undefined {
  const own = textAt(policy.spec, 'resolver');
  const name = own || usual;
  const kind = resolvers.get(name);
  if (kind === undefined) return own ? `there is no resolver ${shown(name)}` : undefined;
  const service = textAt(policy.spec, 'service') ?? '';
  if (kind === 'ConsulResolver' && service.includes('.')) {
    return `the Consul resolver takes no service with a dot, and ${shown(service)} has one`;
  }
  const balancer = valueAt(policy.spec, 'load_balancer');
  if (policy.kind !== 'Mapping' || balancer === undefined || balancer === null) return undefined;
  const empty = isRecord(balancer) && Object.keys(balancer).length === 0;
  if (kind === 'KubernetesServiceResolver' && !empty) {
    return `load_balancer is set, which the resolver ${shown(name)} does not allow`;
  }
  return isLoadBalancer(balancer) ? undefined : `load_balancer ${shown(balancer)} is none that Emissary knows`;
}

const withUnsupported = policiesWith(['Mapping'], ['outlier_detection', 'error_response_overrides']);

function* unsupportedField({ edge }: Judged): Iterable<Hit> {
  const overrides = overridesResponses(edge.settings);
  for (const policy of withUnsupported(edge)) {
    for (const field of ['outlier_detection', 'error_response_overrides']) {
      if (!Object.hasOwn(policy.spec, field) || (field === 'error_response_overrides' && overrides)) continue;
      const object = partyOf(policy);
      const message = `${describe(object)} sets ${field}, which Emissary ${edge.settings.version} does not support`;
      yield { object, detail: field, message };
    }
  }
}

const REDIRECT_CODES = [301, 302, 303, 307, 308];

function* badOption(policy: Policy): Iterable<Hit> {
  const object = partyOf(policy);
  const hit = (field: string, problem: string): Hit => ({
    object,
    detail: field,
    message: `${describe(object)} has ${field}: ${problem}`,
  });
  const { spec } = policy;
  const breakers = valueAt(spec, 'circuit_breakers') ?? undefined;
  if (breakers !== undefined && !breakerNames(breakers)) {
    yield hit('circuit_breakers', `${shown(breakers)}, but priorities are default and high, limits whole numbers`);
  }
  if (policy.kind !== 'Mapping') return;
  const retry = valueAt(spec, 'retry_policy') ?? undefined;
  if (retry !== undefined && !isRetryOn(valueAt(retry, 'retry_on'))) {
    yield hit('retry_policy', `retry_on is ${shown(valueAt(retry, 'retry_on'))}, none that Emissary knows`);
  }
  const code = numberAt(spec, 'redirect_response_code');
  if (code !== undefined && !REDIRECT_CODES.includes(code)) {
    const problem = `${code} is none of ${REDIRECT_CODES.join(', ')}, so it is 301`;
    yield { ...hit('redirect_response_code', problem), severity: 'warning', impact: 'no-effect' };
  }
  const labels = labelsProblem(valueAt(spec, 'labels'));
  if (labels !== undefined) yield hit('labels', labels);
}

/** `labels: {domain: [{group: [...]}]}`. */
function labelsProblem(labels: unknown): string | undefined {
  if (!isRecord(labels)) return undefined;
  for (const [domain, groups] of Object.entries(labels)) {
    if (!Array.isArray(groups)) continue;
    for (const group of groups as unknown[]) {
      if (!isRecord(group)) continue;
      const names = Object.keys(group);
      if (names.length !== 1) return `a group of domain ${shown(domain)} has ${names.length} keys, not one`;
    }
  }
  return undefined;
}

const VARIABLE = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g;

/** What decides whose requests, certificates and routes a policy takes, in any version. */
const CLAIMING_FIELDS: readonly string[] = (
  'hostname host hosts prefix headers regex_headers query_parameters regex_query_parameters method ambassador_id ' +
  'mappingSelector selector hostBinding tlsSecret tlsContext tls secret ca_secret crl_secret'
).split(' ');

function hasDollar(scalar: unknown): boolean {
  return typeof scalar === 'string' && scalar.includes('$');
}

function mayHoldVariables({ written, labels, spec }: Policy): boolean {
  const own = recordAt(written, 'spec');
  if (hasScalar(own, hasDollar) || (spec !== own && hasScalar(spec, hasDollar))) return true;
  return hasScalar(labels, hasDollar) || hasScalar(written.metadata.labels, hasDollar);
}

function* environmentNames(policy: Policy): Iterable<Hit> {
  const { metadata } = policy.written;
  const spec = recordAt(policy.written, 'spec');
  const claiming = namesIn([metadata.labels, ...CLAIMING_FIELDS.map((field) => spec[field])]);
  // Of a variable that the EdgePolicy names, the value is put in.
  const unknown = namesIn([policy.labels, ...CLAIMING_FIELDS.map((field) => policy.spec[field])]);
  const object = partyOf(policy);
  for (const name of new Set([...claiming, ...namesIn([spec])])) {
    const message = `${describe(object)} holds \`$${name}\`, which Emissary’s environment replaces`;
    if (!claiming.has(name) || !unknown.has(name)) yield { object, detail: name, message };
    // Otherwise one could write a route that belongs to somebody else in a way that only Emissary can read.
    else
      yield { object, detail: `claim ${name}`, severity: 'error', message: `${message}: what it takes is not known` };
  }
}

function namesIn(values: unknown[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const text of textsOf(values)) {
    for (const [, bare, braced] of text.matchAll(VARIABLE)) names.add((bare ?? braced ?? '').slice(0, 64));
  }
  return names;
}

/** Every text, names of fields included; without recursion, for nothing bounds the depth of JSON. */
function* textsOf(values: readonly unknown[]): Iterable<string> {
  const open = [...values];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') {
      if (value.includes('$')) yield value;
    } else if (Array.isArray(value)) {
      for (const inner of value as unknown[]) open.push(inner);
    } else if (isRecord(value)) {
      for (const [name, inner] of Object.entries(value)) open.push(name, inner);
    }
  }
}

function* redirectExclusive(policy: Policy): Iterable<Hit> {
  const { spec } = policy;
  const object = partyOf(policy);
  const set = PATH_REDIRECTS.filter((field) => Object.hasOwn(spec, field) && valueAt(spec, field) !== null);
  if (set.length > 1) {
    yield { object, detail: 'several', message: `${describe(object)} sets ${set.join(' and ')}: ${set[0]} holds` };
  }
  if (set.length > 0 && valueAt(spec, 'host_redirect') !== true) {
    const message = `${describe(object)} sets ${set.join(' and ')} without host_redirect: nothing is redirected`;
    yield { object, detail: 'host_redirect', message };
  }
  const rewrite = textAt(spec, 'rewrite');
  if (rewrite && rewrite !== '/' && isRecord(valueAt(spec, 'regex_rewrite'))) {
    yield {
      object,
      detail: 'rewrite',
      message: `${describe(object)} sets rewrite and regex_rewrite: regex_rewrite holds`,
    };
  }
}
