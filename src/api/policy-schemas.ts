import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

interface PolicyCrd {
  spec: {
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: { properties: { spec: unknown } } } }[];
  };
}

/**
 * src/edge/policy-schemas.json: kind → schema of its spec in v3alpha1, read from the CRDs of Emissary in a folder. So the
 * rules, the conversion of old versions and the clusters of our tests know the same fields.
 */
export function policySchemas(folder: string): string {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort();
  const crds = files.map((file) => load(readFileSync(join(folder, file), 'utf8')) as PolicyCrd);
  const schemas = crds.map(({ spec: { names, versions } }) => {
    const current = versions.find(({ name }) => name === 'v3alpha1');
    if (!current) throw new Error(`the CRD of ${names.kind} has no version v3alpha1`);
    return [names.kind, current.schema.openAPIV3Schema.properties.spec] as const;
  });
  return `${JSON.stringify(Object.fromEntries(schemas), null, 1)}\n`;
}
