import { legacySchema } from './legacy-schemas.ts';
import policySchemas from './policy-schemas.json' with { type: 'json' };

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

export type PolicyVersion = 'v1' | 'v2' | 'v3alpha1';

const CURRENT: ReadonlyMap<string, Schema> = new Map(Object.entries(policySchemas as Record<string, Schema>));
const LEGACY: ReadonlyMap<string, Schema> = new Map(
  [...CURRENT].map(([kind, schema]) => [kind, legacySchema(kind, schema)]),
);

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

/** The schema of a field of an object; undefined where it has no such field. */
export function childSchema({ properties, additionalProperties }: Schema, name: string): Schema | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
}
