import { host, mapping, object, type RuleCases, service, written } from './case.ts';

const CONTEXT = object('TLSContext', 't1/c', { secret: 'client' });
const CHECKED = object('TLSContext', 't1/c', { secret: 'client', ca_secret: 'ca' });
const SHOP = service('t1/shop', undefined, { spec: { ports: [{ port: 80 }] } });
const CENTRAL = object('Module', 'emissary/ambassador', {
  config: { use_ambassador_namespace_for_service_resolution: true },
});

function ingress(port: object) {
  const http = { paths: [{ path: '/x/', backend: { service: { name: 'shop', port } } }] };
  const annotations = { 'kubernetes.io/ingress.class': 'ambassador' };
  return written('networking.k8s.io/v1', 'Ingress', 't1/web', { spec: { rules: [{ http }] } }, { annotations });
}

export const UPSTREAM_CASES: Record<string, RuleCases> = {
  EM045: {
    flags: {
      'a named port': {
        objects: [mapping('t1/m', { service: 'svc:http' })],
        finds: { object: 'Mapping t1/m', severity: 'error', says: /port "http"/ },
      },
      'a port that is too high': [mapping('t1/m', { service: 'svc:65536' })],
      'port 0, which becomes 80': [mapping('t1/m', { service: 'svc:0' })],
      'an unknown scheme': { objects: [mapping('t1/m', { service: 'tcp://svc' })], finds: { says: /scheme "tcp"/ } },
      'two schemes': { objects: [mapping('t1/m', { service: 'http://https://svc' })], finds: { says: /"https"/ } },
      'a path': [mapping('t1/m', { service: 'svc/path' })],
      'a query': [mapping('t1/m', { service: 'http://svc.ns:80?x=1' })],
      'no host': [mapping('t1/m', { service: 'https://' })],
      'a bare IPv6 address': [mapping('t1/m', { service: '::1' })],
      'credentials, without showing them': {
        objects: [mapping('t1/m', { service: 'http://user:hunter2@svc' })],
        finds: { says: /^(?!.*hunter2)/ },
      },
      'the service of an AuthService': [object('AuthService', 't1/auth', { auth_service: 'auth:x' })],
      'the service of a TCPMapping': [object('TCPMapping', 't1/t', { port: 9000, service: 'db:pg' })],
    },
    passes: {
      'a port that an Ingress names, as one does there': [ingress({ name: 'http' })],
      'a scheme, a namespace and a port': [mapping('t1/m', { service: 'http://svc.ns:80' })],
      'a bare name': [mapping('t1/m', { service: 'svc' })],
      'an IPv6 address with its port': [mapping('t1/m', { service: 'https://[2001:db8::1]:8443' })],
      'a slash at the end': [mapping('t1/m', { service: 'http://svc/' })],
      'upper case': [mapping('t1/m', { service: 'HTTPS://Svc' })],
      'no text at all': [mapping('t1/m', { service: { host: 'svc' } })],
    },
  },
  EM046: {
    flags: {
      'a port that the Service has not': {
        objects: [mapping('t1/m', { service: 'shop:81' }), SHOP],
        finds: { object: 'Mapping t1/m', severity: 'warning', says: /no port 81/ },
      },
      'a port that an Ingress names and the Service does not': {
        objects: [ingress({ name: 'grpc' }), SHOP],
        finds: {
          object: 'Mapping t1/web-0-0 made of Ingress t1/web',
          says: /^Mapping t1\/web-0-0 made of Ingress t1\/web .*no port "grpc"/,
        },
      },
      'a named port': { objects: [mapping('t1/m', { service: 'shop:http' }), SHOP], finds: { says: /no port "http"/ } },
      'no such Service beside others': {
        objects: [mapping('t1/m', { service: 'gone' }), SHOP],
        finds: { says: /no Service t1\/gone/ },
      },
      'a name of the cluster': [mapping('t2/m', { service: 'gone.t1.svc.cluster.local' }), SHOP],
      'the default port of TLS': [mapping('t1/m', { service: 'https://shop' }), SHOP],
      'a TCPMapping': [object('TCPMapping', 't1/t', { port: 9000, service: 'gone:5432' }), SHOP],
      'where the last Service of a namespace is gone': {
        objects: [mapping('t2/m', { service: 'gone' }), SHOP],
        complete: true,
        finds: { says: /no Service t2\/gone/ },
      },
      'where a Module looks for bare names': {
        objects: [mapping('t1/m', { service: 'shop' }), SHOP, CENTRAL, service('emissary/admin')],
        finds: { says: /emissary\/shop/ },
      },
    },
    passes: {
      'a port that an Ingress names': [
        ingress({ name: 'http' }),
        service('t1/shop', undefined, { spec: { ports: [{ name: 'http', port: 81 }] } }),
      ],
      'a Service with the port': [mapping('t1/m', { service: 'shop:80' }), SHOP],
      'a host of the Internet': [mapping('t1/m', { service: 'https://api.example.com' }), SHOP],
      'a host of the Internet, where everything in the cluster is known': {
        objects: [
          mapping('t1/m', { service: 'https://api.example.com' }),
          mapping('t1/n', { service: 'api.example' }),
          SHOP,
        ],
        complete: true,
      },
      'an address': [mapping('t1/m', { service: '192.0.2.1:8080' }), SHOP],
      'a namespace of which nothing is known': [mapping('t2/m', { service: 'gone' }), SHOP],
      'no Services at all': [mapping('t1/m', { service: 'gone' })],
      'a headless Service': [
        mapping('t1/m', { service: 'pods:9000' }),
        service('t1/pods', undefined, { spec: { clusterIP: 'None', ports: [{ port: 80 }] } }),
      ],
      'a Service of which only the name is known': [mapping('t1/m', { service: 'shop:81' }), service('t1/shop')],
      'a Consul service': [mapping('t1/m', { service: 'gone', resolver: 'consul' }), SHOP],
      'the target of a redirect': [mapping('t1/m', { service: 'gone', host_redirect: true }), SHOP],
    },
  },
  EM047: {
    flags: {
      'a redirect to a bare name': {
        objects: [mapping('t1/m', { service: 'shop', host_redirect: true })],
        finds: { object: 'Mapping t1/m', severity: 'warning', says: /redirects to "shop"/ },
      },
      'a bare service looked up centrally': {
        objects: [mapping('t1/m', { service: 'shop' }), CENTRAL],
        finds: { object: 'Mapping t1/m', other: 'Module emissary/ambassador' },
      },
    },
    passes: {
      'a redirect to a full name': [mapping('t1/m', { service: 'shop.example.com', host_redirect: true })],
      'a service with its namespace': [mapping('t1/m', { service: 'shop.t1' }), CENTRAL],
      'a bare service in Emissary’s namespace': [mapping('emissary/m', { service: 'shop' }), CENTRAL],
      'a bare service, looked up beside its Mapping': [mapping('t1/m', { service: 'shop' })],
    },
  },
  EM051: {
    flags: {
      'two settings of one cluster': {
        objects: [
          mapping('t1/m1', { prefix: '/1/', service: 'up', grpc: true }),
          mapping('t1/m2', { prefix: '/2/', service: 'up', connect_timeout_ms: 99 }),
        ],
        finds: { object: 'Mapping t1/m2', other: 'Mapping t1/m1', says: /grpc, connect_timeout_ms/ },
        count: 1,
      },
      'a client certificate that is lost': {
        objects: [
          mapping('t1/m1', { prefix: '/1/', service: 'https://up' }),
          mapping('t1/m2', { prefix: '/2/', service: 'https://up', tls: 'c' }),
          CONTEXT,
        ],
        secrets: ['t1/client'],
        finds: { object: 'Mapping t1/m2', impact: 'protection-lost' },
      },
    },
    passes: {
      'another cluster_tag': [
        mapping('t1/m1', { prefix: '/1/', service: 'up', grpc: true }),
        mapping('t1/m2', { prefix: '/2/', service: 'up', connect_timeout_ms: 99, cluster_tag: 'slow' }),
      ],
      'the same settings': [
        mapping('t1/m1', { prefix: '/1/', service: 'up', connect_timeout_ms: 99 }),
        mapping('t1/m2', { prefix: '/2/', service: 'up', connect_timeout_ms: 99n }),
      ],
      'settings of the route': [
        mapping('t1/m1', { prefix: '/1/', service: 'up', timeout_ms: 1 }),
        mapping('t1/m2', { prefix: '/2/', service: 'up', timeout_ms: 2 }),
      ],
      'the same name in two namespaces': [
        mapping('t1/m1', { prefix: '/1/', service: 'up', grpc: true }),
        mapping('t2/m2', { prefix: '/2/', service: 'up' }),
      ],
    },
  },
  EM052: {
    flags: {
      'no such TLSContext': {
        objects: [mapping('t1/m', { tls: 'nope' })],
        finds: { object: 'Mapping t1/m', severity: 'error', impact: 'protection-lost', says: /plain text/ },
      },
      'a TLSContext whose secret is missing': {
        objects: [mapping('t1/m', { tls: 'c' }), CONTEXT],
        finds: { object: 'Mapping t1/m', says: /plain text/ },
      },
      'a TLSContext without a secret': [mapping('t1/m', { tls: 'c' }), object('TLSContext', 't1/c', { sni: 'x' })],
      'a TLSContext with an authority alone': {
        objects: [mapping('t1/m', { tls: 'c' }), object('TLSContext', 't1/c', { ca_secret: 'ca' })],
        secrets: ['t1/ca'],
      },
      'https without the context': {
        objects: [mapping('t1/m', { tls: 'nope', service: 'https://svc' })],
        finds: { says: /over TLS without/ },
      },
      'a secret of the wrong type': {
        objects: [mapping('t1/m', { tls: 'c' }), CONTEXT],
        secrets: [
          { name: 'client', namespace: 't1', type: 'helm.sh/release.v1', keys: new Set(['tls.crt', 'tls.key']) },
        ],
      },
      'a TCPMapping': [object('TCPMapping', 't1/t', { port: 9000, service: 'db', tls: 'nope' })],
      'an AuthService': {
        objects: [object('AuthService', 't1/auth', { auth_service: 'auth', tls: 'nope' })],
        finds: { object: 'AuthService t1/auth', says: /plain text/ },
      },
      'a RateLimitService': [
        object('RateLimitService', 't1/limits', { service: 'limits', protocol_version: 'v3', tls: 'nope' }),
      ],
    },
    passes: {
      'a context whose secret exists': { objects: [mapping('t1/m', { tls: 'c' }), CONTEXT], secrets: ['t1/client'] },
      'https without a context': [mapping('t1/m', { service: 'https://svc' })],
      'a context of another namespace': { objects: [mapping('t2/m', { tls: 'c' }), CONTEXT], secrets: ['t1/client'] },
      'an AuthService with a context': {
        objects: [object('AuthService', 't1/auth', { auth_service: 'auth', tls: 'c' }), CONTEXT],
        secrets: ['t1/client'],
      },
    },
  },
  EM053: {
    flags: {
      'https alone': {
        objects: [mapping('t1/m', { service: 'https://up' })],
        finds: { object: 'Mapping t1/m', severity: 'warning' },
      },
      'a context without an authority': { objects: [mapping('t1/m', { tls: 'c' }), CONTEXT], secrets: ['t1/client'] },
    },
    passes: {
      'a context with an authority': {
        objects: [mapping('t1/m', { tls: 'c' }), CHECKED],
        secrets: ['t1/client', 't1/ca'],
      },
      'plain text': [mapping('t1/m')],
    },
  },
  EM054: {
    flags: {
      'http and a context': {
        objects: [mapping('t1/m', { service: 'http://svc', tls: 'c' }), CONTEXT],
        secrets: ['t1/client'],
        finds: { object: 'Mapping t1/m', severity: 'warning' },
      },
    },
    passes: {
      'a context alone': { objects: [mapping('t1/m', { tls: 'c' }), CONTEXT], secrets: ['t1/client'] },
      'https and a context': [mapping('t1/m', { service: 'https://svc', tls: 'c' })],
      'http alone': [mapping('t1/m', { service: 'http://svc' }), host('t1/h')],
    },
  },
};
