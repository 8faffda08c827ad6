import { mapping, object, type RuleCases, service } from './case.ts';

export const OPTION_CASES: Record<string, RuleCases> = {
  EM048: {
    flags: {
      'a load balancer with the service resolver': {
        objects: [mapping('t1/m', { load_balancer: { policy: 'round_robin' } })],
        finds: { object: 'Mapping t1/m', severity: 'error', impact: 'drop' },
      },
      'an unknown resolver': {
        objects: [mapping('t1/m', { resolver: 'nope' })],
        finds: { says: /no resolver "nope"/ },
      },
      'ring_hash by nothing': [mapping('t1/m', { resolver: 'endpoint', load_balancer: { policy: 'ring_hash' } })],
      'round_robin by a header': [
        mapping('t1/m', { resolver: 'endpoint', load_balancer: { policy: 'round_robin', header: 'x' } }),
      ],
      'ring_hash by two things': [
        mapping('t1/m', { resolver: 'endpoint', load_balancer: { policy: 'ring_hash', header: 'x', source_ip: true } }),
      ],
      'a dot with Consul': [mapping('t1/m', { resolver: 'consul', service: 'svc.t1' })],
      'an unknown resolver of a TCPMapping': [
        object('TCPMapping', 't1/t', { port: 9000, service: 'db', resolver: 'nope' }),
      ],
    },
    passes: {
      'round_robin with endpoints': [
        mapping('t1/m', { resolver: 'endpoint', load_balancer: { policy: 'round_robin' } }),
      ],
      'ring_hash by a cookie': [
        mapping('t1/m', { resolver: 'endpoint', load_balancer: { policy: 'ring_hash', cookie: { name: 'c' } } }),
      ],
      'a declared resolver': [
        object('KubernetesEndpointResolver', 't1/mine'),
        mapping('t1/m', { resolver: 'mine', load_balancer: { policy: 'least_request' } }),
      ],
      'the resolver of the Module': [
        object('Module', 'emissary/ambassador', { config: { resolver: 'endpoint' } }),
        mapping('t1/m', { load_balancer: { policy: 'round_robin' } }),
      ],
      neither: [mapping('t1/m')],
    },
  },
  EM049: {
    flags: {
      outlier_detection: {
        objects: [mapping('t1/m', { outlier_detection: {} })],
        finds: { object: 'Mapping t1/m', severity: 'error', impact: 'drop' },
      },
      'error_response_overrides in version 4': [
        mapping('t1/m', { error_response_overrides: [{ on_status_code: 404, body: { text_format: 'x' } }] }),
      ],
    },
    passes: {
      'error_response_overrides in version 3': {
        objects: [mapping('t1/m', { error_response_overrides: [{ on_status_code: 404, body: { text_format: 'x' } }] })],
        settings: { version: '3.9.1' },
      },
      neither: [mapping('t1/m')],
    },
  },
  EM050: {
    flags: {
      'a retry policy without retry_on': {
        objects: [mapping('t1/m', { retry_policy: { num_retries: 3 } })],
        finds: { object: 'Mapping t1/m', severity: 'error', impact: 'drop' },
      },
      'an unknown retry_on': [mapping('t1/m', { retry_policy: { retry_on: 'bogus' } })],
      'a circuit breaker of another priority': [mapping('t1/m', { circuit_breakers: [{ priority: 'low' }] })],
      'a limit that is no number': [mapping('t1/m', { circuit_breakers: [{ max_connections: 'x' }] })],
      'a redirect code that is none': {
        objects: [mapping('t1/m', { host_redirect: true, service: 'b.com', redirect_response_code: 309 })],
        finds: { severity: 'warning', impact: 'no-effect' },
      },
      'a label group with two keys': [
        mapping('t1/m', { labels: { ambassador: [{ a: [{ generic_key: { value: 'x' } }], b: [] }] } }),
      ],
    },
    passes: {
      'retry on 5xx': [mapping('t1/m', { retry_policy: { retry_on: '5xx', num_retries: 3 } })],
      'a circuit breaker': [mapping('t1/m', { circuit_breakers: [{ priority: 'HIGH', max_connections: 10n }] })],
      'a redirect code': [mapping('t1/m', { host_redirect: true, service: 'b.com', redirect_response_code: 308n })],
      'a label group': [mapping('t1/m', { labels: { ambassador: [{ a: [{ generic_key: { value: 'x' } }] }] } })],
    },
  },
  EM055: {
    flags: {
      'a variable in a header': {
        objects: [mapping('t1/m', { add_request_headers: { x: { value: '${AWS_SECRET}' } } })],
        finds: { object: 'Mapping t1/m', severity: 'warning', says: /\$AWS_SECRET/ },
      },
      'a variable in what a Mapping takes: an empty one makes it the path of somebody else': {
        objects: [mapping('t1/m', { prefix: '/cart/${EMPTY}' })],
        finds: { object: 'Mapping t1/m', severity: 'error' },
      },
      'a variable without braces': [mapping('t1/m', { rewrite: '/a/$HOME/b' })],
      'a variable that Emissary has, without its value': {
        objects: [mapping('t1/m', { rewrite: '/$TOKEN' })],
        settings: { environment: { TOKEN: 'hunter2' } },
        finds: { says: /^(?!.*hunter2)/ },
      },
      'a variable in the name of a field': [mapping('t1/m', { headers: { $NAME: 'x' } })],
      'a variable in an annotation': [
        service(
          't1/svc',
          'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: m\nhostname: a.com\nprefix: /$X/\nservice: svc\n',
        ),
      ],
    },
    passes: {
      'the end of a regular expression': [mapping('t1/m', { prefix: '^/foo$', prefix_regex: true })],
      'an alternative after it': [mapping('t1/m', { prefix: '^/a$|^/b$', prefix_regex: true })],
      'a price': [mapping('t1/m', { add_request_headers: { x: { value: 'US$ 5, $5' } } })],
      'the character by itself': [mapping('t1/m', { prefix: '/[$]NAME/', prefix_regex: true })],
    },
  },
  EM056: {
    flags: {
      'path_redirect without host_redirect': {
        objects: [mapping('t1/m', { path_redirect: '/q' })],
        finds: { object: 'Mapping t1/m', severity: 'warning', says: /nothing is redirected/ },
      },
      'path_redirect and prefix_redirect': {
        objects: [
          mapping('t1/m', { service: 'b.com', host_redirect: true, path_redirect: '/q', prefix_redirect: '/r' }),
        ],
        finds: { says: /path_redirect holds/ },
      },
      'rewrite and regex_rewrite': [
        mapping('t1/m', { rewrite: '/a/', regex_rewrite: { pattern: '/x/', substitution: '/y/' } }),
      ],
    },
    passes: {
      'path_redirect with host_redirect': [
        mapping('t1/m', { service: 'b.com', host_redirect: true, path_redirect: '/q' }),
      ],
      'regex_rewrite alone': [mapping('t1/m', { regex_rewrite: { pattern: '/x/', substitution: '/y/' } })],
      'the default rewrite': [
        mapping('t1/m', { rewrite: '/', regex_rewrite: { pattern: '/x/', substitution: '/y/' } }),
      ],
    },
  },
};
