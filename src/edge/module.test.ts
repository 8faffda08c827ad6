import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';
import type { Edge } from './model.ts';
import type { KubeObject } from '../kube/object.ts';

function object(kind: string, name: string, spec: unknown, namespace = 't1'): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace }, spec };
}

const HTTP = { port: 8080, protocol: 'HTTP', securityModel: 'XFP', hostBinding: { namespace: { from: 'ALL' } } };
const SERVED = [
  object('Listener', 'l', HTTP),
  object('Host', 'h', { hostname: 'a.com' }),
  object('Mapping', 'm', { hostname: 'a.com', prefix: '/x/', service: 's' }),
];

function compiled(...objects: KubeObject[]): Edge {
  const edgeObjects = [...SERVED, ...objects].map((one) => ({ object: one, origin: {} }));
  return compileEdge({ objects: edgeObjects, secret: () => undefined, settings: DEFAULT_EDGE_SETTINGS });
}

function filterNames(edge: Edge): string[] {
  return edge.listeners.flatMap(({ httpFilters }) =>
    httpFilters.map(({ name }) => name.replace('envoy.filters.http.', '')),
  );
}

// [spec.config, the stage at which the compiler raises, keys of what is posted, filters]
const MODULES: [config: unknown, freeze: string | undefined, errors: string[], filters: string[]][] = [
  [{}, undefined, [], []],
  [undefined, 'load', [], []],
  ['x', 'load', [], []],
  [{ gzip: {}, buffer: { max_request_bytes: 5 } }, undefined, [], ['gzip', 'buffer']],
  [{ buffer: {}, ip_allow: [{ peer: '10.0.0.1' }] }, undefined, ['ir.buffer'], []],
  [{ ip_allow: [{ peer: '10.0.0.0/8' }] }, undefined, [], ['rbac']],
  [{ ip_allow: [{ peer: '10.0.0.0/33' }] }, undefined, ['ambassador.t1.1'], []],
  [{ ip_allow: [{ peer: '10.0.0.1' }], ip_deny: [{ remote: '::1' }] }, undefined, ['ambassador.t1.1'], ['rbac']],
  [{ ip_allow: [] }, undefined, [], []],
  [{ ip_allow: '10.0.0.1' }, 'ir', [], []],
  [{ retry_policy: { retry_on: 'no' } }, undefined, ['ir.retrypolicy'], []],
  [{ envoy_log_type: 'json', envoy_log_format: 'x' }, undefined, ['ambassador.t1.1'], []],
  [{ load_balancer: { policy: 'no' } }, undefined, ['ambassador.t1.1'], []],
  [{ load_balancer: 'x' }, 'ir', [], []],
  [{ cors: { origins: 5 } }, 'ir', [], []],
  [{ load_balancer: { policy: 'ring_hash', cookie: {} } }, 'ir', ['ambassador.t1.1'], []],
  [{ load_balancer: { policy: 'ring_hash', header: 5 } }, 'ir', [], []],
  [{ envoy_validation_timeout: null }, 'ir', [], []],
  [{ envoy_validation_timeout: 'x' }, undefined, ['ambassador.t1.1'], []],
  [{ resolver: ['endpoint'] }, 'ir', [], []],
  [{ resolver: 5 }, undefined, ['m.t1.1', 'ambassador.t1.1', 'ambassador.t1.1', 'ambassador.t1.1'], []],
  [{ diagnostics: true }, 'ir', [], []],
  [{ diagnostics: { enabled: true, timeout_ms: 5 } }, 'ir', [], []],
  [{ liveness_probe: { enabled: true, hostname: 'a.com' } }, 'ir', [], []],
  [{ liveness_probe: { enabled: false, hostname: 'a.com' } }, undefined, [], []],
  [{ keepalive: 'x' }, 'envoy', [], []],
  [{ runtime_flags: 'x' }, 'envoy', [], []],
  [{ runtime_flags: {} }, undefined, [], []],
  [{ listener_idle_timeout_ms: 'x' }, 'envoy', [], []],
  [{ cluster_request_timeout_ms: 'x' }, 'envoy', [], []],
];

