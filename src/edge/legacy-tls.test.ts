import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS, type SecretShape } from './input.ts';
import type { Edge, TlsContext } from './model.ts';

function contextsOf(config: Record<string, unknown>): readonly TlsContext[] {
  return [...compiled(config).contexts.values()];
}

function compiled(config: Record<string, unknown>): Edge {
  const metadata = { name: 'tls', namespace: 'emissary' };
  const object = { apiVersion: 'getambassador.io/v3alpha1', kind: 'Module', metadata, spec: { config } };
  const keys = new Set(['tls.crt', 'tls.key']);
  const secret = (name: string, namespace: string): SecretShape | undefined =>
    name.startsWith('fallback') ? undefined : { name, namespace, keys };
  return compileEdge({ objects: [{ object, origin: {} }], secret, settings: DEFAULT_EDGE_SETTINGS });
}

void test('a Module named tls stands for TLS contexts', () => {
  const [server, upstream, ...more] = contextsOf({
    server: { enabled: true, secret: 's.t1' },
    client: { secret: 'ca', cert_required: true },
    upstream: {},
    name: 'nothing',
  });
  assert.equal(more.length, 0);
  assert.deepEqual([server?.name, server?.hosts, server?.secret], ['server', ['*'], 's.t1']);
  assert.deepEqual([server?.caSecret, server?.certRequired], ['ca.emissary', true]);
  assert.deepEqual([upstream?.name, upstream?.hosts, upstream?.secret], ['upstream', [], 'ambassador-certs.emissary']);
});

void test('a block that is switched off is none', () => {
  assert.deepEqual(contextsOf({ server: { enabled: false, secret: 's' }, client: 5, upstream: null }), []);
});

// ir/irtls.py asks whatever stands there for its fields.
void test('what is no block freezes the edge', () => {
  for (const config of [
    { upstream: 5 },
    { upstream: false },
    { server: 'x' },
    { server: { secret: 's' }, client: 5 },
  ]) {
    assert.equal(compiled(config).freeze?.stage, 'ir', JSON.stringify(config));
  }
});
