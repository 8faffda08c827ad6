import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../kube/object.ts';
import { isOfInterest, withoutValues } from './gather.ts';
import { promisedSecret } from './promised-secrets.ts';
import { shapeOfSecret } from './secrets.ts';

function object(
  apiVersion: string,
  kind: string,
  fields: object = {},
  annotations?: Record<string, string>,
): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: { name: 'x', namespace: 'shop', ...(annotations && { annotations }) },
    ...fields,
  };
}

describe('of any objects', () => {
  it('those are kept that the edge reads', () => {
    for (const [group, kind] of [
      ['getambassador.io', 'Mapping'],
      ['', 'Service'],
      ['networking.k8s.io', 'Ingress'],
      ['cert-manager.io', 'Certificate'],
    ] as const) {
      assert.ok(isOfInterest({ group, kind }), kind);
    }
    for (const [group, kind] of [
      ['', 'ConfigMap'],
      ['apps', 'Deployment'],
      ['serving.knative.dev', 'Service'],
    ] as const) {
      assert.ok(!isOfInterest({ group, kind }), kind);
    }
  });

  it('no value of a Secret is kept, and everything else as it is', () => {
    const secret = object('v1', 'Secret', {
      type: 'Opaque',
      data: { 'tls.crt': 'c2VjcmV0', empty: '' },
      stringData: { b: 'secret' },
    });
    const kept = withoutValues(secret);
    assert.doesNotMatch(JSON.stringify(kept), /c2VjcmV0|secret"/);
    assert.deepEqual(shapeOfSecret(kept), shapeOfSecret(secret));
    const mapping = object('getambassador.io/v2', 'Mapping', { spec: {} });
    assert.equal(withoutValues(mapping), mapping);
  });
});

describe('a Secret is promised by', () => {
  const cases: [title: string, apiVersion: string, kind: string, spec: unknown, promised: string | undefined][] = [
    [
      'a Certificate',
      'cert-manager.io/v1',
      'Certificate',
      { secretName: 's' },
      's.shop kubernetes.io/tls tls.crt,tls.key,ca.crt',
    ],
    ['no Certificate without a name', 'cert-manager.io/v1', 'Certificate', {}, undefined],
    [
      'an ExternalSecret with named keys',
      'external-secrets.io/v1',
      'ExternalSecret',
      { data: [{ secretKey: 'tls.crt' }, { secretKey: 5 }], target: { name: 's' } },
      's.shop - tls.crt',
    ],
    [
      'an ExternalSecret with a template',
      'external-secrets.io/v1beta1',
      'ExternalSecret',
      { data: [{ secretKey: 'a' }], target: { template: { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } } } },
      'x.shop kubernetes.io/tls tls.crt',
    ],
    [
      'an ExternalSecret of a whole store',
      'external-secrets.io/v1',
      'ExternalSecret',
      { dataFrom: [{}] },
      'x.shop - tls.crt,tls.key,ca.crt,crl.pem',
    ],
    [
      'a SealedSecret',
      'bitnami.com/v1alpha1',
      'SealedSecret',
      { encryptedData: { 'tls.key': 'A' } },
      'x.shop - tls.key',
    ],
    [
      'a VaultPKISecret',
      'secrets.hashicorp.com/v1beta1',
      'VaultPKISecret',
      { destination: { name: 's', create: true } },
      's.shop - tls.crt,tls.key,ca.crt,crl.pem',
    ],
    ['no other object', 'v1', 'Secret', { secretName: 's' }, undefined],
    ['nothing hostile', 'external-secrets.io/v1', 'ExternalSecret', null, 'x.shop - '],
  ];
  for (const [title, apiVersion, kind, spec, promised] of cases) {
    it(title, () => {
      const found = promisedSecret(object(apiVersion, kind, { spec }));
      assert.equal(
        found && `${found.name}.${found.namespace} ${found.type ?? '-'} ${[...found.keys].join()}`,
        promised,
      );
    });
  }
});
