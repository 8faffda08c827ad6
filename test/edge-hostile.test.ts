// Whatever stands at a field of a policy, it is compiled and judged. Each value at each field here, alone; combinations of them
// anywhere in whole edges are what `npm run fuzz -- edge` tries.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_EDGE_SETTINGS } from '../src/edge/input.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { judgeEdge } from './fuzz/document-targets.ts';
import { HOSTILE_VALUES } from './fuzz/mutate.ts';

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Mapping: [
    'prefix',
    'service',
    'hostname',
    'host',
    'host_regex',
    'headers',
    'regex_headers',
    'method',
    'query_parameters',
    'precedence',
    'weight',
    'tls',
    'resolver',
    'circuit_breakers',
    'load_balancer',
    'retry_policy',
    'cors',
    'labels',
    'host_redirect',
    'path_redirect',
    'shadow',
    'cluster_tag',
    'stats_name',
    'connect_timeout_ms',
    'ambassador_id',
    'add_request_headers',
    'redirect_response_code',
    'regex_redirect',
    'keepalive',
    'rewrite',
    'regex_rewrite',
  ],
  TCPMapping: ['port', 'service', 'host', 'address', 'weight', 'tls', 'circuit_breakers', 'resolver'],
  Host: ['hostname', 'tlsSecret', 'tls', 'tlsContext', 'mappingSelector', 'selector', 'requestPolicy', 'ambassador_id'],
  Listener: ['port', 'protocol', 'protocolStack', 'securityModel', 'hostBinding', 'statsPrefix', 'l7Depth'],
  TLSContext: [
    'hosts',
    'secret',
    'ca_secret',
    'alpn_protocols',
    'min_tls_version',
    'redirect_cleartext_from',
    'cipher_suites',
  ],
  Module: ['config', 'ambassador_id'],
  AuthService: ['auth_service', 'proto', 'tls', 'circuit_breakers', 'stats_name', 'timeout_ms', 'include_body'],
  RateLimitService: ['service', 'protocol_version', 'tls', 'domain'],
  LogService: ['service', 'protocol_version', 'driver', 'driver_config'],
  TracingService: ['service', 'driver', 'config'],
  ConsulResolver: ['datacenter'],
};
/** Numbers that no JSON holds reach policies by YAML. */
const VALUES: readonly unknown[] = [...HOSTILE_VALUES, 2n ** 63n, NaN];

const MODULE_FIELDS = [
  'circuit_breakers',
  'load_balancer',
  'cors',
  'retry_policy',
  'ip_allow',
  'ip_deny',
  'keepalive',
  'gzip',
  'buffer',
  'diagnostics',
  'liveness_probe',
  'defaults',
  'default_labels',
  'resolver',
  'envoy_log_type',
  'envoy_log_format',
  'cluster_request_timeout_ms',
  'listener_idle_timeout_ms',
  'set_current_client_cert_details',
  'grpc_stats',
  'regex_max_size',
  'header_case_overrides',
  'proper_case',
  'envoy_validation_timeout',
  'add_linkerd_headers',
];

const GOOD: Readonly<Record<string, Record<string, unknown>>> = {
  Mapping: { hostname: '*', prefix: '/x/', service: 's' },
  TCPMapping: { port: 9000, service: 's' },
  Host: { hostname: '*' },
  Listener: { port: 8080, protocol: 'HTTP', securityModel: 'XFP', hostBinding: { namespace: { from: 'ALL' } } },
  AuthService: { auth_service: 'a' },
  RateLimitService: { service: 'r', protocol_version: 'v3' },
  LogService: { service: 'l', protocol_version: 'v3', driver: 'tcp', driver_config: {} },
  TracingService: { service: 't', driver: 'zipkin' },
};

function object(kind: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace: 't1' }, spec };
}

function judge(...objects: KubeObject[]): void {
  const others = ['Mapping', 'Host', 'Listener'].map((kind) => object(kind, `good-${kind.toLowerCase()}`, GOOD[kind]));
  const all = [...others, ...objects].map((one) => ({ object: one, origin: {} }));
  judgeEdge({ objects: all, secret: () => undefined, settings: DEFAULT_EDGE_SETTINGS });
}

test('any value at any field is judged, never thrown at', () => {
  for (const [kind, fields] of Object.entries(FIELDS)) {
    for (const field of fields) {
      for (const value of VALUES) {
        assert.doesNotThrow(() => judge(object(kind, 'm', { ...GOOD[kind], [field]: value })), `${kind}.${field}`);
      }
    }
  }
  for (const field of MODULE_FIELDS) {
    for (const value of VALUES) {
      assert.doesNotThrow(
        () => judge(object('Module', 'ambassador', { config: { [field]: value } })),
        `Module ${field}`,
      );
    }
  }
  for (const value of VALUES) assert.doesNotThrow(() => judge(object('Mapping', 'm', value)), 'spec');
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
