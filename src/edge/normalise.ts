import { legacyNames } from './legacy-schemas.ts';
import type { Spec } from './model.ts';
import { schemaOf } from './schemas.ts';
import { isRecord, textAt, valueAt } from './spec.ts';

/** What the conversion to v2 puts before each ambassador_id, so that older gateways leave the object alone. */
export const ID_MANGLE = '--apiVersion-v3alpha1-only--';

/** Stands in v2 for a Mapping without a host, which v2 cannot write. */
export const NO_HOST = '_skip_mapping_with_empty_host_';

/** The field that holds the upstream, of each kind whose `tls` was boolean or text. */
const SERVICE_FIELD = new Map([
  ['AuthService', 'auth_service'],
  ['Mapping', 'service'],
  ['RateLimitService', 'service'],
  ['TCPMapping', 'service'],
]);

/** How the rest of a kind's v1 and v2 fields are read as v3alpha1, after renaming. */
const REREAD = new Map<string, (spec: Spec) => Spec>([
  ['Host', host],
  ['Mapping', mapping],
  ['TracingService', tracing],
]);

/**
 * A spec written in v1 or v2, read as v3alpha1 as Emissary converts it (api/v2/handwritten.conversion.go; v1 has v2's specs).
 * What only says how v2 spelled it (`v2ExplicitTLS` and the like) is left out: it changes no traffic. Fields that the version
 * does not have are left out, as the API server does. Values of a wrong type stay: they are the schema's business.
 */
export function normalise(kind: string, version: string, spec: Spec): Spec {
  const schema = schemaOf(kind, version);
  if (version === 'v3alpha1' || !schema?.properties) return spec;
  const known = schema.properties;
  const names = legacyNames(kind);
  const fields = Object.entries(spec).filter(([name]) => Object.hasOwn(known, name));
  const renamed = Object.fromEntries(fields.map(([name, value]) => [names.get(name) ?? name, value]));
  const reread = REREAD.get(kind)?.(renamed) ?? renamed;
  return ids(origination(reread, SERVICE_FIELD.get(kind)));
}

function ids(spec: Spec): Spec {
  const written = listOf(spec['ambassador_id']);
  if (!Array.isArray(written)) return spec;
  return { ...spec, ambassador_id: written.map((id) => (typeof id === 'string' ? withoutMangle(id) : id)) };
}

function withoutMangle(id: string): string {
  return id.startsWith(ID_MANGLE) ? id.slice(ID_MANGLE.length) : id;
}

