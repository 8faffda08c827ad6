import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContextDraft } from './context-draft.ts';
import type { Spec } from './model.ts';

function draft(spec: Spec): ContextDraft {
  return new ContextDraft({ name: 'c', namespace: 'n', key: 'c.n.1', policy: undefined, spec });
}

void test('TLS versions that Emissary does not know are not handed to Envoy', () => {
  const { minTls, maxTls } = draft({ min_tls_version: 'v1.2', max_tls_version: '1.3' }).finish();
  assert.deepEqual([minTls, maxTls], ['v1.2', undefined]);
});

void test('redirect_cleartext_from is a number, also as a text', () => {
  const ports = [8080, 8080n, '8080', 'http', [8080], undefined].map((port) =>
    draft({ redirect_cleartext_from: port }),
  );
  assert.deepEqual(
    ports.map(({ redirectPort }) => redirectPort),
    [8080, 8080, 8080, undefined, undefined, undefined],
  );
});

void test('any JSON may stand at any field', () => {
  for (const value of [null, 5, 'x', [], {}, [null], { a: 1 }]) {
    const fields = ['hosts', 'secret', 'alpn_protocols', 'cipher_suites', 'min_tls_version', 'cert_required', 'sni'];
    const context = draft(Object.fromEntries(fields.map((field) => [field, value]))).finish();
    assert.equal(context.certRequired, false);
    assert.equal(context.minTls, undefined);
  }
});
