import { isIP } from 'node:net';
import type { Hit, Judged, Rule } from '../finding.ts';
import { TLS_VERSIONS } from '../guard.ts';
import type { Chain, Listener, Policy } from '../model.ts';
import { bringerOf, describe, partyOf, policiesOf } from '../party.ts';
import { readRegex } from '../regex.ts';
import { hasScalar, numberAt, textAt, valueAt } from '../spec.ts';
import { inEach, policiesWith } from './each.ts';
import { isCipherSuite, isCurve } from './boringssl.ts';
import { REGEX_FIELDS, regexesOf } from './regex-fields.ts';
import { twinsOf } from './twins.ts';

const FREEZES =
  'Emissary checks nothing of it and Envoy refuses the whole configuration: the edge keeps the one it has, and no change of anybody is taken up until this is mended.';

/** The fields that name a host that requests go to. */
const UPSTREAM_FIELDS = ['service', 'auth_service', 'host_rewrite'];

export const FREEZE_RULES: readonly Rule[] = [
  {
    id: 'EM001',
    name: 'bad-regex',
    severity: 'error',
    impact: 'freeze',
    when: 'A regular expression of a Mapping is empty or not valid RE2: look-around, back-references, unbalanced brackets …',
    means: FREEZES,
    mend: 'Write it without what RE2 does not have (look-ahead, look-behind, back-references), or as a plain prefix.',
    find: inEach(['Mapping'], badRegex, REGEX_FIELDS),
  },
  {
    id: 'EM002',
    name: 'regex-too-big',
    severity: 'warning',
    impact: 'freeze',
    when: "RE2's program of a regular expression is larger than `regex_max_size` of the Module (200 unless set).",
    means: `Envoy has a limit for the size of a regular expression's program. ${FREEZES}`,
    mend: 'Split it into several Mappings, or raise regex_max_size in the ambassador Module.',
    find: regexTooBig,
  },
  {
    id: 'EM003',
    name: 'number-range',
    severity: 'error',
    impact: 'freeze',
    when: 'A weight, a time in milliseconds, a limit of a circuit breaker, a number of retries or of keepalive is negative; a port is not within 1 to 65535; or one of several TCPMappings that share a port comes out with the weight 0.',
    means: `The schema takes the number. ${FREEZES}`,
    mend: 'Write a number that Envoy takes: weights, times and limits from 0, ports from 1 to 65535, weights of TCPMappings from 1 to 100.',
    find: numbers,
  },
  {
    id: 'EM004',
    name: 'bad-upstream-host',
    severity: 'error',
    impact: 'freeze',
    when: 'The host of a service, an auth_service or a host_rewrite is neither a DNS name nor an IP address.',
    means: FREEZES,
    mend: 'Write `name`, `name.namespace`, a full DNS name or an IP address, with a port after a colon if need be.',
    find: inEach('every', badUpstreamHost, UPSTREAM_FIELDS, mayHaveBadHost),
  },
  {
    id: 'EM005',
    name: 'host-case-dup',
    severity: 'error',
    impact: 'freeze',
    when: 'Two Hosts on one Listener have hostnames that differ in letter case only.',
    means: `To Emissary they are two, to Envoy one domain that is there twice. ${FREEZES}`,
    mend: 'Write the hostname in small letters, in one Host.',
    find: hostCaseDuplicate,
  },
  {
    id: 'EM006',
    name: 'tcp-on-http-port',
    severity: 'error',
    impact: 'freeze',
    when: 'A TCPMapping without a host is on a port where a Listener serves Hosts over HTTP in clear text; or one with a host is on a port where another TCPMapping or Host has the same name in other letters.',
    means: `Both take the same connections, so Envoy sees two equal filter chains. ${FREEZES}`,
    mend: 'Give the TCPMapping a port of its own, or a host and TLS.',
    find: tcpOnHttpPort,
  },
  {
    id: 'EM007',
    name: 'auth-incompatible',
    severity: 'error',
    impact: 'freeze',
    when: 'Two AuthServices differ in proto or in TLS.',
    means:
      'Emissary puts all AuthServices into one upstream and fails when they do not go together: no configuration comes out, for nobody.',
    mend: 'Keep one AuthService for each gateway, or make them equal in proto, scheme and tls.',
    find: authIncompatible,
  },
  {
    id: 'EM008',
    name: 'tls-param-unknown',
    severity: 'error',
    impact: 'freeze',
    when: 'A cipher suite or curve is none that BoringSSL knows, or min_tls_version is above max_tls_version.',
    means: FREEZES,
    mend: 'Write names as OpenSSL has them (ECDHE-RSA-AES128-GCM-SHA256, P-256) and a minimum not above the maximum.',
    find: tlsParameters,
  },
  {
    id: 'EM009',
    name: 'compiler-fails',
    severity: 'error',
    impact: 'freeze',
    when: "Emissary's compiler itself fails over the objects: a prefix, a service or the value of a header to add that is an empty text, a value of a type that it does not expect, two policies that it cannot join.",
    means:
      'It raises an exception instead of making a configuration: the edge keeps the one it has, and no change of anybody is taken up.',
    mend: 'Mend or remove the object that is named.',
    find: compilerFails,
  },
];

