import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings, type SecretShape } from './input.ts';
import type { Edge } from './model.ts';

function object(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace: 't1' }, spec };
}

/** Emissary's watcher would leave the empty texts out. */
const AS_WRITTEN: EdgeSettings = { ...DEFAULT_EDGE_SETTINGS, hasWatcher: false };

function compiled(...objects: KubeObject[]): Edge {
  return compiledBy(AS_WRITTEN, ...objects);
}

function compiledBy(settings: EdgeSettings, ...objects: KubeObject[]): Edge {
  const keys = new Set(['tls.crt', 'tls.key']);
  const secret = (name: string, namespace: string): SecretShape => ({ name, namespace, keys });
  const edgeObjects = objects.map((one) => ({ object: one, origin: {} }));
  return compileEdge({ objects: edgeObjects, secret, settings });
}

const MAPPING = object('Mapping', 'm', { hostname: '*', prefix: '/x/', service: 'up', tls: 'c' });

// ir/irtlscontext.py `resolve` asks whether there is a field, not whether it holds something.
void test('a context whose secret is an empty text originates TLS, one without any does not', () => {
  const tls = (spec: object) => {
    const { clusters, errors } = compiled(object('TLSContext', 'c', spec), MAPPING);
    return [clusters.get('cluster_up_t1_otls_c_t1')?.tls ?? false, errors.length > 0];
  };
  assert.deepEqual(tls({ secret: '' }), [true, false]);
  assert.deepEqual(tls({ crl_file: '' }), [true, false]);
  assert.deepEqual(tls({}), [false, true]);
  assert.deepEqual(tls({ secret: '', hosts: ['a.com'] }), [false, true]);
});

// ir/irhost.py `save_context` asserts that there is a name.
void test('a Host that takes a context with an empty secret freezes the edge', () => {
  const host = object('Host', 'h', { hostname: 'a.com', tlsSecret: { name: 's' }, tlsContext: { name: 'c' } });
  const { freeze } = compiled(host, object('TLSContext', 'c', { secret: '' }));
  assert.deepEqual([freeze?.stage, freeze?.policy?.name], ['ir', 'c']);
  assert.equal(compiled(host, object('TLSContext', 'c', {})).freeze, undefined);
});

void test('an empty secret that the watcher leaves out is none: no TLS upstream, and no freeze', () => {
  const context = object('TLSContext', 'c', { secret: '' });
  const { clusters, errors } = compiledBy(DEFAULT_EDGE_SETTINGS, context, MAPPING);
  assert.deepEqual([clusters.get('cluster_up_t1_t1')?.tls, errors.length > 0], [false, true]);
  const host = object('Host', 'h', { hostname: 'a.com', tlsSecret: { name: 's' }, tlsContext: { name: 'c' } });
  const { freeze, hosts } = compiledBy(DEFAULT_EDGE_SETTINGS, host, context);
  assert.deepEqual([freeze, hosts.map(({ name }) => name)], [undefined, ['h']]);
});
