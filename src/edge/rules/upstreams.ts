import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Policy } from '../model.ts';
import { dropOf, standing } from '../dropped.ts';
import { aboutPolicies } from '../facts.ts';
import { describe, isMade, partyOf } from '../party.ts';
import { Pool } from '../pool.ts';
import { shown } from '../shown.ts';
import { textAt, valueAt } from '../spec.ts';
import { sendersOf, SERVICE_FIELDS, writtenService } from '../upstream.ts';
import { inEach, policiesWith } from './each.ts';
import { backendMissing, qualification } from './backends.ts';

export const UPSTREAM_RULES: readonly Rule[] = [
  {
    id: 'EM045',
    name: 'service-syntax',
    severity: 'error',
    impact: 'steal',
    when: 'A service has another scheme than http and https, no host, a port that is no number from 1 to 65535, credentials, or a path.',
    means:
      'What cannot be read is used as it stands: without its namespace, so requests go to a service of that name in Emissary’s own namespace, or nowhere. Paths, queries and credentials are dropped.',
    mend: 'Write `[http://|https://]name[.namespace][:port]`; a path belongs into `rewrite`.',
    find: inEach(
      Object.keys(SERVICE_FIELDS),
      serviceSyntax,
      Object.values(SERVICE_FIELDS),
      // Of an Ingress Emissary writes it, and a port that it names is right there.
      (policy) => !isMade(policy) && problemOf(policy) !== '',
    ),
  },
  {
    id: 'EM046',
    name: 'backend-missing',
    severity: 'warning',
    impact: 'outage',
    when: 'The Service that a Mapping or TCPMapping sends to is not there, or has no such port, while other Services of its namespace are known or, as the operator does, everything in the cluster is. The gate stops a commit that deletes the Service of its own Mapping.',
    means: 'Emissary does not look: requests are answered with 503.',
    mend: 'Add the Service or the port, or name the right one.',
    find: backendMissing,
  },
  {
    id: 'EM047',
    name: 'qualification',
    severity: 'warning',
    impact: 'steal',
    when: 'The target of a redirect has no dot; or a service without a namespace is looked up in Emissary’s namespace because a Module says so.',
    means:
      'Emissary completes the target of a redirect like a service name (`shop` becomes `shop.namespace`), and browsers cannot follow. With `use_ambassador_namespace_for_service_resolution` a bare name means a service of Emissary’s namespace.',
    mend: 'Write the full host name, or the service with its namespace.',
    find: qualification,
  },
  {
    id: 'EM051',
    name: 'cluster-conflict',
    severity: 'warning',
    impact: 'no-effect',
    when: 'Two Mappings have the same upstream cluster and differ in settings that belong to the cluster.',
    means: 'The settings of the first hold for both; those of the second are ignored without an error.',
    mend: 'Give them the same settings, or a `cluster_tag` each.',
    find: clusterConflict,
  },
  {
    id: 'EM052',
    name: 'tls-context-missing',
    severity: 'error',
    impact: 'protection-lost',
    when: '`tls` of a Mapping, TCPMapping, AuthService or RateLimitService names no TLSContext that is valid: there is none, or its secret cannot be loaded, or it has none.',
    means:
      'The upstream is reached in plain text, on port 80 when none is given. With `https://` the connection stays encrypted, without the client certificate and without the check that the context asks for.',
    mend: 'Name a TLSContext whose secret exists, or write `https://` when no certificate is needed.',
    find: tlsContextMissing,
  },
  {
    id: 'EM053',
    name: 'origination-unverified',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'TLS to an upstream without a certificate authority to check it against.',
    means: 'Any certificate is taken: who can answer for the upstream can read and change the requests.',
    mend: 'Set `tls` to a TLSContext with `secret` and `ca_secret`.',
    find: originationUnverified,
  },
  {
    id: 'EM054',
    name: 'http-with-tls',
    severity: 'warning',
    impact: 'no-effect',
    when: 'A service says `http://` and `tls` names a TLSContext.',
    means: 'Emissary posts an error and uses TLS.',
    mend: 'Leave out `http://`, or `tls`.',
    find: inEach(Object.keys(SERVICE_FIELDS), httpWithTls, ['tls']),
  },
];

function* serviceSyntax(policy: Policy): Iterable<Hit> {
  const field = SERVICE_FIELDS[policy.kind] ?? 'service';
  const text = textAt(policy.spec, field);
  const problem = problemOf(policy);
  const object = partyOf(policy);
  yield {
    object,
    detail: `${field} ${shown(text)}`,
    message: `${describe(object)} has ${field} ${shown(text)}: ${problem}`,
  };
}

/** What is wrong with the text of a service; empty: nothing. */
function problemOf({ kind, spec }: Policy): string {
  const text = textAt(spec, SERVICE_FIELDS[kind] ?? 'service');
  return text === undefined ? '' : problems.shared(text, () => syntaxProblem(text) ?? '');
}

/** By service. */
const problems = new Pool<string>();

/**
 * What Emissary makes of it (ir/irbasemapping.py, ir/ircluster.py). Illegal hosts are EM004's, brackets that do not match
 * freeze the edge.
 */
