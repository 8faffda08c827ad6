import type { Chain, Listener, Route, RouteGroup, VirtualHost } from '../src/edge/model.ts';
import { routesOf } from '../src/edge/routes.ts';

const TLS_VERSION = { 'v1.0': 'TLSv1_0', 'v1.1': 'TLSv1_1', 'v1.2': 'TLSv1_2', 'v1.3': 'TLSv1_3' } as const;

/** A Listener in the form of vectors/edge. */
export function observeListener(listener: Listener, shown: (group: RouteGroup) => boolean): unknown {
  const { name, port, address, socketProtocol, httpFilters } = listener;
  return {
    name,
    port,
    ...(address !== '0.0.0.0' && { address }),
    ...(socketProtocol !== 'TCP' && { socketProtocol }),
    chains: listener.chains.map((chain) => ({
      ...observeChain(chain),
      vhosts: chain.vhosts.map((vhost) => observeVhost(listener, vhost, shown)),
    })),
    ...(httpFilters.length > 0 && {
      httpFilters: httpFilters.map(({ name: filter, failureModeAllow, failureModeDeny }) => ({
        name: filter,
        ...(failureModeAllow !== undefined && { failure_mode_allow: failureModeAllow }),
        ...(failureModeDeny !== undefined && { failure_mode_deny: failureModeDeny }),
      })),
    }),
  };
}

function observeChain({ tls, serverNames, transportProtocol, context, tcp }: Chain): object {
  return {
    tls,
    serverNames,
    ...(transportProtocol !== undefined && { transportProtocol }),
    minTls: tlsVersion(context?.minTls),
    maxTls: tlsVersion(context?.maxTls),
    requireClientCertificate: context?.certRequired ?? false,
    hasCa: context?.caSecret !== undefined,
    ...(context && { certificates: context.secret === undefined ? [] : [context.secret] }),
    ...(context && context.alpn.length > 0 && { alpn: context.alpn }),
    ...(context && context.cipherSuites.length > 0 && { cipherSuites: context.cipherSuites }),
    ...(tcp && { tcp: tcp.members.map((one) => ({ cluster: one.cluster?.name, weight: one.cumulative })) }),
  };
}

function tlsVersion(version: string | undefined): string | null {
  return version === undefined ? null : TLS_VERSION[version as keyof typeof TLS_VERSION];
}

function observeVhost(listener: Listener, vhost: VirtualHost, shown: (group: RouteGroup) => boolean): unknown {
  const routes = [...routesOf(listener, vhost)].filter(({ group }) => shown(group));
  return { domains: vhost.domains, routes: routes.map(observeRoute) };
}

function observeRoute(route: Route): unknown {
  const { action, mirror } = route;
  const https = { name: 'x-forwarded-proto', match: 'exact', value: 'https' };
  return {
    match: route.path.match,
    value: route.path.value,
    headers: route.security === 'secure' ? [...route.headers, https] : route.headers,
    query: route.query,
    fraction: route.fraction,
    action: action.kind === 'cluster' ? { cluster: action.cluster.name } : { redirect: action.redirect },
    ...(!route.caseSensitive && { caseSensitive: false }),
    ...(mirror && { mirror: [{ cluster: mirror.cluster.name, fraction: mirror.fraction }] }),
    ...(route.authDisabled && { authDisabled: true }),
    ...(route.requestHeadersAdded.length > 0 && { requestHeadersAdded: route.requestHeadersAdded }),
    ...(route.responseHeadersAdded.length > 0 && { responseHeadersAdded: route.responseHeadersAdded }),
  };
}
