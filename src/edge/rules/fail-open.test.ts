// The rules about protection that is lost without anybody being told. For each: what the policies ask for, what the
// simulated edge really does instead, that the rule says so; and that neither holds once the policies are mended.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Edge } from '../model.ts';
import { routesOf } from '../routes.ts';
import { ask, type Case, host, judgedOf, listener, mapping, object } from './case.ts';
import { RULES } from './table.ts';

const HTTPS = listener('emissary/l8443', { port: 8443, protocol: 'HTTPS' });
const SECURE = listener('emissary/l8443', { port: 8443, protocol: 'HTTPS', securityModel: 'SECURE' });
const TLS = { tlsSecret: { name: 's1' }, requestPolicy: {} };
const APP = mapping('t1/app', { prefix: '/', hostname: 'a.com' });

interface FailOpen {
  readonly rule: string;
  readonly title: string;
  readonly broken: Case;
  readonly mended: Case;
  /** What is true of the edge in the broken case and not in the mended one. */
  readonly lost: (edge: Edge) => boolean;
}

/** Is there no way to the host over TLS? */
function isCleartext(edge: Edge): boolean {
  return !edge.listeners.some(({ chains }) => chains.some(({ tls, vhosts }) => tls && vhosts.length > 0));
}

/** Are requests routed that did not come over TLS, on a connection without it? */
function routesPlainText(edge: Edge): boolean {
  return edge.listeners.some((one) =>
    one.chains.some(
      ({ tls, vhosts }) =>
        !tls &&
        vhosts.some((vhost) =>
          [...routesOf(one, vhost)].some(({ action, security }) => action.kind === 'cluster' && security !== 'secure'),
        ),
    ),
  );
}

function clientCertificates(edge: Edge): boolean {
  return edge.listeners.some(({ chains }) =>
    chains.some(({ context }) => context?.certRequired === true && context.caSecret !== undefined),
  );
}

function upstreamOf(edge: Edge, name: string) {
  const member = edge.groups.flatMap(({ members }) => members).find(({ policy }) => policy.name === name);
  assert.ok(member?.cluster, `${name} has no cluster`);
  return member.cluster;
}

function hasFilter(edge: Edge, name: string): boolean {
  return edge.listeners.some(({ httpFilters }) => httpFilters.some((filter) => filter.name === name));
}

function filter(edge: Edge, name: string) {
  return edge.listeners.flatMap(({ httpFilters }) => httpFilters).find((one) => one.name === name);
}

function moduleOf(config: object) {
  return object('Module', 'emissary/ambassador', { config });
}

