import { isIP } from 'node:net';
import type { Hit, Judged, Rule } from '../finding.ts';
import type { Listener, Policy, Spec } from '../model.ts';
import { bringerOf, describe, partyOf } from '../party.ts';
import { shown } from '../shown.ts';
import { isRecord, isTrueAt, listAt, recordAt, textAt, valueAt } from '../spec.ts';
import { inEach } from './each.ts';

const FREEZES =
  'The schema takes it, Emissary checks nothing of it, and Envoy refuses the whole configuration: the edge keeps the one it has, and no change of anybody is taken up until this is mended.';

/** The fields in which a Mapping may hold what Envoy refuses. */
const MAPPING_FIELDS = [
  'add_request_headers',
  'add_response_headers',
  'remove_request_headers',
  'remove_response_headers',
  'allow_upgrade',
  'load_balancer',
  'retry_policy',
  'priority',
  'auto_host_rewrite',
  'health_checks',
];

export const ENVOY_VALUE_RULES: readonly Rule[] = [
  {
    id: 'EM00A',
    name: 'partial-wildcard',
    severity: 'error',
    impact: 'freeze',
    when: 'A Host with TLS on a Listener that terminates it, or a TCPMapping, has a name with a `*` that does not stand for whole labels at its beginning: `a.*`, `*a.com`.',
    means: `Connections are told apart by the server name, where Envoy takes \`*.name\` alone. ${FREEZES}`,
    mend: 'Write `*.example.com`, `*` or a whole name.',
    find: partialWildcard,
  },
  {
    id: 'EM00B',
    name: 'envoy-value',
    severity: 'error',
    impact: 'freeze',
    when: 'A Mapping, a TCPMapping or the Module has a value that only Envoy refuses: a header to add or to remove that is `Host` or begins with a colon, a single `%` in the value of a header, a duration that is not in seconds, an upgrade that is there twice, an unknown `priority`, both `host_rewrite` and `auto_host_rewrite`, an `address` that is no IP address.',
    means: FREEZES,
    mend: 'Write header values with `%%` for a percent sign, durations as `30s` or `0.5s`, and what is named otherwise as Envoy has it.',
    find: inEach(['Mapping', 'TCPMapping', 'Module'], envoyValue, [...MAPPING_FIELDS, 'address', 'config']),
  },
];

function* partialWildcard({ edge }: Judged): Iterable<Hit> {
  const names = [...edge.hosts.map(({ hostname }) => hostname), ...edge.tcpGroups.map(({ host }) => host ?? '')];
  if (!names.some(isPartial)) return;
  const told = new Set<Policy>();
  for (const listener of edge.listeners) {
    for (const chain of listener.chains) {
      const name = chain.serverNames.find(isPartial);
      const policy = name === undefined ? undefined : bringerOf(chain);
      if (name === undefined || !policy || told.has(policy)) continue;
      told.add(policy);
      yield wildcardHit(policy, name, listener);
    }
  }
}

/** `*` alone is no server name: it asks for none. */
function isPartial(name: string): boolean {
  return name.includes('*') && name !== '*' && !name.startsWith('*.');
}

function wildcardHit(policy: Policy, name: string, { port }: Listener): Hit {
  const object = partyOf(policy);
  const message = `${describe(object)} terminates TLS for ${shown(name)} on port ${port}: Envoy knows server names only whole, or as \`*.name\``;
  return { object, traffic: { host: name }, detail: name, message };
}

function* envoyValue(policy: Policy): Iterable<Hit> {
  const object = partyOf(policy);
  for (const [field, trouble] of troublesOf(policy)) {
    yield { object, detail: field, message: `${describe(object)}: ${field} ${trouble}` };
  }
}

type Trouble = readonly [field: string, trouble: string];

function troublesOf({ kind, storedName, spec }: Policy): Iterable<Trouble> {
  if (kind === 'TCPMapping') return addressTrouble(spec);
  if (kind === 'Mapping') return mappingTroubles(spec);
  return storedName === 'ambassador' ? moduleTroubles(recordAt(spec, 'config')) : [];
}

function* addressTrouble(spec: Spec): Iterable<Trouble> {
  const address = textAt(spec, 'address');
  if (address && isIP(address) === 0) yield ['address', `${shown(address)} is no IP address`];
}

/** Of what holds for every Mapping that does not say otherwise. */
function* moduleTroubles(config: Spec): Iterable<Trouble> {
  yield* durations(config);
  for (const defaults of [recordAt(config, 'defaults'), recordAt(config, 'defaults', 'httpmapping')])
    yield* headers(defaults);
}

