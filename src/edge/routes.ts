import type {
  Host,
  Listener,
  Member,
  Policy,
  RedirectAction,
  Route,
  RouteAction,
  RouteGroup,
  ValueMatch,
  VirtualHost,
} from './model.ts';
import { PATH_REDIRECTS } from './mapping.ts';
import { isRecord, isTrueAt, numberAt, textAt, valueAt } from './spec.ts';

/** A route of this very prefix is open to everybody in clear text, whatever the Host says: certificates are issued through it. */
const ACME_PREFIX = '/.well-known/acme-challenge/';
/** What marks requests over TLS where a Listener looks for it. */
const FORWARDED_PROTO = 'x-forwarded-proto';
/** Envoy's numbers of the codes that a redirect may have; 301 is what it does by itself. */
const REDIRECT_CODES: ReadonlyMap<number, number> = new Map([
  [301, 0],
  [302, 1],
  [303, 2],
  [307, 3],
  [308, 4],
]);

/**
 * The routes of a virtual host in matching order, as Envoy gets them, written out while they are asked for (v3/v3route.py,
 * v3/v3listener.py `compute_http_routes`). Where the Listener looks at X-Forwarded-Proto each is there twice: for requests
 * over TLS, and for the others with what the Host does with them. What is rejected is simply not there.
 */
export function* routesOf(listener: Listener, { host, groups }: VirtualHost): Iterable<Route> {
  const authenticates = listener.httpFilters.some(({ isAuth }) => isAuth);
  const { securityModel } = listener;
  for (const group of groups) {
    for (const route of routesOfGroup(group)) {
      if (securityModel === 'SECURE') yield route;
      if (securityModel === 'XFP') yield { ...route, security: 'secure', headers: withoutProto(route.headers) };
      if (securityModel === 'SECURE') continue;
      const insecure = insecureRoute(route, host, authenticates);
      if (!insecure) continue;
      if (securityModel === 'INSECURE') yield insecure;
      else yield { ...insecure, security: 'insecure', headers: withoutProtoIfOthers(route.headers) };
    }
  }
}

/** What a Host does with a request that is not over TLS; undefined: refuse it. */
function insecureRoute(route: Route, { insecureAction }: Host, authenticates: boolean): Route | undefined {
  const { match, value } = route.path;
  if (insecureAction === 'Route' || (match === 'prefix' && value === ACME_PREFIX)) return route;
  if (insecureAction === 'Reject') return undefined;
  const authDisabled = route.authDisabled || authenticates;
  return { ...route, action: { kind: 'redirect', redirect: { https: true } }, mirror: undefined, authDisabled };
}

function* routesOfGroup(group: RouteGroup): Iterable<Route> {
  if (group.redirect) {
    const action = redirectOf(group.redirect, group.redirectHost);
    yield { ...shared(group, group.redirect, undefined), action, fraction: 100, mirror: undefined, authDisabled: true };
    return;
  }
  const isOpen = deniesRedirect(group);
  for (const member of group.members) {
    const { policy, cluster, cumulative } = member;
    if (!cluster) continue;
    yield {
      ...shared(group, policy, member),
      action: { kind: 'cluster', cluster },
      fraction: cumulative,
      mirror: mirrorOf(group),
      authDisabled: isOpen || isTrueAt(policy.spec, 'bypass_auth'),
    };
  }
}

/**
 * Does a member write `host_redirect: false`? The group takes the word over from its members, and upstream asks only whether it
 * has one: it takes all routes of the group for redirects when it comes to authentication, which redirects are spared.
 */
export function deniesRedirect({ members }: RouteGroup): boolean {
  return members.some(({ policy }) => valueAt(policy.spec, 'host_redirect') === false);
}

function shared(
  group: RouteGroup,
  policy: Policy,
  member: Member | undefined,
): Omit<Route, 'action' | 'fraction' | 'mirror' | 'authDisabled'> {
  const { path, headers, query, requestHeadersAdded, responseHeadersAdded } = group;
  const own = member && valueAt(policy.spec, 'case_sensitive');
  const caseSensitive = typeof own === 'boolean' ? own : group.caseSensitive;
  return {
    group,
    policy,
    path,
    headers,
    query,
    caseSensitive,
    requestHeadersAdded,
    responseHeadersAdded,
    security: 'any',
  };
}

function mirrorOf({ shadows }: RouteGroup): Route['mirror'] {
  const [shadow] = shadows;
  return shadow?.cluster && { cluster: shadow.cluster, fraction: numberAt(shadow.policy.spec, 'weight') ?? 100 };
}

function redirectOf({ spec }: Policy, host: string | undefined): RouteAction {
  // Of several the first counts, whatever it holds (`_enforce_mutual_exclusion` of ir/irhttpmapping.py).
  const field = PATH_REDIRECTS.find((name) => Object.hasOwn(spec, name));
  const moved = field && valueAt(spec, field);
  const asked = numberAt(spec, 'redirect_response_code');
  const code = asked ? (REDIRECT_CODES.get(asked) ?? 0) : undefined;
  const redirect: RedirectAction = {
    ...(host !== undefined && { host }),
    ...(field && isFilled(moved) && pathOf(field, moved)),
    ...(code !== undefined && { code }),
  };
  return { kind: 'redirect', redirect };
}

function pathOf(field: (typeof PATH_REDIRECTS)[number], moved: unknown): RedirectAction {
  if (field === 'regex_redirect') return { regex: textAt(moved, 'pattern') ?? '' };
  const text = textAt(moved) ?? '';
  return field === 'path_redirect' ? { path: text } : { prefix: text };
}

function isFilled(value: unknown): boolean {
  return isRecord(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** The response code that a redirect asks for and Envoy does not have: 301 is given instead, and an error posted. */
export function unknownRedirectCode({ redirect }: RouteGroup): number | undefined {
  const code = redirect && numberAt(redirect.spec, 'redirect_response_code');
  return code && !REDIRECT_CODES.has(code) ? code : undefined;
}

/** A Mapping's own match on X-Forwarded-Proto gives way to the Listener's. */
function withoutProto(headers: readonly ValueMatch[]): readonly ValueMatch[] {
  return headers.some(isProto) ? headers.filter((header) => !isProto(header)) : headers;
}

/** For requests without TLS upstream takes it away too, but forgets to when there is no other header match. */
function withoutProtoIfOthers(headers: readonly ValueMatch[]): readonly ValueMatch[] {
  return headers.every(isProto) ? headers : withoutProto(headers);
}

function isProto({ name }: ValueMatch): boolean {
  return name.toLowerCase() === FORWARDED_PROTO;
}