void test('what a Module does to the compiler', () => {
  for (const [config, freeze, errors, filters] of MODULES) {
    const edge = compiled(object('Module', 'ambassador', { config }));
    const what = JSON.stringify(config);
    assert.equal(edge.freeze?.stage, freeze, what);
    assert.deepEqual(
      edge.errors.map(({ key }) => key),
      errors,
      what,
    );
    if (!freeze) assert.deepEqual(filterNames(edge), filters, what);
  }
});

void test('max_request_time of the buffer is told', () => {
  const buffer = { max_request_bytes: 5, max_request_time: 5 };
  const { notices } = compiled(object('Module', 'ambassador', { config: { buffer } }));
  assert.ok(notices.some(({ key }) => key === 'ir.buffer'));
});

void test('labels are completed by defaults for redirects too, and two in one entry are told', () => {
  const defaults = { default_labels: { ambassador: { defaults: [{ generic_key: { value: 'x' } }] } } };
  const labels = { ambassador: [{ a: [], b: [] }] };
  const route = { hostname: 'a.com', prefix: '/r/', service: 'b.com', labels };
  for (const kind of [{}, { host_redirect: true }, { shadow: true }]) {
    const edge = compiled(
      object('Module', 'ambassador', { config: defaults }),
      object('Mapping', 'r', { ...route, ...kind }),
    );
    assert.deepEqual(
      edge.errors.map(({ key }) => key),
      ['r.t1.1'],
      JSON.stringify(kind),
    );
  }
});

void test('a LogService without a usable address ends the compiler without an HTTP Listener too', () => {
  const log = object('LogService', 'l', { ...LOG, service: 'l:x' });
  const edge = compileEdge({
    objects: [{ object: log, origin: {} }],
    secret: () => undefined,
    settings: DEFAULT_EDGE_SETTINGS,
  });
  assert.equal(edge.freeze?.stage, 'envoy');
});

void test('wrong circuit breakers of the Module drop every Mapping without its own', () => {
  const edge = compiled(object('Module', 'ambassador', { config: { circuit_breakers: [{ max_connections: 'x' }] } }));
  assert.deepEqual(edge.groups, []);
});

void test('of two Modules the first namespace counts', () => {
  const edge = compiled(
    object('Module', 'ambassador', { config: { diagnostics: { enabled: false } } }, 'b'),
    object('Module', 'ambassador', { config: {} }, 'a'),
  );
  const internal = edge.groups.filter((group) => group.internal).map(({ path }) => path.value);
  assert.deepEqual(internal, ['/ambassador/v0/check_alive', '/ambassador/v0/check_ready', '/ambassador/v0/']);
  assert.deepEqual(
    edge.drops.map(({ policy, reason }) => [policy.namespace, reason]),
    [['b', 'duplicate']],
  );
});

const AUTH = object('AuthService', 'a', { auth_service: 'a:80' });
/** Of Emissary's own Mappings, each of which is dropped. */
const PROBES = ['ambassador.t1.1', 'ambassador.t1.1', 'ambassador.t1.1'];
const TRACING = object('TracingService', 'g', { service: 't', driver: 'zipkin' });
const RATE_LIMIT = { service: 'r', protocol_version: 'v3' };
const LOG = { service: 'l', protocol_version: 'v3', driver: 'tcp', driver_config: {} };