function* badRegex(policy: Policy): Iterable<Hit> {
  for (const { field, text } of regexesOf(policy)) {
    const problem = problemOf(text);
    if (problem === undefined) continue;
    const object = partyOf(policy);
    yield { object, detail: field, message: `${describe(object)}: ${field} ${problem}` };
  }
}

function problemOf(text: string): string | undefined {
  if (text === '') return 'is empty, which Envoy takes for no regular expression';
  const regex = readRegex(text);
  return regex.kind === 'invalid' ? `\`${text}\` is not valid RE2: ${regex.problem}` : undefined;
}

const DEFAULT_REGEX_SIZE = 200;
const withRegexes = policiesWith(['Mapping'], REGEX_FIELDS);

function* regexTooBig({ edge }: Judged): Iterable<Hit> {
  const [module] = [...policiesOf(edge, 'Module')].filter(({ storedName }) => storedName === 'ambassador');
  const limit = numberAt(module?.spec, 'config', 'regex_max_size') ?? DEFAULT_REGEX_SIZE;
  for (const policy of withRegexes(edge)) {
    for (const { field, text } of regexesOf(policy)) {
      const regex = readRegex(text);
      if (regex.kind === 'invalid' || (regex.kind === 'valid' && regex.programSize <= limit)) continue;
      const object = partyOf(policy);
      const size = regex.kind === 'valid' ? `has ${regex.programSize}` : `may have ${regex.steps}`;
      yield {
        object,
        detail: field,
        message: `${describe(object)}: the program of ${field} ${size} steps; the limit is ${limit}`,
      };
    }
  }
}

/** Of all ranges together: what lies within is in each of them. */
function mayBeOutOfRange({ spec }: Policy): boolean {
  return hasScalar(spec, (scalar) => {
    return (typeof scalar === 'number' || typeof scalar === 'bigint') && (scalar < 1 || scalar > 65_535);
  });
}

const outOfRangeIn = inEach('every', numberRange, 'any', mayBeOutOfRange);

function* numbers(judged: Judged): Iterable<Hit> {
  yield* outOfRangeIn(judged);
  yield* weightless(judged);
}

/** Envoy's weights of TCP clusters begin at 1; one alone has 100, whatever it says. */
function* weightless({ edge }: Judged): Iterable<Hit> {
  const weightless = edge.tcpGroups.flatMap(({ id, members }) => {
    return members.filter(({ cumulative }) => cumulative === 0).map(({ policy }) => ({ id, policy }));
  });
  if (weightless.length === 0) return;
  const served = new Set<string>();
  for (const { chains } of edge.listeners) for (const { tcp } of chains) if (tcp) served.add(tcp.id);
  for (const { id, policy } of weightless) {
    if (!served.has(id)) continue;
    const object = partyOf(policy);
    const message = `${describe(object)} comes out with the weight 0; Envoy takes 1 and more`;
    yield { object, detail: 'weight 0', message };
  }
}

