import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { NONE } from '../none.ts';
import { Frozen, type Compilation } from './compilation.ts';
import { portOf, readUrl } from './service.ts';
import { shown } from './shown.ts';
import { isRecord, textAt, valueAt } from './spec.ts';
import type { AmbassadorModule } from './module.ts';
import type { Cluster, Freeze, Policy, TlsContext } from './model.ts';
import type { ResolverKind } from './resolvers.ts';

/** What somebody asks of an upstream: the same object for many who ask for the same. */
export interface Upstream {
  /** Completed already, with scheme. */
  readonly service: string;
  readonly namespace: string;
  /** Goes into the name: `shadow`, `extauth`, a `cluster_tag`. */
  readonly marker?: string | undefined;
  /** `tls` as written: the name of a TLSContext, or true. */
  readonly tls?: unknown;
  readonly hostRewrite?: string | undefined;
  /** What each circuit breaker adds to the name. */
  readonly breakers?: readonly string[] | undefined;
  readonly loadBalancer?: unknown;
  readonly statsName?: string | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** Name of a resolver; absent: the Module's. */
  readonly resolver?: string | undefined;
  /** What was made of these wishes at the last time. */
  made?: MadeCluster;
}

/** A cluster as one policy asks for it, before one knows who asked first. */
export interface WantedCluster {
  readonly cluster: Cluster;
  /** Upstream's own name, which Envoy's is cut from. Errors are posted under it. */
  readonly fullName: string;
  readonly errors: readonly string[];
  /** Whose TLS settings it has; undefined: it does not originate TLS. */
  readonly context: TlsContext | undefined;
  /** The service cannot be used as written: no address is looked up for it. */
  readonly ignored: boolean;
  /** Why the compiler ends when it writes the cluster; undefined: it does not. */
  readonly freeze: Freeze | undefined;
}

/** What the invented context is called; a TLSContext may take its place by its name. */
export const NO_CERTIFICATE_NAME = 'no-cert-upstream';

/** The invented context of a service that is `https://` without a TLSContext: it checks nothing. */
const NO_CERTIFICATE: TlsContext = {
  name: NO_CERTIFICATE_NAME,
  policy: undefined,
  usable: true,
  hosts: [],
  secret: undefined,
  caSecret: undefined,
  crlSecret: undefined,
  certRequired: false,
  minTls: undefined,
  maxTls: undefined,
  alpn: [],
  cipherSuites: [],
  ecdhCurves: [],
  sni: undefined,
};

/** All clusters of one run; of two with one name the first one's settings hold (ir/ir.py `add_cluster`). */
export class Clusters {
  readonly byName = new Map<string, Cluster>();
  /** Whoever asks for the same as somebody before gets the same. */
  readonly #added = new Map<Upstream, Cluster>();
  /** Why the compiler ends when it writes the clusters; undefined: it does not. */
  freeze: Freeze | undefined;
  /** In upstream's order of creation; the null context joins when it is first needed. */
  readonly #contexts: Map<string, TlsContext>;
  /** Those that originate TLS, each the same object as in the run before if it is equal to it. */
  readonly #usable = new Map<string, TlsContext>();
  readonly #module: AmbassadorModule;
  readonly #resolvers: ReadonlyMap<string, ResolverKind>;
  readonly #compilation: Compilation;

  constructor(
    compilation: Compilation,
    module: AmbassadorModule,
    contexts: Map<string, TlsContext>,
    resolvers: ReadonlyMap<string, ResolverKind>,
  ) {
    this.#compilation = compilation;
    this.#module = module;
    this.#contexts = contexts;
    this.#resolvers = resolvers;
  }

  /** The cluster for these wishes of a policy; somebody else's if one of that name exists. */
  add(upstream: Upstream, policy: Policy): Cluster {
    const known = this.#added.get(upstream);
    if (known) return known;
    const wanted = this.want(upstream, policy);
    const cluster = this.keep(wanted);
    // Errors are posted once for each policy.
    if (wanted.errors.length === 0) this.#added.set(upstream, cluster);
    return cluster;
  }

  keep({ cluster, freeze }: Pick<WantedCluster, 'cluster' | 'freeze'>): Cluster {
    const first = this.byName.get(cluster.name);
    if (first) return first;
    this.byName.set(cluster.name, cluster);
    this.freeze ??= freeze;
    return cluster;
  }