// [objects, the stage at which the compiler raises, keys of what is posted, filters]
const SERVICES: [objects: KubeObject[], freeze: string | undefined, errors: string[], filters: string[]][] = [
  [[object('AuthService', 'a', { auth_service: 'a:80' })], undefined, [], ['ext_authz']],
  [[object('AuthService', 'a', { auth_service: 'a:80', proto: 'grpc' })], undefined, ['a.t1.1'], ['lua']],
  [[object('AuthService', 'a', { auth_service: 'a:x' })], 'envoy', ['cluster_extauth_a_x_t1'], []],
  [
    [object('AuthService', 'a', { auth_service: 'a:80' }), object('AuthService', 'b', { auth_service: 'https://b' })],
    'envoy',
    ['cluster_extauth_a_80_t1', 'a.t1.1'],
    [],
  ],
  [
    [object('AuthService', 'a', { auth_service: 'a:80' }), object('AuthService', 'b', { auth_service: 'b:80' })],
    undefined,
    [],
    ['ext_authz'],
  ],
  // Those of the Module are checked up to the first wrong one, and used all the same.
  [
    [AUTH, object('Module', 'ambassador', { config: { circuit_breakers: [{ max_retries: 1 }, { priority: 'low' }] } })],
    undefined,
    ['ambassador.t1.1', 'm.t1.1', ...PROBES, 'cluster_extauth_a_80_t1_cbnt1_cbu0'],
    ['ext_authz'],
  ],
  [
    [AUTH, object('Module', 'ambassador', { config: { circuit_breakers: [{ max_connections: 'x' }] } })],
    'envoy',
    ['ambassador.t1.1', 'm.t1.1', ...PROBES, 'cluster_extauth_a_80_t1_cbu0'],
    [],
  ],
  [
    [AUTH, object('Module', 'ambassador', { config: { circuit_breakers: 'x' } })],
    'ir',
    ['ambassador.t1.1', 'm.t1.1', ...PROBES],
    [],
  ],
  // Who comes after one that is of no use begins anew.
  [
    [object('AuthService', 'a', { auth_service: 'a:x' }), object('AuthService', 'b', { auth_service: 'b:80' })],
    undefined,
    ['cluster_extauth_a_x_t1'],
    ['ext_authz'],
  ],
  [
    [object('AuthService', 'a', { auth_service: 'a:80' }), object('AuthService', 'b', { auth_service: 'b:x' })],
    'ir',
    ['cluster_extauth_b_x_t1'],
    [],
  ],
  [
    [
      object('AuthService', 'a', { auth_service: 'a:80' }),
      object('AuthService', 'b', { auth_service: 'https://b' }),
      object('AuthService', 'c', { auth_service: 'c:80' }),
    ],
    undefined,
    ['cluster_extauth_a_80_t1', 'a.t1.1'],
    ['lua'],
  ],
  [[object('RateLimitService', 'r', { service: 'r', protocol_version: 'v3' })], undefined, [], ['ratelimit']],
  [[object('RateLimitService', 'r', { service: 'r' })], undefined, ['ir.ratelimit'], []],
  [[object('LogService', 'l', { service: 'l' })], undefined, ['ir.logservice'], []],
  [[object('TracingService', 't', { service: 't', driver: 'lightstep' })], undefined, ['ir.tracing'], []],
  [[object('TracingService', 't', { service: 't:x', driver: 'zipkin' })], 'ir', ['cluster_tracing_t_x_t1'], []],
  [[object('TracingService', 't', { service: 't', driver: 'jaeger' })], 'envoy', [], []],
  // They are told apart by namespace and name alone.
  [[TRACING, object('RateLimitService', 'g', RATE_LIMIT)], 'ir', [], []],
  [[TRACING, object('LogService', 'g', LOG)], 'ir', [], []],
  [[TRACING, object('AuthService', 'g', { auth_service: 'a:80' })], 'ir', [], []],
  [[object('RateLimitService', 'g', RATE_LIMIT), object('LogService', 'g', LOG)], 'envoy', [], []],
  [
    [object('RateLimitService', 'g', RATE_LIMIT), object('AuthService', 'g', { auth_service: 'a:80' })],
    'envoy',
    [],
    [],
  ],
  [[object('LogService', 'g', LOG), object('AuthService', 'g', { auth_service: 'a:80' })], 'envoy', [], []],
  [
    [
      TRACING,
      object('RateLimitService', 'r', RATE_LIMIT),
      object('LogService', 'l', LOG),
      object('AuthService', 'g', { auth_service: 'a:80' }, 't2'),
    ],
    undefined,
    [],
    ['ext_authz', 'ratelimit'],
  ],
];

void test('what the services of all policies do to the compiler', () => {
  for (const [objects, freeze, errors, filters] of SERVICES) {
    const edge = compiled(...objects);
    const what = JSON.stringify(objects.map(({ spec }) => spec));
    assert.equal(edge.freeze?.stage, freeze, what);
    assert.deepEqual(
      edge.errors.map(({ key }) => key),
      errors,
      what,
    );
    if (!freeze) assert.deepEqual(filterNames(edge), filters, what);
  }
});
