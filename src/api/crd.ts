import * as z from 'zod';
import { GROUP, VERSION } from './names.ts';
import { driftGuardSpec } from './drift-guard.ts';
import { edgePolicySpec } from './edge-policy.ts';
import { edgePolicyStatus } from './edge-policy-status.ts';
import { gitOpsSourceSpec } from './spec.ts';
import { gitOpsSourceStatus } from './status.ts';

/** A node of a CRD's structural schema; the keywords that our own code reads have their types. */
export interface StructuralSchema {
  type?: string;
  description?: string;
  format?: string;
  pattern?: string;
  enum?: unknown[];
  default?: unknown;
  maxItems?: number;
  required?: string[];
  properties?: Record<string, StructuralSchema>;
  items?: StructuralSchema;
  additionalProperties?: StructuralSchema;
  'x-kubernetes-validations'?: { rule: string; message: string; fieldPath?: string }[];
  [keyword: string]: unknown;
}

// What apiextensions.k8s.io/v1 keeps of a schema and zod can write. Anything else would be refused by the API server, or
// silently mean something else there.
const KEYWORDS = new Set([
  'type',
  'description',
  'format',
  'pattern',
  'enum',
  'default',
  'nullable',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'required',
  'properties',
  'items',
  'additionalProperties',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

/**
 * The structural schema of a zod schema. Throws on everything that a CRD cannot say (references, unions, tuples, closed
 * objects, patterns with look-around), instead of writing a schema that means something else than the type.
 */
export function toStructural(schema: z.ZodType): StructuralSchema {
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline', cycles: 'throw' });
  return structural(json as StructuralSchema, '');
}

function structural(node: StructuralSchema, path: string): StructuralSchema {
  const where = path || 'the root';
  const result: StructuralSchema = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (!KEYWORDS.has(keyword)) throw new Error(`${where}: a CRD cannot say "${keyword}"`);
    if (isNoisyBound(keyword, value)) continue;
    result[keyword] = value;
  }
  if (node['x-kubernetes-int-or-string'] !== true && typeof node.type !== 'string') {
    throw new Error(`${where}: every field needs one type`);
  }
  checkPattern(node.pattern, where);
  if (node.properties) {
    if (node.additionalProperties !== undefined)
      throw new Error(`${where}: an object has fields or is a map, not both`);
    const children = Object.entries(node.properties);
    result.properties = Object.fromEntries(
      children.map(([name, child]) => [name, structural(child, `${path}.${name}`)]),
    );
  }
  for (const keyword of ['items', 'additionalProperties'] as const) {
    const child = node[keyword];
    if (child === undefined) continue;
    if (typeof child === 'boolean') throw new Error(`${where}: "${keyword}" must be a schema`);
    result[keyword] = structural(child, `${path}[]`);
  }
  return result;
}

/** zod writes the bounds of a JavaScript integer; they say nothing beside the format. */
function isNoisyBound(keyword: string, value: unknown): boolean {
  return (keyword === 'minimum' || keyword === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function checkPattern(pattern: string | undefined, where: string): void {
  if (pattern !== undefined && /\(\?[=!<]|\\[1-9]/.test(pattern)) {
    throw new Error(
      `${where}: the API server's regular expressions have no look-around and no back-references: ${pattern}`,
    );
  }
}

/** The CustomResourceDefinition of GitOpsSource. */
export function gitOpsSourceCrd() {
  const names = {
    kind: 'GitOpsSource',
    plural: 'gitopssources',
    shortNames: ['gos'],
    // Not in `all`: `kubectl delete all --all` would take a source away, and with it what it manages.
    categories: ['gitops'],
  };
  const schema = objectSchema(names.kind, 'Keeps the cluster true to one folder of one Git repository.', {
    spec: toStructural(gitOpsSourceSpec),
    status: toStructural(gitOpsSourceStatus.prefault({})),
  });
  // The name is the value of a label on every managed object.
  const nameFits = {
    rule: 'self.metadata.name.size() <= 63',
    message: 'the name must have at most 63 characters',
    fieldPath: '.metadata',
  };
  return definition(names, 'Namespaced', {
    subresources: { status: {} },
    additionalPrinterColumns: printerColumns(),
    schema: { openAPIV3Schema: { ...schema, 'x-kubernetes-validations': [nameFits] } },
  });
}

/** The CustomResourceDefinition of EdgePolicy. */
export function edgePolicyCrd() {
  const names = { kind: 'EdgePolicy', plural: 'edgepolicies', categories: ['gitops'] };
  const description =
    'What the platform team asks of everybody who publishes something on one Emissary-ingress gateway.';
  const schema = objectSchema(names.kind, description, {
    spec: toStructural(edgePolicySpec),
    status: toStructural(edgePolicyStatus.prefault({})),
  });
  return definition(names, 'Cluster', {
    subresources: { status: {} },
    additionalPrinterColumns: policyColumns(),
    schema: { openAPIV3Schema: schema },
  });
}

/** The CustomResourceDefinition of DriftGuard. */
export function driftGuardCrd() {
  const names = { kind: 'DriftGuard', plural: 'driftguards' };
  const description = 'Written by Plumbline alone, where drift.mode Prevent is in force. Deleting it ends that.';
  const schema = objectSchema(names.kind, description, { spec: toStructural(driftGuardSpec) });
  return definition(names, 'Namespaced', { schema: { openAPIV3Schema: schema } });
}

/** A kind of ours, in its one version. */
function definition<Version extends object>(
  { kind, plural, ...others }: { kind: string; plural: string; shortNames?: string[]; categories?: string[] },
  scope: 'Namespaced' | 'Cluster',
  version: Version,
) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: { 'app.kubernetes.io/part-of': 'plumbline' } },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), ...others },
      scope,
      versions: [{ name: VERSION, served: true, storage: true, ...version }],
    },
  };
}

