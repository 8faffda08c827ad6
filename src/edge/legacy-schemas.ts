// What v1 and v2 of the policies have otherwise than v3alpha1. Both have the same specs (api/v1 uses the types of api/v2).
import type { Schema } from './schemas.ts';

/** v1 and v2 name → v3alpha1 name, of the fields that are called otherwise (api/v2, `conversion-gen:rename`). */
export function legacyNames(kind: string): ReadonlyMap<string, string> {
  return RENAMED.get(kind) ?? NONE;
}

const NONE: ReadonlyMap<string, string> = new Map();
const STATS = ['v3StatsName', 'stats_name'] as const;
const RENAMED: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['AuthService', new Map([STATS, ['v3CircuitBreakers', 'circuit_breakers']])],
  ['Host', new Map([['selector', 'mappingSelector']])],
  ['LogService', new Map([STATS])],
  ['Mapping', new Map([STATS, ['v3health_checks', 'health_checks'], ['host', 'hostname']])],
  ['RateLimitService', new Map([STATS, ['v3FailureModeDeny', 'failure_mode_deny'], ['v3GRPC', 'grpc']])],
  ['TCPMapping', new Map([STATS])],
  ['TLSContext', new Map([['v3CRLSecret', 'crl_secret']])],
  ['TracingService', new Map([STATS, ['v3CustomTags', 'custom_tags']])],
]);

/** Fields of v3alpha1 that v1 and v2 lack, of any kind: they say how v2 spelled something. */
const NEW_FIELDS = new Set(['v2ExplicitTLS', 'v2BoolHeaders', 'v2BoolQueryParameters']);

/** The same, of one kind: what took over the name of another field, or came later. */
const NEW_FIELDS_OF: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['Host', new Set(['selector'])],
  ['Mapping', new Set(['host'])],
  ['TLSContext', new Set(['signature_algorithms'])],
]);

const TEXT_OR_LIST: Schema = { types: ['string', 'array'], items: { type: 'string' } };
const TEXT_OR_BOOLEAN: Schema = { types: ['string', 'boolean'] };
const FREE: Schema = { 'x-kubernetes-preserve-unknown-fields': true };
const TEXT_OR_OBJECT: Schema = { ...FREE, types: ['string', 'object'] };

/** Fields that v1 and v2 take in more forms, by name. */
const LOOSE: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ['ambassador_id', TEXT_OR_LIST],
  ['remove_request_headers', TEXT_OR_LIST],
  ['remove_response_headers', TEXT_OR_LIST],
  ['headers', { type: 'object', additionalProperties: TEXT_OR_BOOLEAN }],
  ['query_parameters', { type: 'object', additionalProperties: TEXT_OR_BOOLEAN }],
  ['add_request_headers', { type: 'object', additionalProperties: TEXT_OR_OBJECT }],
  ['add_response_headers', { type: 'object', additionalProperties: TEXT_OR_OBJECT }],
]);

/** What a kind's spec was in v1 and v2, which have the same specs: derived from v3alpha1, so there is one list of fields. */
export function legacySchema(kind: string, schema: Schema): Schema {
  const oldNames = new Map([...legacyNames(kind)].map(([old, name]) => [name, old]));
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]): [string, Schema][] => {
    if (NEW_FIELDS.has(name) || NEW_FIELDS_OF.get(kind)?.has(name)) return [];
    return [[oldNames.get(name) ?? name, LOOSE.get(name) ?? looseOf(kind, name, field)]];
  });
  if (kind === 'Host') fields.push(['ambassadorId', TEXT_OR_LIST]);
  return { ...schema, properties: Object.fromEntries(fields) };
}

function looseOf(kind: string, name: string, field: Schema): Schema {
  if (name === 'tls' && field.type === 'string') return TEXT_OR_BOOLEAN;
  if (kind === 'Mapping' && name === 'cors') return looseCors(field);
  if (kind === 'Mapping' && name === 'labels') return looseLabels(field);
  if (kind === 'Host' && name === 'tls') return withProperty(field, 'crl_secret', 'v3CRLSecret');
  if (kind === 'TracingService' && name === 'config') {
    return withProperty(field, 'propagation_modes', 'v3PropagationModes');
  }
  return field;
}

function looseCors(cors: Schema): Schema {
  const fields = Object.entries(cors.properties ?? {}).filter(([name]) => name !== 'v2CommaSeparatedOrigins');
  return {
    ...cors,
    properties: Object.fromEntries(
      fields.map(([name, field]) => [name, field.type === 'array' ? TEXT_OR_LIST : field]),
    ),
  };
}

/** Domain → list of groups → name → list of specifiers: a text, a header or a `generic_key`. */
function looseLabels(labels: Schema): Schema {
  const groups = labels.additionalProperties;
  const group = groups?.items;
  const specifiers: Schema = { type: 'array', items: TEXT_OR_OBJECT };
  return { ...labels, additionalProperties: { ...groups, items: { ...group, additionalProperties: specifiers } } };
}

function withProperty(schema: Schema, name: string, old: string): Schema {
  const { [name]: field, ...rest } = schema.properties ?? {};
  return { ...schema, properties: { ...rest, ...(field && { [old]: field }) } };
}
