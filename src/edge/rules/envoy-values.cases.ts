import { host, listener, mapping, object, type RuleCases } from './case.ts';

const TLS = { tlsSecret: { name: 's' } };
const HTTPS = listener('emissary/l', { port: 8443, protocol: 'HTTPS' });

export const ENVOY_VALUE_CASES: Record<string, RuleCases> = {
  EM00A: {
    flags: {
      'a star at the end': {
        objects: [HTTPS, host('t1/h', { ...TLS, hostname: 'a.*' })],
        secrets: ['t1/s'],
        finds: {
          object: 'Host t1/h',
          severity: 'error',
          impact: 'freeze',
          host: 'a.*',
          says: /"a\.\*" on port 8443/,
        },
      },
      'a part of a label, with a port': {
        objects: [HTTPS, host('t1/h', { ...TLS, hostname: '*a.com:8443' })],
        secrets: ['t1/s'],
        finds: { host: '*a.com' },
      },
      'a TCPMapping': {
        objects: [
          object('TLSContext', 't1/c', { secret: 's', hosts: ['*a.com'] }),
          object('TCPMapping', 't1/m', { port: 9000, host: '*a.com', service: 'db' }),
        ],
        secrets: ['t1/s'],
        finds: { object: 'TCPMapping t1/m' },
      },
    },
    passes: {
      'whole labels': { objects: [HTTPS, host('t1/h', { ...TLS, hostname: '*.a.com' })], secrets: ['t1/s'] },
      'every name': { objects: [HTTPS, host('t1/h', { ...TLS, hostname: '*' })], secrets: ['t1/s'] },
      'a Listener without TLS': { objects: [host('t1/h', { ...TLS, hostname: 'a.*' })], secrets: ['t1/s'] },
      'a Host without TLS': [HTTPS, host('t1/h', { hostname: 'a.*' })],
    },
  },
  EM00B: {
    flags: {
      'the path of a request': {
        objects: [mapping('t1/m', { add_request_headers: { ':path': { value: '/' } } })],
        finds: { object: 'Mapping t1/m', severity: 'error', impact: 'freeze', says: /add_request_headers\.:path/ },
      },
      'the host, in capital letters': [mapping('t1/m', { add_request_headers: { Host: { value: 'b.com' } } })],
      'a status that is removed': [mapping('t1/m', { remove_response_headers: [':status'] })],
      'a single percent sign': {
        objects: [mapping('t1/m', { add_response_headers: { 'x-share': { value: '50%' } } })],
        finds: { says: /add_response_headers\.x-share/ },
      },
      'a command without an end': [mapping('t1/m', { add_request_headers: { 'x-a': { value: '%REQ(x-b)' } } })],
      'a command in small letters': [mapping('t1/m', { add_request_headers: { 'x-a': { value: '%req(x-b)%' } } })],
      'minutes for a cookie': {
        objects: [
          mapping('t1/m', {
            resolver: 'endpoint',
            load_balancer: { policy: 'ring_hash', cookie: { name: 'c', ttl: '10m' } },
          }),
        ],
        finds: { says: /load_balancer\.cookie\.ttl/ },
      },
      'milliseconds for a try': [mapping('t1/m', { retry_policy: { retry_on: '5xx', per_try_timeout: '500ms' } })],
      'minutes for a try, in the Module': [
        object('Module', 'emissary/ambassador', {
          config: { retry_policy: { retry_on: '5xx', per_try_timeout: '1m' } },
        }),
      ],
      'a header of all Mappings': {
        objects: [
          object('Module', 'emissary/ambassador', {
            config: { defaults: { httpmapping: { add_request_headers: { 'x-share': { value: '50%' } } } } },
          }),
        ],
        finds: { object: 'Module emissary/ambassador', says: /add_request_headers\.x-share/ },
      },
      'minutes for a health check': {
        objects: [
          mapping('t1/m', {
            resolver: 'endpoint',
            health_checks: [{ interval: '1m', health_check: { http: { path: '/' } } }],
          }),
        ],
        finds: { says: /health_checks\.0\.interval/ },
      },
      'an upgrade twice': [mapping('t1/m', { allow_upgrade: ['websocket', 'WebSocket'] })],
      'an upgrade by both ways': [mapping('t1/m', { allow_upgrade: ['WebSocket'], use_websocket: true })],
      'a priority that is none': [mapping('t1/m', { priority: 'urgent' })],
      'two rewrites of the host': [mapping('t1/m', { host_rewrite: 'b.com', auto_host_rewrite: false })],
      'an address that is a name': {
        objects: [object('TCPMapping', 't1/m', { port: 9000, address: 'localhost', service: 'db' })],
        finds: { object: 'TCPMapping t1/m', says: /no IP address/ },
      },
    },
    passes: {
      'what Envoy takes': [
        mapping('t1/m', {
          add_request_headers: {
            'x-a': { value: '100%% of %REQ(x-b):10%, %START_TIME(%s.%3f)%' },
            hosts: { value: '' },
          },
          remove_request_headers: ['x-host'],
          retry_policy: { retry_on: '5xx', per_try_timeout: '0.5s' },
          allow_upgrade: ['websocket', 'spdy/3.1'],
          use_websocket: true,
          priority: 'High',
          auto_host_rewrite: true,
        }),
        object('TCPMapping', 't1/t', { port: 9000, address: '::1', service: 'db' }),
        object('TCPMapping', 't1/u', { port: 9000, address: '', service: 'db' }),
      ],
      'a redirect, which brings none of it to Envoy': [
        mapping('t1/m', { host_redirect: true, add_request_headers: { ':path': { value: '%' } }, priority: 'urgent' }),
      ],
      'a health check that Emissary leaves out': [
        mapping('t1/m', { health_checks: [{ interval: '1m', health_check: { http: { path: '/' } } }] }),
      ],
      'another Module': [object('Module', 'emissary/tls', { config: { retry_policy: { per_try_timeout: '1m' } } })],
      'a shadow': [mapping('t1/m', { shadow: true, priority: 'urgent' })],
    },
  },
};
