import { NONE } from '../none.ts';
import { childSchema, schemaOf, type Schema } from './schemas.ts';
import { isRecord } from './spec.ts';
import { plural } from '../plural.ts';

/** Something that an API server refuses. */
export interface Violation {
  /** `spec.circuit_breakers.0.priority`; of what is missing, the object that lacks it. */
  readonly field: string;
  /** The keyword of the schema: `type`, `enum`, `required` … */
  readonly rule: string;
  /** What follows the field in a sentence: `must be …`. */
  readonly message: string;
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
  comparison.compare(schema, spec);
  return comparison.found ?? CONFORMS;
}

/** Thousands of policies are compared and nearly all conform, so nothing is made before something is found. */
class Comparison {
  found: { violations: Violation[]; unknown: string[] } | undefined;
  /** From the spec to the value that is looked at. */
  readonly #path: (string | number)[] = ['spec'];

  compare(schema: Schema, value: unknown): void {
    if (!isOfAny(schema, value)) {
      const types = schema.types ?? [schema.type ?? ''];
      return this.#violation('type', `must be ${types.map(described).join(' or ')}`);
    }
    if (schema.enum && !schema.enum.includes(typeof value === 'bigint' ? Number(value) : value)) {
      this.#violation('enum', `must be one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`);
    }
    if (typeof value === 'number' || typeof value === 'bigint') this.#number(schema, value);
    else if (typeof value === 'string') this.#text(schema, value);
    else if (Array.isArray(value)) this.#list(schema, value);
    else if (isRecord(value)) this.#record(schema, value);
  }

  #number({ minimum, maximum }: Schema, value: number | bigint): void {
    if (minimum !== undefined && value < minimum) this.#violation('minimum', `must be at least ${minimum}`);
    if (maximum !== undefined && value > maximum) this.#violation('maximum', `must be at most ${maximum}`);
  }

  #text({ pattern }: Schema, value: string): void {
    if (pattern === undefined || new RegExp(pattern).test(value)) return;
    this.#violation('pattern', `must match ${pattern}`);
  }

  #list({ items, minItems }: Schema, list: readonly unknown[]): void {
    if (minItems !== undefined && list.length < minItems) {
      this.#violation('minItems', `must have at least ${plural(minItems, 'entry', 'entries')}`);
    }
    if (items) for (const [at, item] of list.entries()) this.#within(at, items, item);
  }

  #record(schema: Schema, value: Readonly<Record<string, unknown>>): void {
    const { required = NONE, minProperties, maxProperties } = schema;
    for (const name of required) {
      if (!Object.hasOwn(value, name)) this.#violation('required', `must have the field ${name}`);
    }
    const names = Object.keys(value);
    if (minProperties !== undefined && names.length < minProperties) {
      this.#violation('minProperties', `must have at least ${plural(minProperties, 'key', 'keys')}`);
    }
    if (maxProperties !== undefined && names.length > maxProperties) {
      this.#violation('maxProperties', `must have at most ${plural(maxProperties, 'key', 'keys')}`);
    }
    for (const name of names) {
      const inner = childSchema(schema, name);
      if (inner) this.#within(name, inner, value[name]);
      else if (!schema['x-kubernetes-preserve-unknown-fields']) this.#unknown(name);
    }
  }

  #within(name: string | number, schema: Schema, value: unknown): void {
    this.#path.push(name);
    this.compare(schema, value);
    this.#path.pop();
  }

  #violation(rule: string, message: string): void {
    this.found ??= { violations: [], unknown: [] };
    this.found.violations.push({ field: this.#path.join('.'), rule, message });
  }

  #unknown(name: string): void {
    this.found ??= { violations: [], unknown: [] };
    this.found.unknown.push([...this.#path, name].join('.'));
  }
}

function isOfAny({ type, types }: Schema, value: unknown): boolean {
  if (types) return value === null || types.some((one) => isOf(one, value));
  return type === undefined || isOf(type, value);
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
