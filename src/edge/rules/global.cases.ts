import { host, mapping, object, type RuleCases } from './case.ts';

const AUTH = object('AuthService', 'n1/auth', { auth_service: 'auth:3000' });
const LIMITS = { service: 'limits', protocol_version: 'v3', failure_mode_deny: true };

function module(config: object, namespace = 'emissary') {
  return object('Module', `${namespace}/ambassador`, { config });
}

export const GLOBAL_CASES: Record<string, RuleCases> = {
  EM080: {
    flags: {
      'no protocol_version': {
        objects: [object('RateLimitService', 't1/r', { service: 'limits:5000' })],
        finds: {
          object: 'RateLimitService t1/r',
          severity: 'error',
          impact: 'protection-lost',
          says: /nothing is limited/,
        },
      },
      v2: [object('RateLimitService', 't1/r', { ...LIMITS, protocol_version: 'v2' })],
      'two of them': {
        objects: [object('RateLimitService', 't1/r', LIMITS), object('RateLimitService', 't2/r', LIMITS)],
        finds: { object: 'RateLimitService t2/r', other: 'RateLimitService t1/r' },
        count: 2,
      },
    },
    passes: {
      'one, v3': [object('RateLimitService', 't1/r', LIMITS)],
      'two gateways': [
        object('RateLimitService', 't1/r', LIMITS),
        object('RateLimitService', 't2/r', { ...LIMITS, ambassador_id: ['blue'] }),
      ],
      none: [mapping('t1/m')],
      'no protocol_version in version 2': {
        objects: [object('RateLimitService', 't1/r', { service: 'limits:5000' })],
        settings: { version: '2.5.1' },
      },
    },
  },
  EM081: {
    flags: {
      'two of them': {
        objects: [AUTH, object('AuthService', 'n2/auth2', { auth_service: 'auth2', failure_mode_allow: true })],
        finds: {
          object: 'AuthService n2/auth2',
          other: 'AuthService n1/auth',
          severity: 'error',
          impact: 'protection-lost',
          says: /requests pass when n2\/auth2 does not answer/,
        },
        count: 2,
      },
    },
    passes: {
      'another ambassador_id': [
        AUTH,
        object('AuthService', 'n2/auth2', { auth_service: 'auth2', ambassador_id: ['blue'] }),
      ],
      one: [AUTH],
    },
  },
  EM082: {
    flags: {
      'gRPC without a version': {
        objects: [object('AuthService', 'n1/auth', { auth_service: 'auth', proto: 'grpc' })],
        finds: { object: 'AuthService n1/auth', severity: 'error', impact: 'outage' },
      },
      'gRPC v2': [object('AuthService', 'n1/auth', { auth_service: 'auth', proto: 'grpc', protocol_version: 'v2' })],
    },
    passes: {
      'gRPC v3': [object('AuthService', 'n1/auth', { auth_service: 'auth', proto: 'grpc', protocol_version: 'v3' })],
      http: [AUTH],
    },
  },
  EM083: {
    flags: {
      'two TracingServices': {
        objects: [
          object('TracingService', 't1/a', { service: 'a', driver: 'zipkin' }),
          object('TracingService', 't1/b', { service: 'b', driver: 'zipkin' }),
        ],
        finds: { object: 'TracingService t1/b', other: 'TracingService t1/a', severity: 'error' },
      },
      lightstep: [object('TracingService', 't1/a', { service: 'a', driver: 'lightstep' })],
      'a LogService without a version': {
        objects: [object('LogService', 't1/l', { service: 'logs', driver: 'http', driver_config: {} })],
        finds: { object: 'LogService t1/l', says: /nothing is logged/ },
      },
    },
    passes: {
      one: [object('TracingService', 't1/a', { service: 'a', driver: 'zipkin' })],
      'two LogServices, v3': [
        object('LogService', 't1/a', { service: 'a', driver: 'http', driver_config: {}, protocol_version: 'v3' }),
        object('LogService', 't1/b', { service: 'b', driver: 'http', driver_config: {}, protocol_version: 'v3' }),
      ],
    },
  },
  EM088: {
    flags: {
      'a path': {
        objects: [AUTH, mapping('t1/m', { bypass_auth: true })],
        finds: { object: 'Mapping t1/m', severity: 'warning', host: 'a.com', path: '/x/' },
      },
      everything: {
        objects: [AUTH, mapping('t1/m', { prefix: '/', bypass_auth: true })],
        finds: { severity: 'error' },
      },
      'everything, as a regular expression': {
        objects: [AUTH, mapping('t1/m', { prefix: '/.*', prefix_regex: true, bypass_auth: true })],
        finds: { severity: 'error' },
      },
      'a redirect that is denied': {
        objects: [AUTH, mapping('t1/m', { host_redirect: false })],
        finds: { object: 'Mapping t1/m', severity: 'warning', says: /writes `host_redirect: false`/ },
      },
      'what shares a route with it': {
        objects: [AUTH, mapping('t1/a', { weight: 10 }), mapping('t1/m', { host_redirect: false })],
        finds: { object: 'Mapping t1/a', says: /shares its route with `host_redirect: false`/ },
        count: 2,
      },
      'a redirect': {
        objects: [AUTH, mapping('t1/m', { host_redirect: true, service: 'b.com' })],
        finds: { object: 'Mapping t1/m', severity: 'info' },
      },
    },
    passes: {
      'a probe': [AUTH, mapping('t1/m', { prefix: '/healthz', bypass_auth: true })],
      'no AuthService': [mapping('t1/m', { bypass_auth: true }), mapping('t1/n', { host_redirect: false })],
      false: [AUTH, mapping('t1/m', { bypass_auth: false })],
      'an AuthService of another gateway': [
        object('AuthService', 'n1/auth', { auth_service: 'auth', ambassador_id: ['blue'] }),
        mapping('t1/m', { bypass_auth: true }),
      ],
    },
  },
  EM089: {
    flags: {
      'every origin with credentials': {
        objects: [mapping('t1/m', { cors: { origins: ['*'], credentials: true } })],
        finds: { object: 'Mapping t1/m', severity: 'warning' },
      },
      'in the Module': [module({ cors: { origins: ['https://a.com', '*'], credentials: true } })],
      'as text': [mapping('t1/m', { cors: { origins: 'https://a.com, *', credentials: true } })],
    },
    passes: {
      'origins by name': [mapping('t1/m', { cors: { origins: ['https://a.com'], credentials: true } })],
      'every origin without credentials': [mapping('t1/m', { cors: { origins: ['*'] } })],
    },
  },
  EM08A: {
    flags: {
      failure_mode_allow: {
        objects: [object('AuthService', 'n1/auth', { auth_service: 'auth', failure_mode_allow: true })],
        finds: { object: 'AuthService n1/auth', severity: 'warning' },
      },
      'no failure_mode_deny': [object('RateLimitService', 't1/r', { service: 'limits', protocol_version: 'v3' })],
    },
    passes: {
      neither: [AUTH, object('RateLimitService', 't1/r', LIMITS)],
    },
  },
};