/** `tls: true` is `https://` of the service; false, null and no text are none; a text is the name of a TLSContext. */
function origination(spec: Spec, serviceField: string | undefined): Spec {
  if (serviceField === undefined || !Object.hasOwn(spec, 'tls')) return spec;
  const { tls, ...rest } = spec;
  if (typeof tls === 'string' && tls !== '') return spec;
  const service = rest[serviceField];
  if (tls !== true || typeof service !== 'string' || /^https:\/\//i.test(service)) return rest;
  return { ...rest, [serviceField]: `https://${service.replace(/^http:\/\//i, '')}` };
}

function host(spec: Spec): Spec {
  const { ambassadorId, tls, ...rest } = spec;
  const alias = listOf(ambassadorId);
  const own = listOf(rest['ambassador_id']);
  return {
    ...rest,
    ...(isRecord(tls) ? { tls: withName(tls, 'v3CRLSecret', 'crl_secret') } : tls !== undefined && { tls }),
    ...(Array.isArray(alias) && alias.length > 0 && { ambassador_id: [...(Array.isArray(own) ? own : []), ...alias] }),
  };
}

function tracing(spec: Spec): Spec {
  const { tag_headers: tags, config, ...rest } = spec;
  return {
    ...rest,
    ...(Array.isArray(tags) &&
      !rest['custom_tags'] && { custom_tags: tags.map((tag) => ({ tag, request_header: { name: tag } })) }),
    ...(isRecord(config) && { config: withName(config, 'v3PropagationModes', 'propagation_modes') }),
  };
}

function mapping(spec: Spec): Spec {
  const after: Record<string, unknown> = { ...spec };
  for (const field of ['remove_request_headers', 'remove_response_headers']) replace(after, field, listOf);
  for (const field of ['add_request_headers', 'add_response_headers']) replace(after, field, addedHeaders);
  replace(after, 'cors', cors);
  replace(after, 'labels', labels);
  booleanMatches(after, 'headers', 'regex_headers');
  booleanMatches(after, 'query_parameters', 'regex_query_parameters');
  return mappingHost(after);
}

/** v2 has one field for both: an exact host is v3alpha1's `hostname`, and no host is every host. */
function mappingHost(spec: Record<string, unknown>): Spec {
  const { hostname, ...rest } = spec;
  if (spec['host_regex'] === true) return hostname === undefined ? rest : { ...rest, host: hostname };
  if (hostname === NO_HOST) return rest;
  return { ...rest, hostname: hostname === undefined || hostname === '' ? '*' : hostname };
}

/** A header or parameter that is `true` matches when it is there; false and null are none. */
function booleanMatches(spec: Record<string, unknown>, field: string, regexField: string): void {
  const written = spec[field];
  if (!isRecord(written)) return;
  const entries = Object.entries(written);
  const regex = spec[regexField];
  const present = entries.flatMap(([name, value]) => (value === true ? [[name, '.*'] as const] : []));
  if (present.length > 0) spec[regexField] = { ...Object.fromEntries(present), ...(isRecord(regex) && regex) };
  spec[field] = Object.fromEntries(entries.filter(([, value]) => typeof value !== 'boolean' && value !== null));
  if (Object.keys(spec[field] as object).length === 0) delete spec[field];
}

/** A text is the value alone; null is none. */
function addedHeaders(written: unknown): unknown {
  if (!isRecord(written)) return written;
  return mapValues(written, (value) => (typeof value === 'string' ? { value } : (value ?? {})));
}

function cors(written: unknown): unknown {
  if (!isRecord(written)) return written;
  const after: Record<string, unknown> = { ...written };
  replace(after, 'origins', (origins) => (typeof origins === 'string' ? origins.split(',') : origins));
  for (const field of ['methods', 'headers', 'exposed_headers']) replace(after, field, listOf);
  return after;
}

/** Rate limit labels: domain → groups → name → what is sent. */
function labels(written: unknown): unknown {
  if (!isRecord(written)) return written;
  return mapValues(written, (groups) =>
    mapItems(groups, (group) =>
      isRecord(group) ? mapValues(group, (specifiers) => mapItems(specifiers, labelSpecifier)) : group,
    ),
  );
}

/** Texts that name something of Envoy; every other is the value itself. */
const ENVOY_LABELS = new Set(['source_cluster', 'destination_cluster', 'remote_address']);

function labelSpecifier(written: unknown): unknown {
  if (typeof written === 'string') {
    return ENVOY_LABELS.has(written) ? { [written]: { key: written } } : { generic_key: { value: written } };
  }
  if (!isRecord(written)) return written;
  const generic = textAt(written, 'generic_key');
  if (generic !== undefined) {
    const key = textAt(written, 'v3Key');
    return { generic_key: { ...(key !== undefined && { key }), value: generic } };
  }
  const [key] = Object.keys(written);
  if (key === undefined) return written;
  const { header, ...rest } = isRecord(written[key]) ? written[key] : {};
  return header === undefined ? written : { request_headers: { key, header_name: header, ...rest } };
}

function listOf(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value;
}

function withName(record: Spec, old: string, name: string): Spec {
  if (valueAt(record, old) === undefined) return record;
  const { [old]: value, ...rest } = record;
  return { ...rest, [name]: value };
}

function replace(record: Record<string, unknown>, field: string, by: (value: unknown) => unknown): void {
  if (Object.hasOwn(record, field)) record[field] = by(record[field]);
}

function mapValues(record: Spec, change: (value: unknown) => unknown): Spec {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function mapItems(value: unknown, change: (item: unknown) => unknown): unknown {
  return Array.isArray(value) ? (value as unknown[]).map(change) : value;
}
