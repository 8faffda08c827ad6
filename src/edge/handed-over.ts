import type { Spec } from './model.ts';
import { childSchema, schemaOf, type Schema } from './schemas.ts';
import { isRecord } from './spec.ts';

/** Maps of texts: Go writes them sorted by key. An empty one is left out, as is an empty text or list. */
const MAPS = new Set([
  'add_auth_headers',
  'auth_context_extensions',
  'headers',
  'labels',
  'matchLabels',
  'query_parameters',
  'regex_headers',
  'regex_query_parameters',
]);

/** Headers to add, by name. The compiler takes for granted that each has a value; the type leaves an empty one out. */
const ADDED_HEADERS = new Set(['add_request_headers', 'add_response_headers']);

/** Here the type tells what is empty from what is absent. */
const KEPT_EMPTY = new Set(['remove_request_headers', 'remove_response_headers', 'rewrite']);

/** Objects whose fields are written by the same rules. */
const INNER = new Set([
  'cookie',
  'health_check',
  'hostBinding',
  'http',
  'load_balancer',
  'mappingSelector',
  'regex_redirect',
  'selector',
  'tls',
]);

/**
 * A v3alpha1 spec as Emissary's watcher hands it to the compiler: it reads policies into the types of
 * pkg/api/getambassador.io/v3alpha1 and writes them out again, so the keys of a map come sorted, and fields with nothing in
 * them, or that the types do not know, are gone. A spec that stays as it is, is the same object.
 */
export function handedOver(kind: string, spec: Spec): Spec {
  const schema = schemaOf(kind, 'v3alpha1');
  return rewritten(schema ? known(schema, spec) : spec);
}

/** An object without the fields that the schema does not know, at any depth. */
function known(schema: Schema, record: Spec): Spec {
  if (schema['x-kubernetes-preserve-unknown-fields']) return record;
  let after: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(record)) {
    const field = childSchema(schema, name);
    const read = field && knownIn(field, value);
    if (read === value && field) continue;
    after ??= { ...record };
    if (field) after[name] = read;
    else delete after[name];
  }
  return after ?? record;
}

function knownIn(schema: Schema, value: unknown): unknown {
  const { items } = schema;
  if (Array.isArray(value)) return items ? eachRead(value, (item) => knownIn(items, item)) : value;
  return isRecord(value) ? known(schema, value) : value;
}

/** The list itself where no item of it changes. */
function eachRead(items: readonly unknown[], read: (item: unknown) => unknown): readonly unknown[] {
  const after = items.map(read);
  return after.every((item, at) => item === items[at]) ? items : after;
}

function rewritten(spec: Spec): Spec {
  let changed: [string, unknown][] | undefined;
  const fields = Object.entries(spec);
  for (const [at, [name, value]] of fields.entries()) {
    const after = fieldHandedOver(name, value);
    if (after === value) {
      changed?.push([name, value]);
      continue;
    }
    changed ??= fields.slice(0, at);
    if (after !== undefined) changed.push([name, after]);
  }
  return changed ? Object.fromEntries(changed) : spec;
}

/** Undefined: it is left out. */
function fieldHandedOver(name: string, value: unknown): unknown {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return KEPT_EMPTY.has(name) ? value : undefined;
  if (name === 'health_checks' && Array.isArray(value)) return eachRead(value, itemRewritten);
  if (!isRecord(value)) return value;
  if (MAPS.has(name)) return sorted(value);
  if (ADDED_HEADERS.has(name)) return headersRewritten(value);
  return INNER.has(name) ? rewritten(value) : value;
}

function itemRewritten(item: unknown): unknown {
  return isRecord(item) ? rewritten(item) : item;
}

function headersRewritten(headers: Spec): Spec {
  const values = Object.values(headers);
  const after = eachRead(values, itemRewritten);
  return after === values ? headers : Object.fromEntries(Object.keys(headers).map((name, at) => [name, after[at]]));
}

function sorted(map: Spec): Spec | undefined {
  const names = Object.keys(map);
  if (names.length === 0) return undefined;
  if (names.every((name, at) => at === 0 || names[at - 1]! < name)) return map;
  return Object.fromEntries(names.sort().map((name) => [name, map[name]]));
}
