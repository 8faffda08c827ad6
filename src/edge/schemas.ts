import policySchemas from './policy-schemas.json' with { type: 'json' };
import { isRecord } from './spec.ts';

/** The part of a CRD's OpenAPI schema that the policies use. */
export interface Schema {
  readonly type?: string;
  /** In v1 and v2 only: any of these types, and null. */
  readonly types?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

/** Where an API server would refuse a spec. */
export interface Violation {
  /** `spec.circuit_breakers.0.priority`; of what is missing, the object that lacks it. */
  readonly field: string;
  /** The keyword of the schema: `type`, `enum`, `required` … */
  readonly rule: string;
  /** What follows the field in a sentence: `must be …`. */
  readonly message: string;
}

export type PolicyVersion = 'v1' | 'v2' | 'v3alpha1';

const CURRENT: ReadonlyMap<string, Schema> = new Map(Object.entries(policySchemas as Record<string, Schema>));

/** Kinds that came later than a version. */
const ABSENT: Readonly<Record<PolicyVersion, ReadonlySet<string>>> = {
  v1: new Set(['Host', 'Listener']),
  v2: new Set(['Listener']),
  v3alpha1: new Set(),
};

/** The kinds of group getambassador.io that Emissary reads. */
export const POLICY_KINDS: ReadonlySet<string> = new Set(CURRENT.keys());

/** `getambassador.io/v2` → `v2`. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** The schema of a kind's spec in a version; undefined where there is none. */
export function schemaOf(kind: string, version: string): Schema | undefined {
  if (version !== 'v1' && version !== 'v2' && version !== 'v3alpha1') return undefined;
  if (ABSENT[version].has(kind)) return undefined;
  return version === 'v3alpha1' ? CURRENT.get(kind) : LEGACY.get(kind);
}

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

const LEGACY: ReadonlyMap<string, Schema> = new Map(
  [...CURRENT].map(([kind, schema]) => [kind, legacySchema(kind, schema)]),
);

/** What a kind's spec was in v1 and v2, which have the same specs: derived from v3alpha1, so there is one list of fields. */
function legacySchema(kind: string, schema: Schema): Schema {
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

/** Where the spec breaks the schema of its kind and version; nothing for a kind without one. */
export function violationsOf(kind: string, version: string, spec: unknown): Violation[] {
  const schema = schemaOf(kind, version);
  return schema ? [...violations(schema, spec, 'spec')] : [];
}

/** The fields that no schema knows, as paths: the API server removes them without a word. */
export function unknownFields(kind: string, version: string, spec: unknown): string[] {
  const schema = schemaOf(kind, version);
  return schema ? [...unknown(schema, spec, 'spec')] : [];
}

function* violations(schema: Schema, value: unknown, field: string): Iterable<Violation> {
  const types = schema.types ?? (schema.type === undefined ? [] : [schema.type]);
  const isAllowedNull = value === null && schema.types !== undefined;
  if (types.length > 0 && !isAllowedNull && !types.some((type) => isOf(type, value))) {
    yield { field, rule: 'type', message: `must be ${types.map(described).join(' or ')}` };
    return;
  }
  if (schema.enum && !schema.enum.includes(plain(value))) {
    yield {
      field,
      rule: 'enum',
      message: `must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`,
    };
  }
  if (typeof value === 'number' || typeof value === 'bigint') yield* outOfRange(schema, value, field);
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) {
    yield { field, rule: 'pattern', message: `must match ${schema.pattern}` };
  }
  if (Array.isArray(value)) yield* listViolations(schema, value, field);
  if (isRecord(value)) yield* recordViolations(schema, value, field);
}

function* outOfRange({ minimum, maximum }: Schema, value: number | bigint, field: string): Iterable<Violation> {
  if (minimum !== undefined && value < minimum) {
    yield { field, rule: 'minimum', message: `must be at least ${minimum}` };
  }
  if (maximum !== undefined && value > maximum) yield { field, rule: 'maximum', message: `must be at most ${maximum}` };
}

function* listViolations({ items, minItems }: Schema, list: readonly unknown[], field: string): Iterable<Violation> {
  if (minItems !== undefined && list.length < minItems) {
    yield { field, rule: 'minItems', message: `must have at least ${counted(minItems, 'entry', 'entries')}` };
  }
  if (items) for (const [at, item] of list.entries()) yield* violations(items, item, `${field}.${at}`);
}

function* recordViolations(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  field: string,
): Iterable<Violation> {
  const { required = [], minProperties, maxProperties } = schema;
  for (const name of required) {
    if (!Object.hasOwn(value, name)) yield { field, rule: 'required', message: `must have the field ${name}` };
  }
  const entries = Object.entries(value);
  if (minProperties !== undefined && entries.length < minProperties) {
    yield { field, rule: 'minProperties', message: `must have at least ${counted(minProperties, 'key', 'keys')}` };
  }
  if (maxProperties !== undefined && entries.length > maxProperties) {
    yield { field, rule: 'maxProperties', message: `must have at most ${counted(maxProperties, 'key', 'keys')}` };
  }
  for (const [name, child] of entries) {
    const inner = childSchema(schema, name);
    if (inner) yield* violations(inner, child, `${field}.${name}`);
  }
}

function* unknown(schema: Schema, value: unknown, field: string): Iterable<string> {
  if (Array.isArray(value) && schema.items) {
    for (const [at, item] of (value as unknown[]).entries()) yield* unknown(schema.items, item, `${field}.${at}`);
  }
  if (!isRecord(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const inner = childSchema(schema, name);
    if (inner) yield* unknown(inner, child, `${field}.${name}`);
    else if (!schema['x-kubernetes-preserve-unknown-fields']) yield `${field}.${name}`;
  }
}

function childSchema({ properties, additionalProperties }: Schema, name: string): Schema | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    case 'integer':
      return typeof value === 'bigint' || Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

const DESCRIBED = new Map([
  ['string', 'a text'],
  ['boolean', 'true or false'],
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['array', 'a list'],
  ['object', 'a mapping'],
]);

function described(type: string): string {
  return DESCRIBED.get(type) ?? type;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