const CASES: readonly FailOpen[] = [
  {
    rule: 'EM052',
    title: 'an upstream that was to be reached over TLS is reached in plain text, on port 80',
    broken: { objects: [mapping('t1/m', { tls: 'c' }), object('TLSContext', 't1/c', { secret: 'client' })] },
    mended: {
      objects: [mapping('t1/m', { tls: 'c' }), object('TLSContext', 't1/c', { secret: 'client' })],
      secrets: ['t1/client'],
    },
    lost: (edge) => {
      const { tls, endpoints } = upstreamOf(edge, 'm');
      return !tls && endpoints.every((endpoint) => endpoint.endsWith(':80'));
    },
  },
  {
    rule: 'EM060',
    title: 'without the only Host, an invented one routes everything in plain text',
    broken: { objects: [host('t1/h1', TLS), HTTPS, APP] },
    mended: { objects: [host('t1/h1', TLS), HTTPS, APP], secrets: ['t1/s1'] },
    lost: (edge) =>
      isCleartext(edge) && routesPlainText(edge) && edge.hosts.every(({ policy }) => policy === undefined),
  },
  {
    rule: 'EM061',
    title: 'a Host with tls and no secret is served without TLS',
    broken: { objects: [host('t1/h1', { requestPolicy: {}, tls: { min_tls_version: 'v1.2' } }), HTTPS, APP] },
    mended: { objects: [host('t1/h1', { ...TLS, tls: { min_tls_version: 'v1.2' } }), HTTPS, APP], secrets: ['t1/s1'] },
    lost: isCleartext,
  },
  {
    rule: 'EM066',
    title: 'with a CA that cannot be loaded, a SECURE Listener routes everything without TLS and without certificates',
    broken: {
      objects: [
        host('t1/h1', { ...TLS, tlsContext: { name: 'c' } }),
        object('TLSContext', 't1/c', { secret: 's1', ca_secret: 'ca', cert_required: true }),
        SECURE,
        APP,
      ],
      secrets: ['t1/s1', { name: 'ca', namespace: 't1', keys: new Set(['ca.crt']) }],
    },
    mended: {
      objects: [
        host('t1/h1', { ...TLS, tlsContext: { name: 'c' } }),
        object('TLSContext', 't1/c', { secret: 's1', ca_secret: 'ca', cert_required: true }),
        SECURE,
        APP,
      ],
      secrets: ['t1/s1', { name: 'ca', namespace: 't1', keys: new Set(['tls.crt']) }],
    },
    lost: (edge) => isCleartext(edge) && routesPlainText(edge) && !clientCertificates(edge),
  },
  {
    rule: 'EM070',
    title: 'a TLSContext of another namespace lowers the TLS version of a Host',
    broken: {
      objects: [
        host('t1/h1', TLS),
        object('TLSContext', 'evil/h1-context', { secret: 's1', hosts: ['a.com'], min_tls_version: 'v1.0' }),
        HTTPS,
        APP,
      ],
      secrets: ['t1/s1', 'evil/s1'],
    },
    mended: {
      objects: [
        host('t1/h1', { ...TLS, tls: { min_tls_version: 'v1.2' } }),
        object('TLSContext', 'evil/h1-context', { secret: 's1', hosts: ['a.com'], min_tls_version: 'v1.0' }),
        HTTPS,
        APP,
      ],
      secrets: ['t1/s1', 'evil/s1'],
    },
    lost: ({ listeners }) =>
      listeners.some(({ chains }) =>
        chains.some(({ tls, context }) => tls && context?.minTls === 'v1.0' && context.secret === 's1.evil'),
      ),
  },
  {
    rule: 'EM070',
    title: 'a TLSContext of another namespace without its secret takes TLS from a Host',
    broken: {
      objects: [host('t1/h1', TLS), object('TLSContext', 'evil/h1-context', { secret: 's1' }), HTTPS, APP],
      secrets: ['t1/s1'],
    },
    mended: {
      objects: [host('t1/h1', TLS), object('TLSContext', 'evil/h2-context', { secret: 's1' }), HTTPS, APP],
      secrets: ['t1/s1'],
    },
    lost: isCleartext,
  },
  {
    rule: 'EM072',
    title: 'a second Host routes the plain text that the first one redirects',
    broken: { objects: [host('n2/h1', { requestPolicy: {} }), host('n3/h2'), APP] },
    mended: { objects: [host('n2/h1', { requestPolicy: {} }), host('n3/h2', { hostname: 'b.com' }), APP] },
    lost: (edge) =>
      edge.listeners.some((one) =>
        one.chains.some(({ vhosts }) =>
          vhosts.some(
            (vhost) =>
              vhost.domains.includes('a.com') &&
              [...routesOf(one, vhost)].some(
                ({ action, security }) => action.kind === 'cluster' && security === 'insecure',
              ),
          ),
        ),
      ),
  },
  {
    rule: 'EM080',
    title: 'without a version there is no rate limit',
    broken: { objects: [object('RateLimitService', 't1/r', { service: 'limits' }), APP] },
    mended: { objects: [object('RateLimitService', 't1/r', { service: 'limits', protocol_version: 'v3' }), APP] },
    lost: (edge) => !hasFilter(edge, 'envoy.filters.http.ratelimit'),
  },
  {
    rule: 'EM080',
    title: 'with two services there is no rate limit',
    broken: {
      objects: [
        object('RateLimitService', 't1/r', { service: 'limits', protocol_version: 'v3' }),
        object('RateLimitService', 't2/r', { service: 'limits', protocol_version: 'v3' }),
        APP,
      ],
    },
    mended: { objects: [object('RateLimitService', 't1/r', { service: 'limits', protocol_version: 'v3' }), APP] },
    lost: (edge) => !hasFilter(edge, 'envoy.filters.http.ratelimit'),
  },
  {
    rule: 'EM081',
    title: 'a second AuthService gets requests of the first, and lets them pass when it is down',
    broken: {
      objects: [
        object('AuthService', 'n1/auth', { auth_service: 'auth:3000' }),
        object('AuthService', 'n2/auth2', { auth_service: 'auth2:3000', failure_mode_allow: true }),
        APP,
      ],
    },
    mended: { objects: [object('AuthService', 'n1/auth', { auth_service: 'auth:3000' }), APP] },
    lost: (edge) =>
      filter(edge, 'envoy.filters.http.ext_authz')?.failureModeAllow === true &&
      [...edge.clusters.values()].some(({ endpoints }) => endpoints.length === 2),
  },
  {
    rule: 'EM086',
    title: 'an allow list without a valid entry lets everybody in',
    broken: { objects: [moduleOf({ ip_allow: [{ peer: '1.2.3.4/33' }] }), APP] },
    mended: { objects: [moduleOf({ ip_allow: [{ peer: '1.2.3.4/32' }] }), APP] },
    lost: (edge) => !hasFilter(edge, 'envoy.filters.http.rbac'),
  },
];

for (const { rule, title, broken, mended, lost } of CASES) {
  describe(`${rule}: ${title}`, () => {
    const row = RULES.find(({ id }) => id === rule);
    assert.ok(row);

    it('happens, and is told as an error', () => {
      assert.equal(lost(judgedOf(broken).edge), true);
      assert.ok(ask(row, broken).some(({ severity }) => severity === 'error'));
    });

    it('neither happens nor is told once it is mended', () => {
      assert.equal(lost(judgedOf(mended).edge), false);
      assert.deepEqual(
        ask(row, mended).map(({ message }) => message),
        [],
      );
    });
  });
}