  /** Works out a cluster and posts what is wrong with it, without keeping it. */
  want(upstream: Upstream, policy: Policy): WantedCluster {
    const context = this.#contextOf(upstream.tls);
    const withoutContext = this.#withoutContext();
    const resolver = this.#resolvers.get(upstream.resolver ?? this.#module.resolver);
    const wanted = wantedCluster(upstream, {
      policy,
      context,
      withoutContext,
      resolver,
      defaultLoadBalancer: this.#module.loadBalancer,
    });
    if (wanted.context === NO_CERTIFICATE) this.#contexts.set(NO_CERTIFICATE.name, NO_CERTIFICATE);
    for (const error of wanted.errors) this.#compilation.error(wanted.fullName, error);
    return wanted;
  }

  /** Names of contexts are global: a TLSContext may have the name of the invented one, and then takes its place. */
  #withoutContext(): TlsContext {
    return this.#contextOf(NO_CERTIFICATE.name) ?? NO_CERTIFICATE;
  }

  #contextOf(tls: unknown): TlsContext | undefined {
    if (tls === true) return this.#withoutContext();
    if (typeof tls !== 'string') return undefined;
    const known = this.#usable.get(tls);
    if (known) return known;
    const context = this.#contexts.get(tls);
    if (!context?.usable) return undefined;
    const settled = asBefore(context);
    this.#usable.set(tls, settled);
    return settled;
  }
}

const contextsBefore = new WeakMap<Policy, TlsContext>();

/** A context is made anew in each run; what is remembered with it asks for the same object. */
function asBefore(context: TlsContext): TlsContext {
  if (!context.policy) return context;
  const before = contextsBefore.get(context.policy);
  if (before && isDeepStrictEqual(before, context)) return before;
  contextsBefore.set(context.policy, context);
  return context;
}

/** What a cluster depends on beside the wishes. */
interface Surroundings {
  /** Who is the first to ask. */
  readonly policy: Policy;
  readonly context: TlsContext | undefined;
  /** What holds where TLS is originated without a context. */
  readonly withoutContext: TlsContext;
  readonly resolver: ResolverKind | undefined;
  readonly defaultLoadBalancer: unknown;
}

interface MadeCluster extends Surroundings {
  readonly wanted: WantedCluster;
}

function wantedCluster(upstream: Upstream, around: Surroundings): WantedCluster {
  const { made } = upstream;
  const isSame =
    made?.policy === around.policy &&
    made.context === around.context &&
    made.withoutContext === around.withoutContext &&
    made.resolver === around.resolver &&
    made.defaultLoadBalancer === around.defaultLoadBalancer;
  if (made && isSame) return made.wanted;
  const wanted = makeCluster(upstream, around);
  upstream.made = { ...around, wanted };
  return wanted;
}

function makeCluster(
  upstream: Upstream,
  { policy, context, withoutContext, resolver, defaultLoadBalancer }: Surroundings,
): WantedCluster {
  const errors: string[] = [];
  if (upstream.tls && !context) errors.push(`Originate-TLS context ${shown(upstream.tls)} is not defined`);
  const { service, tls, nameFields } = origination(upstream, context, errors);
  const { host, port, ignored } = addressOf(service, tls, policy, errors);
  const loadBalancer = upstream.loadBalancer || defaultLoadBalancer;
  const fullName = [
    'cluster',
    ...(upstream.marker ? [upstream.marker] : []),
    upstream.service,
    ...nameFields,
    ...(tls && upstream.hostRewrite ? [`hr-${upstream.hostRewrite}`] : []),
    upstream.namespace,
    ...(upstream.breakers ?? []),
    ...balancerName(loadBalancer),
  ]
    .join('_')
    .replaceAll(/[^0-9A-Za-z_]/g, '_');
  if (resolver === undefined && isIP(host) === 0 && !ignored) {
    throw new Frozen({ stage: 'ir', message: `no resolver for service ${upstream.service}`, policy });
  }
  const used = tls ? (context ?? withoutContext) : undefined;
  const direct = resolver === 'KubernetesServiceResolver' || isIP(host) !== 0;
  const cluster: Cluster = {
    name: envoyName(fullName),
    altStatName: upstream.statsName || service.replaceAll(/[^0-9A-Za-z_]/g, '_'),
    endpoints: direct ? [`${host}:${port}`] : [],
    tls,
    // A list of revoked certificates alone makes Envoy check too, if only against that.
    verified: (used?.caSecret ?? used?.crlSecret) !== undefined,
    sni: used?.sni,
    clientCertificates: used?.secret !== undefined ? [used.secret] : NONE,
    connectTimeout: `${((upstream.connectTimeoutMs ?? 3000) / 1000).toFixed(3)}s`,
    policy,
  };
  const unwritable = ignored ? whyUnwritable(host, direct, policy) : undefined;
  const message = resolver === undefined ? 'there is no such resolver' : unwritable;
  return {
    cluster,
    fullName,
    errors: errors.length > 0 ? errors : NONE,
    ignored,
    context: used,
    freeze: message === undefined ? undefined : { stage: 'envoy', message, policy },
  };
}

