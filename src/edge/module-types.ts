import { Frozen } from './compilation.ts';
import { isRecord, listAt, textAt, valueAt } from './spec.ts';
import type { AmbassadorModule } from './module.ts';
import { ENDPOINT_POLICIES, type Clusters } from './clusters.ts';
import type { RouteGroup, Spec } from './model.ts';

// The Module is free-form: no schema stands between what somebody writes and the compiler, which raises where it meets a type
// that it does not expect. What it would raise at is known here field by field.

const isNothingOr =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    isFalsy(value) || fits(value);

/** Falsy for Python: empty lists and objects too. */
function isFalsy(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : !value;
}

/** What each field has to be if it is there at all, for the compiler to get past it. */
const READABLE: readonly (readonly [field: string, fits: (value: unknown) => boolean])[] = [
  ['defaults', isRecord],
  ['diagnostics', isNothingOr(isRecord)],
  ['liveness_probe', isNothingOr(isRecord)],
  ['readiness_probe', isNothingOr(isRecord)],
  ['grpc_stats', (value) => value === null || isRecord(value)],
  ['gzip', isRecord],
  ['buffer', isRecord],
  ['cors', (value) => isRecord(value) && (value['origins'] == null || isIterable(value['origins']))],
  ['retry_policy', isRecord],
  ['ip_allow', isPrincipals],
  ['ip_deny', isPrincipals],
  ['envoy_validation_timeout', (value) => ['string', 'number', 'bigint', 'boolean'].includes(typeof value)],
  ['load_balancer', (value) => value === null || isRecord(value)],
  ['circuit_breakers', (value) => listAt({ value }, 'value').every(isBreaker)],
  ['set_current_client_cert_details', isNothingOr(isRecord)],
  ['resolver', (value) => !isFalsy(value) && typeof value !== 'object'],
];

function isIterable(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'object';
}

function isPrincipals(value: unknown): boolean {
  if (!Array.isArray(value)) return value !== null && isIterable(value) && isFalsy(value);
  return value.every(
    (entry) =>
      isRecord(entry) &&
      Object.values(entry)
        .slice(0, 1)
        .every((range) => typeof range === 'string'),
  );
}

/** A wrong limit is told; one that is no number at all, or a priority that is no text, is raised at. */
function isBreaker(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const limits = ['max_connections', 'max_pending_requests', 'max_requests', 'max_retries'].map(
    (field) => value[field],
  );
  const priority = Object.hasOwn(value, 'priority') ? value['priority'] : 'default';
  return typeof priority === 'string' && limits.every((limit) => limit !== null && typeof limit !== 'object');
}

/** Throws for the first field that the compiler cannot read. */
export function raiseWrongType({ config, policy }: AmbassadorModule): void {
  const wrong = READABLE.find(([field, fits]) => Object.hasOwn(config, field) && !fits(config[field]));
  if (!wrong) return;
  const message = `Module ambassador: ${wrong[0]} is not of the type that the compiler reads`;
  throw new Frozen({ stage: 'ir', message, policy });
}

/** Default labels are looked up for every group. */
export function raiseForLabels({ config, policy }: AmbassadorModule): void {
  if (isFalsy(config['default_labels'])) return;
  const domain = textAt(config, 'default_label_domain') || 'ambassador';
  const ofDomain = valueAt(config, 'default_labels', domain);
  if (isRecord(config['default_labels']) && (ofDomain === undefined || isRecord(ofDomain))) return;
  throw new Frozen({ stage: 'ir', message: 'Module ambassador: default_labels is of a wrong type', policy });
}

/** Clusters are named by their load balancer: one with a header or cookie that has no name is told to be wrong, and used. */
export function raiseForBalancer({ loadBalancer, policy }: AmbassadorModule): void {
  if (!isRecord(loadBalancer) || !ENDPOINT_POLICIES.includes(textAt(loadBalancer, 'policy') ?? '')) return;
  const isNamed = (field: string, name?: string): boolean =>
    !Object.hasOwn(loadBalancer, field) || textAt(loadBalancer, field, name) !== undefined;
  if (isNamed('header') && isNamed('cookie', 'name')) return;
  const message = 'Module ambassador: load_balancer has a header or cookie without a name';
  throw new Frozen({ stage: 'ir', message, policy });
}

/** The flags of Envoy's runtime are the first thing that is written. */
export function raiseForRuntime({ config, policy }: AmbassadorModule): void {
  const flags = config['runtime_flags'];
  if (isFalsy(flags) || isRecord(flags)) return;
  throw new Frozen({ stage: 'envoy', message: 'Module ambassador: runtime_flags is of a wrong type', policy });
}

/** Fields that the compiler stumbles over when it writes routes. */
export function raiseForRoutes({ config, policy }: AmbassadorModule, groups: readonly RouteGroup[]): void {
  const raise = (field: string): never => {
    throw new Frozen({ stage: 'envoy', message: `Module ambassador: ${field} is not a number`, policy });
  };
  const specs = (): Spec[] => groups.flatMap(({ members }) => members.map((member) => member.policy.spec));
  if (Object.hasOwn(config, 'regex_max_size') && isNotSeconds(config['regex_max_size'] ?? 'nothing')) {
    const patterns = specs().some((spec) => textAt(spec, 'regex_rewrite', 'pattern') !== undefined);
    if (patterns || groups.some(asksByRegex)) raise('regex_max_size');
  }
  const timeout = valueAt(config, 'cluster_request_timeout_ms');
  if (timeout === undefined || ['number', 'bigint', 'boolean'].includes(typeof timeout)) return;
  if (specs().some((spec) => !Object.hasOwn(spec, 'timeout_ms'))) raise('cluster_request_timeout_ms');
}

function asksByRegex({ path, headers, query }: RouteGroup): boolean {
  return path.match === 'regex' || [...headers, ...query].some(({ match }) => match === 'regex');
}

/** Fields that the compiler stumbles over when it writes clusters. */
export function raiseForClusters({ config, policy }: AmbassadorModule, clusters: Clusters): void {
  if (clusters.byName.size === 0) return;
  if (clusters.freeze) throw new Frozen(clusters.freeze);
  const keepalive = config['keepalive'];
  const lifetimes = ['cluster_idle_timeout_ms', 'cluster_max_connection_lifetime_ms'];
  const wrong =
    isFalsy(keepalive) || isRecord(keepalive) ? lifetimes.find((field) => isNotSeconds(config[field])) : 'keepalive';
  if (wrong) throw new Frozen({ stage: 'envoy', message: `Module ambassador: ${wrong} is of a wrong type`, policy });
}

/** Python's `float()` does not take it: nothing given is fine. */
export function isNotSeconds(value: unknown): boolean {
  if (typeof value === 'string') return value !== '' && (value.trim() === '' || Number.isNaN(Number(value)));
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
