import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';
import type { Edge } from './model.ts';

function object(kind: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace: 't1' }, spec };
}

const LIMITS = object('RateLimitService', 'limits', { service: 'rls', protocol_version: 'v3' });

function compiled(labels: unknown, defaults: unknown, ...others: KubeObject[]): Edge {
  const route = { hostname: '*', prefix: '/x/' };
  const objects = [
    object('Mapping', 'a', { ...route, service: 's', ...(labels !== undefined && { labels }) }),
    object('Mapping', 'b', { ...route, service: 's', weight: 10, ...(labels !== undefined && { labels }) }),
    object('Module', 'ambassador', { config: { ...(defaults !== undefined && { default_labels: defaults }) } }),
    ...others,
  ];
  return compileEdge({
    objects: objects.map((one) => ({ object: one, origin: {} })),
    secret: () => undefined,
    settings: DEFAULT_EDGE_SETTINGS,
  });
}

const ADDRESS = { remote_address: { key: 'remote_address' } };
const KEY = { generic_key: { value: 'x' } };
const named = (...specifiers: unknown[]) => ({ ambassador: [{ l: specifiers }] });
const usually = (...specifiers: unknown[]) => ({ ambassador: { defaults: specifiers } });

// [labels of the Mappings, default labels of the Module, who is raised at, how many errors]
const CASES: [labels: unknown, defaults: unknown, freeze: string | undefined, errors: number][] = [
  [undefined, undefined, undefined, 0],
  [named(KEY), usually(ADDRESS), undefined, 0],
  // As Ambassador 1 spelled it: str has no keys().
  [undefined, usually('remote_address'), 'ambassador', 0],
  [named(KEY), usually('remote_address'), 'ambassador', 0],
  // Emissary's own routes have no labels, so they get these.
  [{ other: [{ l: [KEY] }] }, usually('remote_address'), 'ambassador', 0],
  [undefined, { other: { defaults: ['remote_address'] } }, undefined, 0],
  [undefined, usually({ generic_key: {} }), 'ambassador', 0],
  [named({ request_headers: { key: 'a' } }), undefined, 'b', 0],
  [{ ambassador: [{}] }, undefined, 'b', 0],
  // Once for each route that is written.
  [{ ambassador: [{ a: [KEY], b: [KEY] }] }, undefined, undefined, 2],
  [named({ ...KEY, ...ADDRESS }, { my_header: { header: 'x' } }), undefined, undefined, 4],
];

void test('labels that a RateLimitService gets', () => {
  for (const [labels, defaults, freeze, errors] of CASES) {
    const edge = compiled(labels, defaults, LIMITS);
    const what = JSON.stringify([labels, defaults]);
    assert.deepEqual([edge.freeze?.policy?.name, edge.freeze?.stage], [freeze, freeze && 'envoy'], what);
    if (!freeze) assert.equal(edge.errors.length, errors, what);
    assert.equal(compiled(labels, defaults).freeze, undefined, what);
  }
});
