import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from './input.ts';

function object(apiVersion: string, kind: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: `getambassador.io/${apiVersion}`, kind, metadata: { name, namespace: 't1' }, spec };
}

// [fields of a Mapping, defaults of the Module, at whose door the compiler's failure is laid]
const HEADERS: [fields: object, defaults: object, blamed: string | undefined][] = [
  [{ add_request_headers: { 'x-a': { value: 'v' } } }, {}, undefined],
  // The watcher leaves the empty text out.
  [{ add_request_headers: { 'x-a': { value: '' } } }, {}, 'Mapping'],
  [{ add_response_headers: { 'x-a': { value: '', append: false } } }, {}, 'Mapping'],
  [{ add_request_headers: { 'x-a': { append: true } } }, {}, 'Mapping'],
  [{ add_request_headers: { 'x-a': { value: 'v' }, 'x-b': {} } }, {}, 'Mapping'],
  [{ add_response_headers: { 'x-a': {} } }, {}, 'Mapping'],
  [{ add_response_headers: { 'x-a': {} }, host_redirect: true }, {}, undefined],
  [{ add_response_headers: { 'x-a': {} }, resolver: 'nope' }, {}, undefined],
  [{}, { add_request_headers: { 'x-a': {} } }, 'Module'],
  [{}, { add_request_headers: { 'x-a': 'v' } }, undefined],
];

void test('a header that is added without a value ends the compiler', () => {
  for (const [fields, defaults, blamed] of HEADERS) {
    const objects = [
      object('v3alpha1', 'Mapping', 'm', { hostname: 'a.com', prefix: '/x/', service: 's', ...fields }),
      object('v3alpha1', 'Module', 'ambassador', { config: { defaults } }),
    ].map((one) => ({ object: one, origin: {} }));
    const { freeze } = compileEdge({ objects, secret: () => undefined, settings: DEFAULT_EDGE_SETTINGS });
    assert.deepEqual(
      [freeze?.stage, freeze?.policy?.kind],
      [blamed && 'envoy', blamed],
      JSON.stringify([fields, defaults]),
    );
  }
});

function stageOf(version: string, added: unknown, settings: EdgeSettings = DEFAULT_EDGE_SETTINGS): string | undefined {
  const spec = { prefix: '/x/', service: 's', add_request_headers: { 'x-a': added } };
  const objects = [{ object: object(version, 'Mapping', 'm', spec), origin: {} }];
  return compileEdge({ objects, secret: () => undefined, settings }).freeze?.stage;
}

void test('a header that v2 writes as null or as an empty text has no value', () => {
  assert.equal(stageOf('v2', null), 'envoy');
  assert.equal(stageOf('v2', ''), 'envoy');
  assert.equal(stageOf('v2', 'v'), undefined);
});

void test('without the watcher an empty value is one', () => {
  assert.equal(stageOf('v3alpha1', { value: '' }, { ...DEFAULT_EDGE_SETTINGS, hasWatcher: false }), undefined);
});