function objectSchema<Fields extends Record<string, StructuralSchema>>(
  kind: string,
  description: string,
  fields: Fields,
) {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
      kind: { type: 'string', description: kind },
      metadata: { type: 'object' },
      ...fields,
    },
  };
}

function ready(field: string): string {
  return `.status.conditions[?(@.type=="Ready")].${field}`;
}

function policyColumns() {
  return [
    { name: 'AmbassadorID', type: 'string', jsonPath: '.spec.ambassadorId' },
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    { name: 'Sources', type: 'integer', jsonPath: '.status.sources' },
    { name: 'Blocked', type: 'integer', jsonPath: '.status.blocked' },
    { name: 'Ready', type: 'string', jsonPath: ready('status') },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Emissary', type: 'string', jsonPath: '.spec.emissaryVersion', priority: 1 },
    { name: 'Routes', type: 'integer', jsonPath: '.status.routes', priority: 1 },
    { name: 'Hosts', type: 'integer', jsonPath: '.status.hosts', priority: 1 },
    { name: 'Status', type: 'string', jsonPath: ready('message'), priority: 1 },
  ];
}

function printerColumns() {
  return [
    { name: 'Revision', type: 'string', jsonPath: '.status.lastAppliedRevision' },
    { name: 'Ready', type: 'string', jsonPath: ready('status') },
    { name: 'Drift', type: 'integer', jsonPath: '.status.drift.count' },
    { name: 'Edge', type: 'string', jsonPath: '.status.conditions[?(@.type=="EdgeHealthy")].status' },
    { name: 'Status', type: 'string', jsonPath: ready('message') },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'URL', type: 'string', jsonPath: '.spec.url', priority: 1 },
    { name: 'Path', type: 'string', jsonPath: '.spec.path', priority: 1 },
    { name: 'Suspended', type: 'boolean', jsonPath: '.spec.suspend', priority: 1 },
  ];
}
