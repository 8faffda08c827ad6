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

test('headers and parameters in another order are the same route: a canary', () => {
  for (const field of ['headers', 'regex_headers', 'query_parameters', 'regex_query_parameters']) {
    const [stable, canary] = [{ [field]: { a: '1', b: '2' } }, { [field]: { b: '2', a: '1' }, weight: 10 }];
    assert.deepEqual(membersOf({ canary, stable }), [['canary', 'stable']], field);
  }
});