function* numberRange(policy: Policy): Iterable<Hit> {
  for (const { field, value, range } of outOfRange(policy.kind, policy.spec, '', 0, [])) {
    const object = partyOf(policy);
    const takes = range[1] === Number.MAX_SAFE_INTEGER ? 'no negative number' : `${range[0]} to ${range[1]}`;
    const message = `${describe(object)} has ${field} ${value}; Envoy takes ${takes}`;
    yield { object, detail: field, message };
  }
}

/** No field that counts here lies deeper. */
const DEEPEST = 8;

interface OutOfRange {
  /** With its path: `retry_policy.per_try_timeout_ms`. */
  readonly field: string;
  readonly value: number;
  readonly range: readonly [number, number];
}

function outOfRange(kind: string, value: unknown, path: string, depth: number, found: OutOfRange[]): OutOfRange[] {
  if (depth === DEEPEST || typeof value !== 'object' || value === null) return found;
  for (const [name, inner] of Object.entries(value)) {
    const field = depth === 0 ? name : `${path}.${name}`;
    if (typeof inner === 'object') outOfRange(kind, inner, field, depth + 1, found);
    if (typeof inner !== 'number' && typeof inner !== 'bigint') continue;
    const range = rangeOf(kind, field);
    const number = Number(inner);
    if (range && (number < range[0] || number > range[1])) found.push({ field, value: number, range });
  }
  return found;
}

/** What Envoy counts without a sign, in 32 bits. */
const COUNTS =
  /^(?:config\.)?(?:circuit_breakers\.\d+\.max_\w+|retry_policy\.num_retries|keepalive\.(?:time|interval|probes))$/;

/** What Envoy takes for a field; undefined where any number passes. */
function rangeOf(kind: string, field: string): [number, number] | undefined {
  if (field === 'weight' || field.endsWith('_ms')) return [0, Number.MAX_SAFE_INTEGER];
  if (COUNTS.test(field)) return [0, 0xffff_ffff];
  if (field === 'port' && (kind === 'Listener' || kind === 'TCPMapping')) return [1, 65_535];
  return undefined;
}

/** What nearly all of them look like. */
const PLAIN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,3}(:\d+)?$/;

function mayHaveBadHost({ spec }: Policy): boolean {
  return UPSTREAM_FIELDS.some((field) => {
    const text = textAt(spec, field);
    return text !== undefined && !PLAIN.test(text);
  });
}

function* badUpstreamHost(policy: Policy): Iterable<Hit> {
  for (const field of UPSTREAM_FIELDS) {
    const text = textAt(policy.spec, field);
    if (text === undefined) continue;
    const host = hostPartOf(text);
    if (host === '' || isHostName(host)) continue;
    const object = partyOf(policy);
    const message = `${describe(object)}: the host \`${host}\` of ${field} \`${text}\` is neither a DNS name nor an IP address`;
    yield { object, detail: field, message };
  }
}

/** Of `scheme://host:port/path`. */
function hostPartOf(text: string): string {
  const afterScheme = text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '');
  const authority = /^[^/?#]*/.exec(afterScheme)?.[0] ?? '';
  const bracketed = /^\[([^\]]*)\](?::[^:]*)?$/.exec(authority);
  if (bracketed) return isIP(bracketed[1] ?? '') === 6 ? (bracketed[1] ?? '') : authority;
  return isIP(authority) > 0 ? authority : authority.replace(/:[^:]*$/, '');
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i;

function isHostName(host: string): boolean {
  if (isIP(host) > 0) return true;
  return (
    host.length <= 254 &&
    host
      .replace(/\.$/, '')
      .split('.')
      .every((label) => label.length <= 63 && LABEL.test(label))
  );
}

function* hostCaseDuplicate({ edge }: Judged): Iterable<Hit> {
  for (const { before, host } of twinsOf(edge, ({ hostname }) => hostname.toLowerCase())) {
    if (!before.policy || !host.policy || before.hostname === host.hostname) continue;
    const [object, other] = [partyOf(host.policy), partyOf(before.policy)];
    const message = `${describe(object)} has the hostname ${host.hostname}, ${describe(other)} has ${before.hostname}: one domain for Envoy`;
    yield { object, other, traffic: { host: host.hostname }, message };
  }
}