/** Why the compiler ends over a cluster that it ignores for its service; undefined: it does not. */
function whyUnwritable(host: string, direct: boolean, { kind, spec }: Policy): string | undefined {
  // An address in brackets loses them, and without a lookup nobody can read it again.
  if (direct && host.includes(':')) return 'an address with a port that is no port';
  // They are read together with the address, and taken for read when the cluster is written.
  const isChecked = kind === 'Mapping' && (valueAt(spec, 'health_checks') ?? undefined) !== undefined;
  return isChecked ? 'health_checks of a service without a host, or with a port that is no number' : undefined;
}

/** `https://` originates TLS, a context does too, `http://` does not unless there is a context. */
function origination(
  { service, tls }: Upstream,
  context: TlsContext | undefined,
  errors: string[],
): { service: string; tls: boolean; nameFields: readonly string[] } {
  const [, scheme = '', rest = service] = /^(https?):\/\/(.*)$/is.exec(service) ?? [];
  if (scheme.toLowerCase() === 'https') return { service: known(rest, true, errors), tls: true, nameFields: ['otls'] };
  if (scheme !== '' && context) {
    errors.push(`Originate-TLS context ${shown(tls)} being used even though service ${rest} lists HTTP`);
    return { service: known(rest, true, errors), tls: true, nameFields: ['otls'] };
  }
  const originates = context !== undefined;
  return {
    service: known(rest, originates, errors),
    tls: originates,
    nameFields: context ? ['otls', context.name] : [],
  };
}

/** The service without a scheme that is neither of the two. */
function known(service: string, tls: boolean, errors: string[]): string {
  const end = service.indexOf('://');
  if (end < 0) return service;
  errors.push(`service ${service} has unknown scheme ${service.slice(0, end)}, assuming ${tls ? 'HTTPS' : 'HTTP'}`);
  return service.slice(end + 3);
}

function addressOf(
  service: string,
  tls: boolean,
  policy: Policy,
  errors: string[],
): { host: string; port: number; ignored: boolean } {
  const url = readUrl(`random://${service}`);
  if ('refused' in url) throw new Frozen({ stage: 'ir', message: url.refused, policy });
  if (url.hasRest)
    errors.push(`service ${service} has extra URL components; ignoring everything but the host and port`);
  if (url.host === '') errors.push(`service ${service} has no hostname and will be ignored; please re-configure`);
  const port = portOf(url);
  const refused = typeof port === 'object';
  if (refused) errors.push(`found invalid port for service ${service}: ${port.refused}`);
  const number = typeof port === 'number' ? port : tls ? 443 : 80;
  return { host: url.host || 'unknown', port: number, ignored: refused || url.host === '' };
}

/** Load balancers that a resolver of endpoints is for: they stand in the names of clusters. */
export const ENDPOINT_POLICIES: readonly string[] = ['round_robin', 'least_request', 'ring_hash', 'maglev'];

/** `er-ring_hash-hdr-x-user`: what a load balancer adds to the name. */
function balancerName(balancer: unknown): readonly string[] {
  const policy = textAt(balancer, 'policy');
  if (!isRecord(balancer) || policy === undefined || !ENDPOINT_POLICIES.includes(policy)) return [];
  const fields = ['er', policy.toLowerCase()];
  if (Object.hasOwn(balancer, 'header')) fields.push('hdr', textAt(balancer, 'header') ?? '');
  if (Object.hasOwn(balancer, 'cookie')) fields.push('cookie', textAt(balancer, 'cookie', 'name') ?? '');
  if (Object.hasOwn(balancer, 'source_ip')) fields.push('srcip');
  return [fields.join('-')];
}

/**
 * Envoy takes 60 characters: longer names are cut and told apart by a hash. Upstream counts names that are equal so far; two
 * whose hashes are equal too do not happen, so the count is 0.
 */
function envoyName(fullName: string): string {
  if (fullName.length <= 60) return fullName;
  const hash = createHash('sha1').update(fullName).digest('hex').slice(0, 16).toUpperCase();
  return `${fullName.slice(0, 40)}-${hash}-0`;
}