function syntaxProblem(text: string): string | undefined {
  const { scheme, host, port, hasRest } = writtenService(text);
  if (!['', 'http', 'https'].includes(scheme)) return `the scheme ${shown(scheme)} is not known`;
  if (/^[a-z]+:\/\/[a-z0-9+.-]+:\/\//i.test(text))
    return `there are two schemes, so ${shown(host)} is taken for the host`;
  if (host === '') return /[[\]]/.test(text) ? undefined : 'there is no host';
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    return `the port ${shown(port)} is not a number from 1 to 65535`;
  }
  if (text.includes('@')) return 'the part before the @ is dropped';
  // A single slash at the end asks for nothing that would be lost.
  if (hasRest && !/^([a-z]+:\/\/)?[^/?#]*\/$/i.test(text)) return 'what follows the host is dropped';
  return undefined;
}

/** Settings of a Mapping that end in its cluster, but not in the cluster's name. */
const CLUSTER_SETTINGS = [
  'grpc',
  'connect_timeout_ms',
  'cluster_idle_timeout_ms',
  'cluster_max_connection_lifetime_ms',
  'dns_type',
  'respect_dns_ttl',
  'health_checks',
  'keepalive',
  'enable_ipv4',
  'enable_ipv6',
  'stats_name',
  'tls',
];

function* clusterConflict({ edge }: Judged): Iterable<Hit> {
  const setting = new Set(withSettings(edge));
  for (const { policy, cluster } of setting.size > 0 ? sendersOf(edge) : []) {
    const first = cluster.policy;
    if (!first || first === policy || policy.kind !== 'Mapping' || first.kind !== 'Mapping') continue;
    if (!setting.has(policy) && !setting.has(first)) continue;
    const [mine, theirs] = [clusterSettings(policy), clusterSettings(first)];
    const differing = CLUSTER_SETTINGS.filter((field) => mine.get(field) !== theirs.get(field));
    if (differing.length === 0) continue;
    const [object, other] = [partyOf(policy), partyOf(first)];
    const message = `${describe(object)} shares the cluster of ${describe(other)}, whose ${differing.join(', ')} holds for both`;
    const lost = differing.includes('tls') && textAt(policy.spec, 'tls') !== undefined;
    yield { object, other, otherMayChange: true, message, ...(lost && { impact: 'protection-lost' as const }) };
  }
}

const withSettings = policiesWith(['Mapping'], CLUSTER_SETTINGS);

/** Those that are set, as text. */
const clusterSettings = aboutPolicies.remembered((policy: Policy): ReadonlyMap<string, string> => {
  const set = CLUSTER_SETTINGS.filter((field) => (valueAt(policy.spec, field) ?? undefined) !== undefined);
  const texts = set.map((field) => [field, JSON.stringify(valueAt(policy.spec, field), plain)] as const);
  return new Map(texts);
});

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

const withTls = policiesWith(['Mapping', 'TCPMapping'], ['tls']);

function* tlsContextMissing({ edge }: Judged): Iterable<Hit> {
  // The compiler did not get as far as the contexts: nothing can be said about them.
  if (edge.freeze?.stage === 'load') return;
  const asking = new Set(withTls(edge));
  for (const { policy, cluster } of asking.size > 0 ? sendersOf(edge) : []) {
    const name = asking.has(policy) && textAt(policy.spec, 'tls');
    if (name && !isUsable(edge, name)) yield missingContext(edge, policy, name, cluster.tls);
  }
  for (const policy of [...standing(edge, 'AuthService'), ...standing(edge, 'RateLimitService')]) {
    const name = textAt(policy.spec, 'tls');
    if (!name || isUsable(edge, name)) continue;
    const service = textAt(policy.spec, SERVICE_FIELDS[policy.kind] ?? '') ?? '';
    yield missingContext(edge, policy, name, writtenService(service).scheme === 'https');
  }
}

function isUsable({ contexts }: Edge, name: string): boolean {
  return contexts.get(name)?.usable === true;
}

function missingContext(edge: Edge, policy: Policy, name: string, encrypted: boolean): Hit {
  const object = partyOf(policy);
  const context = standing(edge, 'TLSContext').find(({ storedName }) => storedName === name);
  const reason = context ? dropOf(edge, context)?.message : 'there is no TLSContext of that name';
  const service = shown(textAt(policy.spec, SERVICE_FIELDS[policy.kind] ?? 'service'));
  const effect = encrypted
    ? `${service} is reached over TLS without the context’s certificate and checks`
    : `${service} is reached in plain text`;
  const message = `${describe(object)} has tls ${shown(name)}, but ${reason ?? 'that TLS context is not valid'}: ${effect}`;
  return { object, ...(context && { other: partyOf(context) }), otherMayChange: true, detail: name, message };
}

const unverified = aboutPolicies.remembered((policy: Policy): Hit => {
  const object = partyOf(policy);
  const service = shown(textAt(policy.spec, SERVICE_FIELDS[policy.kind] ?? 'service'));
  return { object, message: `${describe(object)} reaches ${service} over TLS and takes any certificate` };
});

function* originationUnverified({ edge }: Judged): Iterable<Hit> {
  const doubtful = [...edge.clusters.values()].filter(({ tls, verified }) => tls && !verified);
  if (doubtful.length === 0) return;
  for (const { policy, cluster } of sendersOf(edge)) if (cluster.tls && !cluster.verified) yield unverified(policy);
  for (const { policy } of doubtful) {
    if (policy && (policy.kind === 'AuthService' || policy.kind === 'RateLimitService')) {
      yield unverified(policy);
    }
  }
}

function* httpWithTls(policy: Policy): Iterable<Hit> {
  const field = SERVICE_FIELDS[policy.kind] ?? 'service';
  const [service, tls] = [textAt(policy.spec, field), textAt(policy.spec, 'tls')];
  if (!tls || service === undefined || writtenService(service).scheme !== 'http') return;
  const object = partyOf(policy);
  yield { object, message: `${describe(object)} has ${field} ${shown(service)} and tls ${shown(tls)}` };
}
