import type { Party } from './finding.ts';
import type {
  Chain,
  Edge,
  Host,
  Listener,
  Member,
  RedirectAction,
  Route,
  RouteGroup,
  Spec,
  TcpGroup,
  TlsContext,
  ValueMatch,
} from './model.ts';
import { partyOf } from './party.ts';
import { routesOf } from './routes.ts';
import { textAt } from './spec.ts';

/** One match of one host, or one port of TCP, with everybody who serves it: a line of the route table as people read it. Plain data. */
export interface TableRoute {
  /** Equal for the same requests before and after a change: host and match, never who serves them. */
  readonly key: string;
  readonly host: string;
  /** `tcp`: whole connections, to the port that `value` names. */
  readonly path: RouteGroup['path'] | { readonly match: 'tcp'; readonly value: string };
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
  readonly precedence: number;
  readonly caseSensitive: boolean;
  /** The ports on which it is served. */
  readonly ports: readonly number[];
  readonly tls: RouteTls;
  /** Who serves it; empty for a redirect. */
  readonly members: readonly TableMember[];
  /** The Mapping with `host_redirect`, and where it leads. */
  readonly redirect?: { readonly object: Party; readonly to: RedirectAction };
  /** Mappings that get a copy of the requests. */
  readonly shadows: readonly Party[];
}

/** How clients reach a route. */
export interface RouteTls {
  /** `terminated` by Emissary; `forwarded` by a proxy before it that says so in X-Forwarded-Proto; `none`. */
  readonly https: 'terminated' | 'forwarded' | 'none';
  readonly http: 'served' | 'redirected' | 'refused';
  /** `name.namespace` of the certificate's Secret. */
  readonly secret?: string;
  /** The lowest version that is accepted, where it is set. */
  readonly minTls?: string;
  readonly clientCertificate: boolean;
}

export interface TableMember {
  readonly object: Party;
  /** In percent. */
  readonly share: number;
  /** Where its requests go: `host:port`, of several the first; as it is written where a resolver finds the address. */
  readonly service: string;
  /** The connection to the service is encrypted. */
  readonly encrypted: boolean;
  /** What the metrics call it: the label `envoy_cluster_name`. */
  readonly statsName: string;
  /** What else its Mapping says: everything but match, service and weight. */
  readonly settings: Spec;
}

/** Fields that the other columns of the table are made of. */
const SHOWN_FIELDS: ReadonlySet<string> = new Set(
  (
    'ambassador_id hostname host host_regex prefix prefix_exact prefix_regex case_sensitive method method_regex headers ' +
    'regex_headers query_parameters regex_query_parameters precedence service weight tls stats_name'
  ).split(' '),
);

/** Everything that the edge serves: HTTP, host by host in the order of the Listeners, routes in Envoy's order; then TCP. */
export function routeTable(edge: Edge): TableRoute[] {
  const rows = new Map<string, Draft>();
  const tcp: TableRoute[] = [];
  for (const listener of edge.listeners) {
    for (const chain of listener.chains) {
      if (chain.tcp) tcp.push(tcpRoute(listener, chain, chain.tcp));
      for (const vhost of chain.vhosts) {
        const host = vhost.domains.join(', ');
        for (const route of routesOf(listener, vhost)) {
          if (route.group.internal) continue;
          const id = JSON.stringify([host, route.group.identity]);
          const draft = rows.get(id) ?? draftOf(host, vhost.host, route);
          rows.set(id, draft);
          note(draft, listener, chain, route);
        }
      }
    }
  }
  return [...[...rows.values()].map(finished), ...tcp];
}

function tcpRoute({ port }: Listener, { tls, serverNames, context }: Chain, { members }: TcpGroup): TableRoute {
  const host = serverNames.join(', ') || '*';
  const path = { match: 'tcp', value: String(port) } as const;
  return {
    key: JSON.stringify([host, path.match, path.value]),
    host,
    path,
    headers: [],
    query: [],
    precedence: 0,
    caseSensitive: true,
    ports: [port],
    tls: {
      https: tls ? 'terminated' : 'none',
      http: tls ? 'refused' : 'served',
      ...settingsOf(tls ? context : undefined),
    },
    members: members.map(memberOf),
    shadows: [],
  };
}

function settingsOf(context: TlsContext | undefined): Pick<RouteTls, 'secret' | 'minTls' | 'clientCertificate'> {
  const { secret, minTls, certRequired = false } = context ?? {};
  return {
    ...(secret !== undefined && { secret }),
    ...(minTls !== undefined && { minTls }),
    clientCertificate: certRequired,
  };
}

/** A row while the listeners are gone through. */
interface Draft {
  readonly hostName: string;
  readonly host: Host;
  readonly route: Route;
  readonly ports: Set<number>;
  https: RouteTls['https'];
  http: RouteTls['http'];
  redirect: RedirectAction | undefined;
}

function draftOf(hostName: string, host: Host, route: Route): Draft {
  return { hostName, host, route, ports: new Set(), https: 'none', http: 'refused', redirect: undefined };
}

function note(draft: Draft, listener: Listener, chain: Chain, { security, action, group }: Route): void {
  draft.ports.add(listener.port);
  if (group.redirect && action.kind === 'redirect' && action.redirect.https !== true) draft.redirect = action.redirect;
  if (security !== 'insecure' && chain.tls) draft.https = 'terminated';
  if (security === 'secure' && !chain.tls && draft.https === 'none') draft.https = 'forwarded';
  if (security === 'secure' || chain.tls) return;
  const redirects = action.kind === 'redirect' && action.redirect.https === true;
  if (!redirects) draft.http = 'served';
  else if (draft.http === 'refused') draft.http = 'redirected';
}

function finished({ hostName, host, route, ports, https, http, redirect }: Draft): TableRoute {
  const { group, path, headers, query, caseSensitive } = route;
  const { precedence, members, shadows } = group;
  return {
    key: JSON.stringify([hostName, path.match, path.value, headers, query, precedence]),
    host: hostName,
    path,
    headers,
    query,
    precedence,
    caseSensitive,
    ports: [...ports].sort((a, b) => a - b),
    tls: { https, http, ...settingsOf(https === 'terminated' ? host.context : undefined) },
    members: group.redirect ? [] : members.map(memberOf),
    ...(group.redirect && { redirect: { object: partyOf(group.redirect), to: redirect ?? {} } }),
    shadows: shadows.map(({ policy }) => partyOf(policy)),
  };
}

function memberOf({ policy, share, cluster }: Member): TableMember {
  return {
    object: partyOf(policy),
    share,
    service: cluster?.endpoints[0] ?? textAt(policy.spec, 'service') ?? '',
    encrypted: cluster?.tls ?? false,
    statsName: cluster?.altStatName ?? '',
    settings: Object.fromEntries(Object.entries(policy.spec).filter(([field]) => !SHOWN_FIELDS.has(field))),
  };
}
