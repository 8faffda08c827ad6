import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeIdentity, type Identity, type KubeObject } from '../kube/object.ts';
import { edgeReferences } from './edge-references.ts';

function edge(kind: string, spec: unknown): KubeObject {
  return { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name: 'x', namespace: 'shop' }, spec };
}

/** `!` marks what must exist even when nobody declares it. */
function told(object: KubeObject, declared: Identity[] = []): string[] {
  return edgeReferences(object, declared).map(
    ({ identity, mustExist }) => (mustExist ? '!' : '') + describeIdentity(identity),
  );
}

const CASES: [what: string, kind: string, spec: unknown, references: string[]][] = [
  ['a Host and its certificate', 'Host', { tlsSecret: { name: 'cert' } }, ['!Secret shop/cert']],
  ['a dot in tlsSecret is part of the name', 'Host', { tlsSecret: { name: 'a.com' } }, ['!Secret shop/a.com']],
  [
    'a certificate of another namespace',
    'Host',
    { tlsSecret: { name: 'cert', namespace: 'certs' } },
    ['!Secret certs/cert'],
  ],
  [
    'a certificate that ACME will make',
    'Host',
    { tlsSecret: { name: 'cert' }, acmeProvider: { authority: 'https://acme.example.com' } },
    ['Secret shop/cert'],
  ],
  [
    'ACME turned off',
    'Host',
    { tlsSecret: { name: 'cert' }, acmeProvider: { authority: 'none' } },
    ['!Secret shop/cert'],
  ],
  [
    'a Host with a context and client certificates',
    'Host',
    { tlsSecret: { name: 'cert' }, tlsContext: { name: 'ctx' }, tls: { ca_secret: 'ca.certs' } },
    ['!Secret shop/cert', '!Secret certs/ca', 'TLSContext.getambassador.io shop/ctx'],
  ],
  ['a Host without TLS', 'Host', { hostname: '*' }, []],
  [
    'a TLSContext and its Secrets',
    'TLSContext',
    { secret: 'cert', ca_secret: 'ca.certs' },
    ['!Secret shop/cert', '!Secret certs/ca'],
  ],
  ['names with dots', 'TLSContext', { secret: 'a.com.certs' }, ['!Secret certs/a.com']],
  ['secret_namespacing off', 'TLSContext', { secret: 'a.com', secret_namespacing: false }, ['!Secret shop/a.com']],
  ['a Mapping and its Service', 'Mapping', { service: 'web' }, ['Service shop/web']],
  ['a port', 'Mapping', { service: 'web:8080' }, ['Service shop/web']],
  ['another namespace', 'Mapping', { service: 'https://web.other:443/x?y' }, ['Service other/web']],
  ['a full name', 'Mapping', { service: 'http://web.other.svc.cluster.local' }, ['Service other/web']],
  ['an external host', 'Mapping', { service: 'https://api.example.com' }, []],
  ['an address', 'Mapping', { service: '192.0.2.1:80' }, []],
  ['an IPv6 address', 'Mapping', { service: 'http://[::1]:80' }, []],
  ['this machine', 'Mapping', { service: 'localhost:8500' }, []],
  ['nothing that could be a name', 'Mapping', { service: 'web}' }, []],
  ['a redirect', 'Mapping', { service: 'www.other', host_redirect: true }, []],
  [
    'a context for the upstream',
    'Mapping',
    { service: 'web', tls: 'ctx' },
    ['Service shop/web', 'TLSContext.getambassador.io shop/ctx'],
  ],
  ['tls as a boolean', 'Mapping', { service: 'web', tls: true }, ['Service shop/web']],
  ['a TCPMapping', 'TCPMapping', { port: 1, service: 'db:5432' }, ['Service shop/db']],
  ['an AuthService', 'AuthService', { auth_service: 'auth.infra:3000' }, ['Service infra/auth']],
  [
    'a RateLimitService',
    'RateLimitService',
    { service: 'limits:5000', tls: 'ctx' },
    ['Service shop/limits', 'TLSContext.getambassador.io shop/ctx'],
  ],
  ['a LogService', 'LogService', { service: 'logs:9000' }, ['Service shop/logs']],
  ['a TracingService', 'TracingService', { service: 'zipkin:9411' }, ['Service shop/zipkin']],
  ['a Module', 'Module', { config: { service: 'x' } }, []],
  ['a spec of the wrong shape', 'Host', { tlsSecret: 'cert', tls: [], tlsContext: 5 }, []],
  ['no spec', 'Mapping', undefined, []],
];

describe('what an edge object refers to', () => {
  for (const [what, kind, spec, references] of CASES) {
    it(what, () => assert.deepEqual(told(edge(kind, spec)), references));
  }

  it('finds a TLSContext in another namespace when only that is declared', () => {
    const context = (namespace: string): Identity => ({
      group: 'getambassador.io',
      kind: 'TLSContext',
      namespace,
      name: 'ctx',
    });
    const mapping = edge('Mapping', { tls: 'ctx' });
    assert.deepEqual(told(mapping, [context('infra')]), ['TLSContext.getambassador.io infra/ctx']);
    assert.deepEqual(told(mapping, [context('infra'), context('shop')]), ['TLSContext.getambassador.io shop/ctx']);
  });

  it('waits for a resolver only when it is declared', () => {
    const declared = [{ group: 'getambassador.io', kind: 'ConsulResolver', namespace: 'infra', name: 'consul' }];
    assert.deepEqual(told(edge('Mapping', { service: '', resolver: 'consul' }), declared), [
      'ConsulResolver.getambassador.io infra/consul',
    ]);
    assert.deepEqual(told(edge('Mapping', { service: '', resolver: 'endpoint' }), declared), []);
  });

  it('leaves the kinds of others alone', () => {
    assert.deepEqual(
      edgeReferences({
        apiVersion: 'example.com/v1',
        kind: 'Host',
        metadata: { name: 'x' },
        spec: { tlsSecret: { name: 'cert' } },
      }),
      [],
    );
  });
});
