import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from './compile.ts';
import { handedOver } from './handed-over.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';
import type { Spec } from './model.ts';

// Go's `omitempty` in pkg/api/getambassador.io/v3alpha1.
const HANDED_OVER: Record<string, [written: Spec, read: Spec]> = {
  'a list of ids with nothing in it, so the object is for the gateway `default`': [
    { ambassador_id: [], prefix: '/' },
    { prefix: '/' },
  ],
  'empty texts': [{ host: '', hostname: '', method: '', tls: '', path_redirect: '', secret: '' }, {}],
  'an empty rewrite, which means no rewriting': [{ rewrite: '' }, { rewrite: '' }],
  'lists that the type tells from none': [
    { remove_request_headers: [], circuit_breakers: [], hosts: [] },
    { remove_request_headers: [] },
  ],
  'maps with nothing in them': [
    { headers: {}, labels: {}, cors: {}, add_request_headers: {} },
    { cors: {}, add_request_headers: {} },
  ],
  'empty texts in maps': [{ headers: { 'x-a': '' } }, { headers: { 'x-a': '' } }],
  'what a Host says of TLS': [
    { tls: { min_tls_version: '', ca_secret: '', cipher_suites: [], cert_required: false } },
    { tls: { cert_required: false } },
  ],
  'a selector that selects nothing': [
    { mappingSelector: { matchLabels: {}, matchExpressions: [] } },
    { mappingSelector: {} },
  ],
  'a selector in a binding': [
    { hostBinding: { namespace: { from: 'ALL' }, selector: { matchLabels: {} } } },
    { hostBinding: { namespace: { from: 'ALL' }, selector: {} } },
  ],
  'a header to add with an empty value': [
    { add_request_headers: { 'x-a': { value: '', append: false }, 'x-b': { value: 'b' } } },
    { add_request_headers: { 'x-a': { append: false }, 'x-b': { value: 'b' } } },
  ],
  'the same in a health check': [
    { health_checks: [{ health_check: { http: { add_request_headers: { 'x-a': { value: '' } } } } }] },
    { health_checks: [{ health_check: { http: { add_request_headers: { 'x-a': {} } } } }] },
  ],
  'a cookie without a name': [
    { load_balancer: { policy: 'ring_hash', cookie: { name: '' } } },
    { load_balancer: { policy: 'ring_hash', cookie: {} } },
  ],
  'numbers and booleans': [
    { weight: 0, prefix_exact: false },
    { weight: 0, prefix_exact: false },
  ],
};

for (const [what, [written, read]] of Object.entries(HANDED_OVER)) {
  test(`the watcher hands over: ${what}`, () => assert.deepEqual(handedOver('any', written), read));
}

test('what stays as it is, is the same object', () => {
  const spec = { prefix: '/', headers: { 'x-a': '1', 'x-b': '2' }, tls: 'c', cors: {}, rewrite: '' };
  assert.equal(handedOver('Mapping', spec), spec);
});

const ROUTE = { hostname: 'a.com', prefix: '/x/' };

/** The members of each group that policies come to. */
function membersOf(policies: Record<string, Spec>): string[][] {
  const objects = Object.entries(policies).map(([name, spec]) => ({
    object: {
      apiVersion: 'getambassador.io/v3alpha1',
      kind: 'Mapping',
      metadata: { name, namespace: 't1' },
      spec: { ...ROUTE, service: name, ...spec },
    },
    origin: {},
  }));
  const { groups } = compileEdge({ objects, secret: () => undefined, settings: DEFAULT_EDGE_SETTINGS });
  return groups.filter(({ internal }) => !internal).map(({ members }) => members.map(({ policy }) => policy.name));
}

test('a Mapping whose list of ids is empty counts where the gateway is called default', () => {
  assert.deepEqual(membersOf({ theirs: {}, thief: { ambassador_id: [] } }), [['theirs', 'thief']]);
});

test('a field that the watcher does not know is not there: it cannot keep a Mapping in an annotation from the gateway', () => {
  const config =
    'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: thief\nhostname: a.com\nprefix: /x/\nservice: s\n';
  const metadata = {
    name: 's',
    namespace: 't2',
    annotations: { 'getambassador.io/config': `${config}ambassadorId: [nobody]\n` },
  };
  const service = { object: { apiVersion: 'v1', kind: 'Service', metadata }, origin: {} };
  const { drops, groups } = compileEdge({
    objects: [service],
    secret: () => undefined,
    settings: DEFAULT_EDGE_SETTINGS,
  });
  assert.deepEqual(
    drops.filter(({ reason }) => reason === 'not-ours'),
    [],
  );
  assert.ok(groups.some(({ members }) => members.some(({ policy }) => policy.name === 'thief')));
});

test('nor can one within a field: what Emissary serves is not taken for dropped', () => {
  for (const fields of [
    'resolver: endpoint\nload_balancer: {policy: ring_hash, header: x-a, junk: 1}\n',
    'circuit_breakers: [{priority: high, junk: 1}]\n',
    'keepalive: {idle_time: 5, junk: 1}\n',
  ]) {
    const config =
      'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: thief\nhostname: a.com\nprefix: /x/\nservice: s\n';
    const plain = fields.replace(', junk: 1', '');
    const services = [plain, fields].map((more, at) => {
      const annotations = { 'getambassador.io/config': `${config}${more}` };
      const metadata = { name: 's', namespace: `t${at}`, annotations };
      return { object: { apiVersion: 'v1', kind: 'Service', metadata }, origin: {} };
    });
    const { drops } = compileEdge({
      objects: services,
      secret: () => undefined,
      settings: DEFAULT_EDGE_SETTINGS,
    });
    assert.deepEqual(
      drops.filter(({ reason }) => reason !== 'unattached'),
      [],
      fields,
    );
  }
});

test('what the type has no field for is gone, at any depth; what may hold anything stays as it is', () => {
  const read = handedOver('Mapping', {
    keepalive: { idle_time: 5, time: 6 },
    circuit_breakers: [{ max_retries: 1, junk: 2 }],
    cors: { origins: ['a'], junk: {} },
    labels: { ambassador: [{ g: [{ generic_key: { value: 'v', junk: 1 } }] }] },
    envoy_override: { any: { thing: [] } },
  });
  assert.deepEqual(read, {
    keepalive: { idle_time: 5 },
    circuit_breakers: [{ max_retries: 1 }],
    cors: { origins: ['a'] },
    labels: { ambassador: [{ g: [{ generic_key: { value: 'v' } }] }] },
    envoy_override: { any: { thing: [] } },
  });
  // A Host has no such names in v3alpha1: only the compiler knows them.
  assert.deepEqual(handedOver('Host', { tls: { caSecret: 'ca', sni: 'a' } }), { tls: { sni: 'a' } });
  const config = { anything: { at: { all: [] } } };
  assert.deepEqual(handedOver('Module', { config }), { config });
});

test('headers and parameters in another order are the same route: a canary', () => {
  for (const field of ['headers', 'regex_headers', 'query_parameters', 'regex_query_parameters']) {
    const [stable, canary] = [{ [field]: { a: '1', b: '2' } }, { [field]: { b: '2', a: '1' }, weight: 10 }];
    assert.deepEqual(membersOf({ canary, stable }), [['canary', 'stable']], field);
  }
});