function* tcpOnHttpPort({ edge }: Judged): Iterable<Hit> {
  for (const listener of edge.listeners) {
    if (!listener.chains.some(({ tcp }) => tcp)) continue;
    const byMatch = new Map<string, Chain>();
    for (const chain of listener.chains) {
      const match = matchIn(chain);
      const before = byMatch.get(match);
      if (!before) byMatch.set(match, chain);
      // Two Hosts are EM005's.
      else if (before.tcp || chain.tcp) yield* sameMatch(listener, before, chain);
    }
  }
}

/** What Envoy tells filter chains apart by; server names in small letters. */
function matchIn({ transportProtocol, serverNames }: Chain): string {
  return JSON.stringify([transportProtocol, serverNames.map((name) => name.toLowerCase())]);
}

function* sameMatch(listener: Listener, before: Chain, chain: Chain): Iterable<Hit> {
  const [mine, others] = chain.tcp ? [chain, before] : [before, chain];
  const policy = mine.tcp?.members[0]?.policy;
  if (!policy) return;
  const object = partyOf(policy);
  const [name] = mine.serverNames;
  if (name === undefined) {
    const { other, name: where } = namesOf(listener);
    const message = `${describe(object)} takes every connection to port ${listener.port}, and so do the Hosts of ${where}`;
    yield { object, ...(other && { other }), message };
  } else {
    const claimant = bringerOf(others);
    const other = claimant && partyOf(claimant);
    const message = `${describe(object)} is for ${name} on port ${listener.port}, ${other ? describe(other) : listener.name} for ${others.serverNames.join()}: one name for Envoy`;
    yield { object, ...(other && { other }), traffic: { host: name }, message };
  }
}

function namesOf({ policy, name }: Listener) {
  const other = policy && partyOf(policy);
  return { other, name: other ? describe(other) : name };
}

function* authIncompatible({ edge }: Judged): Iterable<Hit> {
  const [first, ...rest] = policiesOf(edge, 'AuthService');
  for (const policy of rest) {
    const [mine, others] = [upstreamKind(policy), upstreamKind(first!)];
    if (mine === others) continue;
    const [object, other] = [partyOf(policy), partyOf(first!)];
    yield { object, other, message: `${describe(object)} is ${mine}, ${describe(other)} is ${others}` };
  }
}

/** What all AuthServices must have in common. */
function upstreamKind({ spec }: Policy): string {
  const encrypted = /^https:\/\//i.test(textAt(spec, 'auth_service') ?? '');
  const tls = valueAt(spec, 'tls');
  const context = typeof tls === 'string' && tls !== '' ? ` with the TLS context ${tls}` : '';
  return `${textAt(spec, 'proto') ?? 'http'}${encrypted || tls === true ? ' over TLS' : ''}${context}`;
}

function* tlsParameters({ edge }: Judged): Iterable<Hit> {
  for (const { policy, cipherSuites, ecdhCurves, minTls, maxTls } of edge.contexts.values()) {
    if (!policy) continue;
    const object = partyOf(policy);
    const [min, max] = [minTls, maxTls].map((version) => (TLS_VERSIONS as readonly unknown[]).indexOf(version));
    const troubles = [
      ...cipherSuites.filter((suite) => !isCipherSuite(suite)).map((suite) => `cipher suite ${suite} is unknown`),
      ...ecdhCurves.filter((curve) => !isCurve(curve)).map((curve) => `curve ${curve} is unknown`),
      ...(max! >= 0 && min! > max! ? [`min_tls_version ${minTls} is above max_tls_version ${maxTls}`] : []),
    ];
    for (const trouble of troubles) yield { object, detail: trouble, message: `${describe(object)}: ${trouble}` };
  }
}

function* compilerFails({ edge: { freeze, settings } }: Judged): Iterable<Hit> {
  if (!freeze) return;
  const gateway = {
    kind: 'Gateway',
    namespace: settings.namespace,
    name: settings.ambassadorId,
    origin: { instead: 'not an object' },
  };
  const object = freeze.policy ? partyOf(freeze.policy) : gateway;
  yield { object, message: `${describe(object)}: the compiler fails (${freeze.stage}): ${freeze.message}` };
}