export const MODULE_CASES: Record<string, RuleCases> = {
  EM084: {
    flags: {
      'two namespaces': {
        objects: [module({ use_remote_address: false }, 'n1'), module({ use_remote_address: true }, 'n2')],
        finds: { object: 'Module n2/ambassador', other: 'Module n1/ambassador', severity: 'error' },
        count: 1,
      },
    },
    passes: {
      'two gateways': [module({}, 'n1'), object('Module', 'n2/ambassador', { config: {}, ambassador_id: ['blue'] })],
      one: [module({})],
      'another name': [module({}), object('Module', 'n2/tls', { config: {} })],
    },
  },
  EM085: {
    flags: {
      'circuit breakers that are none': {
        objects: [module({ circuit_breakers: [{ max_connections: 'x' }] }), mapping('t1/m')],
        finds: { object: 'Module emissary/ambassador', severity: 'error', says: /circuit_breakers/ },
      },
      'a load balancer that is none': [module({ load_balancer: { policy: 'random' } })],
      'a log format of the wrong type': [module({ envoy_log_type: 'json', envoy_log_format: 'x' })],
      'a retry policy without retry_on': [module({ retry_policy: { num_retries: 3 } })],
      'an unknown resolver': {
        objects: [module({ resolver: 'nope' }), mapping('t1/m')],
        finds: { says: /every Mapping is dropped/ },
      },
      'a resolver that is no text': {
        objects: [module({ resolver: 5 }), mapping('t1/m')],
        finds: { says: /every Mapping is dropped/ },
      },
      'a wrong type that freezes the edge': {
        objects: [module({ cors: { origins: 5 } })],
        finds: { impact: 'freeze' },
      },
      'what Emissary 4 took out': {
        objects: [module({ error_response_overrides: [{ on_status_code: 404, body: { text_format: 'x' } }] })],
        finds: { severity: 'warning', says: /"error_response_overrides", which Emissary 4.1.0 ignores/ },
      },
      'a typo': {
        objects: [module({ diagnotics: { enabled: false } })],
        finds: { severity: 'warning', impact: 'no-effect', says: /"diagnotics"/ },
        count: 1,
      },
    },
    passes: {
      'circuit breakers': [module({ circuit_breakers: [{ max_connections: 10 }], diagnostics: { enabled: false } })],
      nothing: [module({})],
      'what Emissary 4 took out, before': {
        objects: [module({ error_response_overrides: [{ on_status_code: 404, body: { text_format: 'x' } }] })],
        settings: { version: '3.9.1' },
      },
      'an address list that is wrong': [module({ ip_allow: [{ peer: '1.2.3.4/33' }] })],
      'the wrong setting of a Module that is ignored': [module({}, 'n1'), module({ diagnotics: true }, 'n2')],
    },
  },
  EM086: {
    flags: {
      'an invalid range alone': {
        objects: [module({ ip_allow: [{ peer: '1.2.3.4/33' }] })],
        finds: {
          object: 'Module emissary/ambassador',
          severity: 'error',
          impact: 'protection-lost',
          says: /everybody is let in/,
        },
      },
      'an empty list': { objects: [module({ ip_allow: [] })], finds: { says: /it is empty: everybody is let in/ } },
      'an entry without an address': [module({ ip_allow: [{}] })],
      'one invalid entry among valid ones': {
        objects: [module({ ip_allow: [{ peer: '1.2.3.4' }, { peer: 'bad' }] })],
        finds: { says: /the entry is left out/ },
      },
      'another kind': [module({ ip_allow: [{ source: '1.2.3.4' }] })],
      'two entries in one': [module({ ip_allow: [{ peer: '1.2.3.4', remote: '1.2.3.5' }] })],
      'a deny list that denies nobody': {
        objects: [module({ ip_deny: [{ peer: 'bad' }] })],
        finds: { says: /nobody is kept out/ },
      },
      'both lists': {
        objects: [module({ ip_allow: [{ peer: '1.2.3.4' }], ip_deny: [{ peer: '1.2.3.5' }] })],
        finds: { says: /ip_deny is ignored/ },
      },
    },
    passes: {
      'a range': [module({ ip_allow: [{ peer: '1.2.3.0/24' }, { remote: '2001:db8::/32' }] })],
      'an empty deny list': [module({ ip_deny: [] })],
      'no list': [module({})],
    },
  },
  EM087: {
    flags: {
      'no Module': {
        objects: [host('t1/h1')],
        finds: { object: 'Module emissary/ambassador', severity: 'warning', path: '/ambassador/v0/' },
      },
      'a Module that says nothing of it': [module({})],
      'a Module that says yes': [module({ diagnostics: { enabled: true, allow_non_local: false } })],
    },
    passes: {
      off: [module({ diagnostics: { enabled: false, allow_non_local: true } })],
      'nothing that serves': { objects: [mapping('t1/m')], bare: true },
    },
  },
};
