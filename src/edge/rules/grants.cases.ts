import type { Grant } from '../guard.ts';
import { host, mapping, object, type RuleCases } from './case.ts';

function grant(holder: string, namespaces: string[], limits: Partial<Grant> = {}): Grant {
  return { holder, namespaces: new Set(namespaces), hosts: [], prefixes: [], kinds: [], ...limits };
}

const SHOP = grant('team shop', ['shop'], { hosts: ['a.com', '*.shop.com'] });
const API = grant('team api', ['api'], { hosts: ['a.com'], prefixes: ['/api/'] });
const guard = { grants: [SHOP, API] };
const deny = { ...guard, unclaimed: 'Deny' as const };
const S1 = { tlsSecret: { name: 's1' }, requestPolicy: {} };

export const GRANT_CASES: Record<string, RuleCases> = {
  EM100: {
    flags: {
      'a host of somebody else': {
        objects: [mapping('t1/m')],
        guard,
        finds: {
          object: 'Mapping t1/m',
          severity: 'error',
          impact: 'steal',
          host: 'a.com',
          path: '/x/',
          says: /granted to team shop \("a.com, \*\.shop\.com"\)/,
        },
      },
      'a host that somebody else’s glob means': { objects: [mapping('t1/m', { hostname: 'x.shop.com' })], guard },
      'every host': { objects: [mapping('t1/m', { hostname: '*' })], guard },
      'letter case': { objects: [mapping('t1/m', { hostname: 'A.COM' })], guard },
      'letter case of a path that is taken in any case': {
        objects: [mapping('t1/m', { prefix: '/API/', case_sensitive: false })],
        guard: { grants: [API] },
      },
      'a prefix beside the own one': {
        objects: [mapping('api/m', { prefix: '/x/' })],
        guard,
        finds: { says: /granted to team shop/ },
      },
      'a shorter prefix than the own one': { objects: [mapping('api/m', { prefix: '/' })], guard },
      'a regular expression that means more than the prefix': {
        objects: [mapping('api/m', { prefix: '/api/.*|/x/.*', prefix_regex: true })],
        guard,
      },
      'any host, as a regular expression': {
        objects: [mapping('api/m', { hostname: undefined, host: '.*', host_regex: true, prefix: '/api/' })],
        guard,
      },
      'the host in a header': {
        objects: [mapping('t1/m', { hostname: undefined, headers: { ':authority': 'a.com' } })],
        guard,
      },
      'a Host': { objects: [host('t1/h1')], guard, finds: { object: 'Host t1/h1', host: 'a.com' } },
      'a TCPMapping': {
        objects: [object('TCPMapping', 't1/t', { port: 9000, host: 'a.com', service: 'db' })],
        guard,
        finds: { object: 'TCPMapping t1/t' },
      },
      'a Mapping without a host that the other’s Host takes': {
        objects: [
          mapping('t1/m', { hostname: undefined }, { labels: { team: 'x' } }),
          host('shop/h1', { mappingSelector: { matchLabels: { team: 'x' } } }),
        ],
        guard,
        finds: { object: 'Mapping t1/m', host: 'a.com' },
      },
    },
    passes: {
      'the own host': { objects: [mapping('shop/m')], guard },
      'a name within the own glob': { objects: [mapping('shop/m', { hostname: 'x.shop.com' })], guard },
      'the own prefix on a shared host': { objects: [mapping('api/m', { prefix: '/api/v1/' })], guard },
      'a regular expression within the own prefix': {
        objects: [mapping('api/m', { prefix: '^/api/v[12]/.*', prefix_regex: true }), host('shop/h1')],
        guard,
      },
      'a host of nobody': {
        objects: [mapping('t1/m', { hostname: 'b.com' }), host('t1/h1', { hostname: 'b.com' })],
        guard,
      },
      'a name beside the glob': { objects: [mapping('t1/m', { hostname: 'shop.com' })], guard },
      'no grants': [mapping('t1/m')],
    },
  },
  EM101: {
    flags: {
      'a host of nobody': {
        objects: [mapping('t1/m', { hostname: 'b.com' })],
        guard: deny,
        finds: { object: 'Mapping t1/m', severity: 'error', host: 'b.com', says: /no grant/ },
      },
      'more than the own host': { objects: [host('shop/h1', { hostname: '*.net' })], guard: deny },
      'no grants at all': { objects: [mapping('t1/m')], guard: { unclaimed: 'Deny' } },
    },
    passes: {
      'a host of nobody that may be taken': { objects: [mapping('t1/m', { hostname: 'b.com' })], guard },
      'the own host': { objects: [mapping('shop/m'), host('shop/h1')], guard: deny },
      'a host of somebody else, which EM100 tells': { objects: [mapping('t1/m'), host('shop/h1')], guard: deny },
      'Emissary’s own namespace': { objects: [mapping('emissary/m', { hostname: 'b.com' })], guard: deny },
    },
  },
  EM102: {
    flags: {
      'a kind that the grant does not name': {
        objects: [object('Module', 'shop/ambassador', { config: {} })],
        guard: { grants: [grant('team shop', ['shop'], { kinds: ['Host'] })] },
        finds: { object: 'Module shop/ambassador', severity: 'error', says: /team shop allows "Host", no Module/ },
      },
      'a kind without any grant': {
        objects: [object('AuthService', 't1/auth', { auth_service: 'auth' })],
        guard: deny,
        finds: { object: 'AuthService t1/auth', says: /has no grant/ },
      },
    },
    passes: {
      'a kind that the grant names': {
        objects: [host('shop/h1')],
        guard: { grants: [grant('team shop', ['shop'], { kinds: ['Host'] })] },
      },
      'a grant that names no kinds': { objects: [object('Module', 'shop/ambassador', { config: {} })], guard },
      'a Mapping': {
        objects: [mapping('shop/m')],
        guard: { grants: [grant('team shop', ['shop'], { kinds: ['Host'] })] },
      },
      'no grant where none is needed': { objects: [host('t1/h1')], guard },
      'Emissary’s own namespace': { objects: [object('Module', 'emissary/ambassador', { config: {} })], guard: deny },
      'one of two grants': {
        objects: [object('Module', 'shop/ambassador', { config: {} })],
        guard: {
          grants: [
            grant('team shop', ['shop'], { kinds: ['Host'] }),
            grant('operators', ['shop'], { kinds: ['Module'] }),
          ],
        },
      },
    },
  },
  EM103: {
    flags: {
      'the TLSContext of another team, for upstreams': {
        objects: [mapping('shop/m', { tls: 'c' }), object('TLSContext', 'api/c', { secret: 's1' })],
        secrets: ['api/s1'],
        guard,
        finds: { object: 'Mapping shop/m', other: 'TLSContext api/c', severity: 'error', impact: 'protection-lost' },
      },
      'the certificate of another team’s Host': {
        objects: [mapping('shop/m', { tls: 'h1-context' }), host('api/h1', S1)],
        secrets: ['api/s1'],
        guard,
        finds: { other: 'Host api/h1' },
      },
      'the implicit TLSContext': {
        objects: [host('shop/h1', S1), object('TLSContext', 'api/h1-context', { secret: 's1' })],
        secrets: ['api/s1', 'shop/s1'],
        guard,
        finds: { object: 'Host shop/h1', other: 'TLSContext api/h1-context' },
      },
      'the Secret of another team': {
        objects: [host('shop/h1', { tlsSecret: { name: 's1', namespace: 'api' } })],
        secrets: ['api/s1'],
        guard,
        finds: { object: 'Host shop/h1', says: /tlsSecret "api\/s1"/ },
      },
      'the Secret of another team, with a dot': {
        objects: [object('TLSContext', 'shop/c', { secret: 's1.api' })],
        guard: { unclaimed: 'Deny' },
      },
    },
    passes: {
      'the own TLSContext': {
        objects: [mapping('shop/m', { tls: 'c' }), object('TLSContext', 'shop/c', { secret: 's1' })],
        secrets: ['shop/s1'],
        guard,
      },
      'two namespaces of one grant': {
        objects: [mapping('shop/m', { tls: 'c' }), object('TLSContext', 'shop-tls/c', { secret: 's1' })],
        secrets: ['shop-tls/s1'],
        guard: { grants: [grant('team shop', ['shop', 'shop-tls'])] },
      },
      'no tenancy': [mapping('shop/m', { tls: 'c' }), object('TLSContext', 'api/c', { secret: 's1' })],
    },
  },
};