/** Redirects and shadows bring nothing of this to Envoy. */
function* mappingTroubles(spec: Spec): Iterable<Trouble> {
  if (isTrueAt(spec, 'host_redirect') || isTrueAt(spec, 'shadow')) return;
  yield* headers(spec);
  yield* durations(spec);
  yield* healthChecks(spec);
  const upgrade = repeatedUpgrade(spec);
  if (upgrade !== undefined) yield ['allow_upgrade', `has ${shown(upgrade)} twice`];
  const priority = textAt(spec, 'priority');
  if (priority && !/^(default|high)$/i.test(priority))
    yield ['priority', `${shown(priority)} is neither default nor high`];
  if (Object.hasOwn(spec, 'host_rewrite') && Object.hasOwn(spec, 'auto_host_rewrite'))
    yield ['auto_host_rewrite', 'stands beside host_rewrite'];
}

function* headers(spec: Spec): Iterable<Trouble> {
  for (const field of ['add_request_headers', 'add_response_headers'])
    yield* addedHeaders(field, recordAt(spec, field));
  for (const field of ['remove_request_headers', 'remove_response_headers']) {
    for (const name of listAt(spec, field)) {
      if (typeof name === 'string' && isFixed(name)) yield [field, `may not remove ${shown(name)}`];
    }
  }
}

function* durations(spec: Spec): Iterable<Trouble> {
  const written = [
    ['load_balancer.cookie.ttl', textAt(spec, 'load_balancer', 'cookie', 'ttl')],
    ['retry_policy.per_try_timeout', textAt(spec, 'retry_policy', 'per_try_timeout')],
  ] as const;
  for (const [field, text] of written) yield* durationTrouble(field, text);
}

function* durationTrouble(field: string, text: string | undefined): Iterable<Trouble> {
  if (text !== undefined && !DURATION.test(text))
    yield [field, `${shown(text)} is no duration in seconds, as \`1.5s\` is`];
}

/** Emissary's own resolvers of endpoints; of what another one does the name tells nothing. */
const ENDPOINT_RESOLVERS = new Set(['endpoint', 'kubernetes-endpoint', 'consul', 'consul-endpoint']);

/** Emissary leaves health checks out where Kubernetes finds the endpoints. */
function* healthChecks(spec: Spec): Iterable<Trouble> {
  if (!ENDPOINT_RESOLVERS.has(textAt(spec, 'resolver') ?? '')) return;
  for (const [at, check] of listAt(spec, 'health_checks').entries()) {
    for (const field of ['timeout', 'interval'])
      yield* durationTrouble(`health_checks.${at}.${field}`, textAt(check, field));
  }
}

const DURATION = /^\d+(\.\d{1,9})?s$/;

function* addedHeaders(field: string, added: Spec): Iterable<Trouble> {
  for (const [name, written] of Object.entries(added)) {
    if (isFixed(name)) yield [`${field}.${name}`, 'may not be added'];
    const value = isRecord(written) ? valueAt(written, 'value') : written;
    if (typeof value === 'string' && !isFormat(value))
      yield [`${field}.${name}`, `${shown(value)} has a \`%\` that begins no command; a percent sign is \`%%\``];
  }
}

/** Envoy lets nobody change it. */
function isFixed(header: string): boolean {
  return header.startsWith(':') || header.toLowerCase() === 'host';
}

/** A percent sign, or a command as Envoy finds its end: `%REQ(x-a):10%`. */
const PERCENT = /%%|%[A-Z0-9_]+(?:\([^)]*\))?(?::\d+)?%/y;

function isFormat(value: string): boolean {
  for (let at = value.indexOf('%'); at >= 0; at = value.indexOf('%', PERCENT.lastIndex)) {
    PERCENT.lastIndex = at;
    if (!PERCENT.test(value)) return false;
  }
  return true;
}

/** Letter case does not tell upgrades apart; `use_websocket` adds one unless it is there in small letters. */
function repeatedUpgrade(spec: Spec): string | undefined {
  const upgrades = listAt(spec, 'allow_upgrade').filter((upgrade) => typeof upgrade === 'string');
  if (Object.hasOwn(spec, 'use_websocket') && !upgrades.includes('websocket')) upgrades.push('websocket');
  const seen = new Set<string>();
  return upgrades.find((upgrade) => seen.size === seen.add(upgrade.toLowerCase()).size);
}
