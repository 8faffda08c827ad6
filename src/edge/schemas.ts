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

/** Something that an API server refuses. */
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

/** What a spec is by the schema of its kind and version. */
export interface Conformity {
  /** Where an API server would refuse it. */
  readonly violations: readonly Violation[];
  /** Fields that the schema does not know, as paths: the API server removes them without a word. */
  readonly unknown: readonly string[];
}

const CONFORMS: Conformity = { violations: [], unknown: [] };

/** Compares a spec with its schema; of a kind or version without one there is nothing to say. */
export function conformityOf(kind: string, version: string, spec: unknown): Conformity {
  const schema = schemaOf(kind, version);
  if (!schema) return CONFORMS;
  const comparison = new Comparison();
  comparison.compare(schema, spec, { name: 'spec' });
  return comparison.found ?? CONFORMS;
}

/** A field and what it is in; made a text only where something is found. */
interface Path {
  readonly name: string | number;
  readonly parent?: Path;
}

function pathText({ name, parent }: Path): string {
  return parent ? `${pathText(parent)}.${name}` : `${name}`;
}

/** Thousands of policies are compared and nearly all conform, so nothing is made before something is found. */
class Comparison {
  found: { violations: Violation[]; unknown: string[] } | undefined;

  compare(schema: Schema, value: unknown, path: Path): void {
    if (!isOfAny(schema, value)) {
      const types = schema.types ?? [schema.type ?? ''];
      return this.#violation(path, 'type', `must be ${types.map(described).join(' or ')}`);
    }
    if (schema.enum && !schema.enum.includes(typeof value === 'bigint' ? Number(value) : value)) {
      this.#violation(path, 'enum', `must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`);
    }
    if (typeof value === 'number' || typeof value === 'bigint') this.#number(schema, value, path);
    else if (typeof value === 'string') this.#text(schema, value, path);
    else if (Array.isArray(value)) this.#list(schema, value, path);
    else if (isRecord(value)) this.#record(schema, value, path);
  }

  #number({ minimum, maximum }: Schema, value: number | bigint, path: Path): void {
    if (minimum !== undefined && value < minimum) this.#violation(path, 'minimum', `must be at least ${minimum}`);
    if (maximum !== undefined && value > maximum) this.#violation(path, 'maximum', `must be at most ${maximum}`);
  }

  #text({ pattern }: Schema, value: string, path: Path): void {
    if (pattern === undefined || new RegExp(pattern).test(value)) return;
    this.#violation(path, 'pattern', `must match ${pattern}`);
  }

  #list({ items, minItems }: Schema, list: readonly unknown[], path: Path): void {
    if (minItems !== undefined && list.length < minItems) {
      this.#violation(path, 'minItems', `must have at least ${counted(minItems, 'entry', 'entries')}`);
    }
    if (items) for (const [at, item] of list.entries()) this.compare(items, item, { name: at, parent: path });
  }

  #record(schema: Schema, value: Readonly<Record<string, unknown>>, path: Path): void {
    const { required = [], minProperties, maxProperties } = schema;
    for (const name of required) {
      if (!Object.hasOwn(value, name)) this.#violation(path, 'required', `must have the field ${name}`);
    }
    const names = Object.keys(value);
    if (minProperties !== undefined && names.length < minProperties) {
      this.#violation(path, 'minProperties', `must have at least ${counted(minProperties, 'key', 'keys')}`);
    }
    if (maxProperties !== undefined && names.length > maxProperties) {
      this.#violation(path, 'maxProperties', `must have at most ${counted(maxProperties, 'key', 'keys')}`);
    }
    for (const name of names) {
      const inner = childSchema(schema, name);
      if (inner) this.compare(inner, value[name], { name, parent: path });
      else if (!schema['x-kubernetes-preserve-unknown-fields']) this.#unknown({ name, parent: path });
    }
  }

  #violation(path: Path, rule: string, message: string): void {
    this.found ??= { violations: [], unknown: [] };
    this.found.violations.push({ field: pathText(path), rule, message });
  }

  #unknown(path: Path): void {
    this.found ??= { violations: [], unknown: [] };
    this.found.unknown.push(pathText(path));
  }
}

function isOfAny({ type, types }: Schema, value: unknown): boolean {
  if (types) return value === null || types.some((one) => isOf(one, value));
  return type === undefined || isOf(type, value);
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
