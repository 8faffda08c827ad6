import { host, listener, mapping, object, type RuleCases } from './case.ts';

const CONTEXT = { secret: 's' };
const WORDS = Array.from({ length: 60 }, (_, at) => `${at}-is-a-long-word`).join('|');

export const FREEZE_CASES: Record<string, RuleCases> = {
  EM001: {
    flags: {
      'look-ahead in a prefix': {
        objects: [mapping('t1/m', { prefix: '/x/(?=foo)', prefix_regex: true })],
        finds: { object: 'Mapping t1/m', severity: 'error', impact: 'freeze', says: /prefix `\/x\/\(\?=foo\)`/ },
      },
      'an unbalanced host': [mapping('t1/m', { hostname: undefined, host: '(a.com', host_regex: true })],
      'a method': [mapping('t1/m', { method: '*', method_regex: true })],
      'a header': [mapping('t1/m', { regex_headers: { 'x-v': '[' } })],
      'a query parameter': [mapping('t1/m', { regex_query_parameters: { q: '(' } })],
      'a rewrite': [mapping('t1/m', { regex_rewrite: { pattern: String.raw`(a)\1`, substitution: '/' } })],
      'a redirect': [mapping('t1/m', { host_redirect: true, regex_redirect: { pattern: 'a**', substitution: '/' } })],
      'an empty header': [mapping('t1/m', { regex_headers: { 'x-v': '' } })],
      'a rewrite with nothing in it': {
        objects: [mapping('t1/m', { regex_rewrite: {} })],
        finds: { says: /regex_rewrite\.pattern is empty/ },
      },
      'a rewrite without a pattern': [mapping('t1/m', { regex_rewrite: { substitution: '/' } })],
      'a redirect without a pattern': [mapping('t1/m', { host_redirect: true, regex_redirect: { substitution: '/' } })],
    },
    passes: {
      'a redirect with nothing in it': [mapping('t1/m', { host_redirect: true, regex_redirect: {} })],
      'a redirect whose path is named': [
        mapping('t1/m', { host_redirect: true, path_redirect: '/', regex_redirect: { substitution: '/' } }),
      ],
      'what is no redirect': [mapping('t1/m', { regex_redirect: { substitution: '/' } })],
      'an empty host, which asks for none': [mapping('t1/m', { hostname: undefined, host: '', host_regex: true })],
      'an empty method, which asks for none': [mapping('t1/m', { method: '', method_regex: true })],
      'the same text, taken literally': [mapping('t1/m', { prefix: '/x/(?=foo)' })],
      'valid RE2': [mapping('t1/m', { prefix: '/api/(v1|v2)/.*', prefix_regex: true })],
      'a header that is no text': [mapping('t1/m', { regex_headers: { 'x-v': 5n, __proto__: null } })],
    },
  },
  EM002: {
    flags: {
      'sixty long words': {
        objects: [mapping('t1/m', { prefix: `/(${WORDS})`, prefix_regex: true })],
        finds: { object: 'Mapping t1/m', severity: 'warning', says: /the limit is 200/ },
      },
      'counted repetitions': [mapping('t1/m', { prefix: '/((a{30}){30}){30}', prefix_regex: true })],
      'a limit of the Module': {
        objects: [
          mapping('t1/m', { prefix: '/api/(v1|v2)/.*', prefix_regex: true }),
          object('Module', 'emissary/ambassador', { config: { regex_max_size: 10n } }),
        ],
        finds: { says: /has 22 steps; the limit is 10/ },
      },
    },
    passes: {
      'a usual one': [mapping('t1/m', { prefix: '/api/(v1|v2)/.*', prefix_regex: true })],
      'a higher limit of the Module': [
        mapping('t1/m', { prefix: `/(${WORDS})`, prefix_regex: true }),
        object('Module', 'emissary/ambassador', { config: { regex_max_size: 2000 } }),
      ],
    },
  },
  EM003: {
    flags: {
      'a negative weight': {
        objects: [mapping('t1/m', { weight: -5 })],
        finds: { object: 'Mapping t1/m', severity: 'error', says: /weight -5/ },
      },
      'a negative time': [mapping('t1/m', { timeout_ms: -1 })],
      'a negative number inside': [mapping('t1/m', { retry_policy: { retry_on: '5xx', num_retries: -1n } })],
      'a port that is none': [object('TCPMapping', 't1/m', { port: 70_000, service: 'db' })],
      'a negative limit': {
        objects: [mapping('t1/m', { circuit_breakers: [{ max_connections: 1 }, { max_requests: -1 }] })],
        finds: { says: /circuit_breakers\.1\.max_requests -1/ },
      },
      'a negative limit of the Module': [
        object('Module', 'emissary/ambassador', { config: { circuit_breakers: [{ max_retries: -1n }] } }),
      ],
      'a negative number of retries': [mapping('t1/m', { retry_policy: { retry_on: '5xx', num_retries: -1 } })],
      'a TCPMapping of weight 0': {
        objects: [
          object('TCPMapping', 't1/a', { port: 9000, service: 'a', weight: 0 }),
          object('TCPMapping', 't1/b', { port: 9000, service: 'b' }),
        ],
        finds: { object: 'TCPMapping t1/a', severity: 'error', says: /comes out with the weight 0/ },
        count: 1,
      },
      'TCPMappings, one of a weight above 100': {
        objects: [
          object('TCPMapping', 't1/a', { port: 9000, service: 'a', weight: 101 }),
          object('TCPMapping', 't1/b', { port: 9000, service: 'b' }),
        ],
        count: 2,
      },
    },
    passes: {
      'a TCPMapping of weight 0, alone': [object('TCPMapping', 't1/m', { port: 9000, service: 'db', weight: 0 })],
      'no limit': [mapping('t1/m', { circuit_breakers: [{ max_connections: 0 }], keepalive: { probes: 100_000 } })],

      'weight 0': [mapping('t1/m', { weight: 0 })],
      'a port that is one': [object('TCPMapping', 't1/m', { port: 6379, service: 'db' })],
    },
  },
  EM004: {
    flags: {
      'a brace': {
        objects: [mapping('t1/m', { service: 'example.com}:443' })],
        finds: { object: 'Mapping t1/m', says: /`example\.com}`/ },
      },
      'a space': [mapping('t1/m', { service: 'my svc' })],
      'half an IPv6 address': [mapping('t1/m', { service: 'http://[' })],
      'an auth service': [object('AuthService', 't1/auth', { auth_service: 'auth!:80', proto: 'http' })],
      'a host_rewrite': [mapping('t1/m', { host_rewrite: 'a..b' })],
      'a label of 64 letters': [mapping('t1/m', { service: 'a'.repeat(64) })],
    },
    passes: {
      'an underscore': [mapping('t1/m', { service: 'svc_x.ns:80' })],
      'a URL': [mapping('t1/m', { service: 'https://example.com:443' })],
      'IPv6 in brackets': [mapping('t1/m', { service: 'http://[::1]:8080' })],
      IPv4: [mapping('t1/m', { service: '10.0.0.1' })],
      'the end of the root': [mapping('t1/m', { service: 'example.com.' })],
      'no text': [mapping('t1/m', { service: { a: 1 } })],
    },
  },
  EM005: {
    flags: {
      'A.com and a.com': {
        objects: [host('t1/h1', { hostname: 'A.com' }), host('t2/h2', { hostname: 'a.com' })],
        finds: { says: /A\.com.*a\.com|a\.com.*A\.com/ },
      },
    },
    passes: {
      'two names': [host('t1/h1', { hostname: 'a.com' }), host('t2/h2', { hostname: 'b.com' })],
      'two Listeners': [
        host('t1/h1', { hostname: 'A.com' }),
        host('t2/h2', { hostname: 'a.com' }),
        listener('t1/l', { hostBinding: { namespace: { from: 'SELF' } } }),
        listener('t2/l', { port: 8081, hostBinding: { namespace: { from: 'SELF' } } }),
      ],
    },
  },
  EM006: {
    flags: {
      'the port of an HTTP Listener': {
        objects: [object('TCPMapping', 't1/m', { port: 8080, service: 'db' })],
        finds: { object: 'TCPMapping t1/m', other: 'Listener emissary/listener-8080', says: /port 8080/ },
      },
      'the name of a Host, in capital letters': {
        objects: [
          listener('emissary/l', { port: 8443, protocol: 'HTTPS' }),
          host('t1/h', { tlsSecret: { name: 's' } }),
          object('TLSContext', 't1/c', { secret: 's', hosts: ['A.com'] }),
          object('TCPMapping', 't1/m', { port: 8443, host: 'A.com', service: 'db' }),
        ],
        secrets: ['t1/s'],
        finds: { object: 'TCPMapping t1/m', other: 'Host t1/h', host: 'A.com', says: /one name for Envoy/ },
        count: 1,
      },
      'two TCPMappings': {
        objects: [
          object('TLSContext', 't1/c', { secret: 's', hosts: ['A.com', 'a.com'] }),
          object('TCPMapping', 't1/m', { port: 9000, host: 'A.com', service: 'db' }),
          object('TCPMapping', 't1/n', { port: 9000, host: 'a.com', service: 'db' }),
        ],
        secrets: ['t1/s'],
        finds: { says: /one name for Envoy/ },
        count: 1,
      },
    },
    passes: {
      'a port without a Listener': [object('TCPMapping', 't1/m', { port: 9000, service: 'db' })],
      'another name than the Host': {
        objects: [
          listener('emissary/l', { port: 8443, protocol: 'HTTPS' }),
          host('t1/h', { tlsSecret: { name: 's' } }),
          object('TLSContext', 't1/c', { secret: 's', hosts: ['b.com'] }),
          object('TCPMapping', 't1/m', { port: 8443, host: 'b.com', service: 'db' }),
        ],
        secrets: ['t1/s'],
      },
      'a Listener for TCP': [
        object('TCPMapping', 't1/m', { port: 9000, service: 'db' }),
        listener('t1/l', { port: 9000, protocol: 'TCP' }),
      ],
    },
  },
  EM007: {
    flags: {
      'http and grpc': {
        objects: [
          object('AuthService', 'n1/auth', { auth_service: 'a', proto: 'http' }),
          object('AuthService', 'n2/auth', { auth_service: 'b', proto: 'grpc', protocol_version: 'v3' }),
        ],
        finds: { object: 'AuthService n2/auth', other: 'AuthService n1/auth', says: /is grpc,.* is http/ },
      },
      'http and https': [
        object('AuthService', 'n1/auth', { auth_service: 'a' }),
        object('AuthService', 'n2/auth2', { auth_service: 'https://b' }),
      ],
    },
    passes: {
      'two of a kind': [
        object('AuthService', 'n1/auth', { auth_service: 'a', proto: 'http' }),
        object('AuthService', 'n2/auth', { auth_service: 'b' }),
      ],
      'another gateway': [
        object('AuthService', 'n1/auth', { auth_service: 'a' }),
        object('AuthService', 'n2/auth', { auth_service: 'b', proto: 'grpc', ambassador_id: ['other'] }),
      ],
    },
  },
  EM008: {
    flags: {
      'an unknown cipher suite': {
        objects: [object('TLSContext', 't1/c', { ...CONTEXT, cipher_suites: ['TLS_FOO'] })],
        secrets: ['t1/s'],
        finds: { object: 'TLSContext t1/c', says: /TLS_FOO/ },
      },
      'an unknown curve': {
        objects: [object('TLSContext', 't1/c', { ...CONTEXT, ecdh_curves: ['P-257'] })],
        secrets: ['t1/s'],
      },
      'a minimum above the maximum': {
        objects: [object('TLSContext', 't1/c', { ...CONTEXT, min_tls_version: 'v1.3', max_tls_version: 'v1.2' })],
        secrets: ['t1/s'],
      },
      'in a Host': {
        objects: [
          host('t1/h', { tlsSecret: { name: 's' }, tls: { min_tls_version: 'v1.3', max_tls_version: 'v1.2' } }),
        ],
        secrets: ['t1/s'],
        finds: { object: 'Host t1/h' },
      },
    },
    passes: {
      'known names': {
        objects: [
          object('TLSContext', 't1/c', {
            ...CONTEXT,
            cipher_suites: [
              'ECDHE-RSA-AES128-GCM-SHA256',
              '[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]',
            ],
            ecdh_curves: ['X25519', 'P-256'],
            min_tls_version: 'v1.2',
            max_tls_version: 'v1.3',
          }),
        ],
        secrets: ['t1/s'],
      },
    },
  },
  EM009: {
    flags: {
      'a Module value of the wrong type': {
        objects: [object('Module', 'emissary/ambassador', { config: { cors: { origins: 5 } } })],
        finds: { object: 'Module emissary/ambassador', impact: 'freeze' },
      },
      'a service that is no address': [mapping('t1/m', { service: 'http://[' })],
      'an empty prefix': {
        objects: [mapping('t1/m', { prefix: '' }), mapping('t1/n')],
        finds: { object: 'Mapping t1/m', impact: 'freeze', says: /it has no prefix, or an empty one/ },
        count: 1,
      },
      'an empty prefix that is a regular expression': [mapping('t1/m', { prefix: '', prefix_regex: true })],
      'an empty service': {
        objects: [mapping('t1/m', { service: '' })],
        finds: { object: 'Mapping t1/m', says: /it has no service, or an empty one/ },
      },
      'a header to add with an empty value': {
        objects: [mapping('t1/m', { add_request_headers: { 'x-a': { value: '' } } })],
        finds: { object: 'Mapping t1/m', says: /has no value, or an empty one/ },
      },
      'health checks of a port that is none': {
        objects: [mapping('t1/m', { service: 'up:http', health_checks: [{ health_check: { http: { path: '/' } } }] })],
        finds: { object: 'Mapping t1/m', says: /health_checks of a service/ },
      },
      'an empty service of a TCPMapping': {
        objects: [object('TCPMapping', 't1/t', { port: 9000, service: '' })],
        finds: { object: 'TCPMapping t1/t', says: /it has no service, or an empty one/ },
      },
    },
    passes: {
      'a Mapping': [mapping('t1/m')],
      'health checks': [
        mapping('t1/m', { service: 'up:80', health_checks: [{ health_check: { http: { path: '/' } } }] }),
      ],
      'a header to add': [mapping('t1/m', { add_request_headers: { 'x-a': { value: 'a' } } })],
    },
  },
};
