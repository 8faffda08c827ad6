import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostTls } from './host-tls.ts';

void test('a Host may spell the fields of a TLSContext in camel case', () => {
  const tls = {
    minTlsVersion: 'v1.2',
    min_tls_version: 'v1.0',
    ca_secret: 'ca',
    caSecret: 'other',
    sni: 'x',
    unknownField: 1,
  };
  assert.deepEqual(hostTls({ tls }), { min_tls_version: 'v1.2', ca_secret: 'other', sni: 'x', unknownField: 1 });
  for (const nothing of [undefined, null, {}, [], 'x']) assert.equal(hostTls({ tls: nothing }), undefined);
});
