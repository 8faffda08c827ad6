import type { SecretShape } from '../input.ts';
import { from, host, listener, mapping, object, type RuleCases, written } from './case.ts';

const HTTPS = listener('emissary/l8443', { port: 8443, protocol: 'HTTPS' });
const SECURE = listener('emissary/l8443', { port: 8443, protocol: 'HTTPS', securityModel: 'SECURE' });
const S1 = { tlsSecret: { name: 's1' }, requestPolicy: {} };
const MTLS = { secret: 's1', ca_secret: 'ca', cert_required: true };
const BOTH = ['t1/s1', 't1/ca'];

function secretOf(name: string, keys: readonly string[], type?: string): SecretShape {
  return { name, namespace: 't1', keys: new Set(keys), ...(type !== undefined && { type }) };
}

export const TLS_HOST_CASES: Record<string, RuleCases> = {
  EM060: {
    flags: {
      'a missing secret, so that no Host is left': {
        objects: [host('t1/h1', S1), HTTPS],
        finds: {
          object: 'Host t1/h1',
          severity: 'error',
          impact: 'protection-lost',
          host: 'a.com',
          says: /an invented one without TLS serves everything/,
        },
      },
      'a missing secret beside another Host': {
        objects: [host('t1/h1', S1), host('t1/h2', { hostname: 'b.com' }), HTTPS],
        finds: { says: /the Host is dropped$/ },
      },
      'a missing secret where there is a fallback certificate': {
        objects: [host('t1/h1', S1), HTTPS],
        secrets: ['emissary/fallback-self-signed-cert'],
        finds: { says: /fallback certificate/ },
      },
      'a key alone': {
        objects: [host('t1/h1', S1), HTTPS],
        secrets: [secretOf('s1', ['tls.key'])],
        finds: { says: /is dropped/ },
      },
      'a certificate alone': {
        objects: [host('t1/h1', S1), HTTPS],
        secrets: [secretOf('s1', ['tls.crt'])],
        finds: { says: /has no key: the Host loses TLS/ },
      },
      'a secret of another type': {
        objects: [host('t1/h1', S1), HTTPS],
        secrets: [secretOf('s1', ['tls.crt', 'tls.key'], 'kubernetes.io/dockerconfigjson')],
      },
      'a secret of another namespace': { objects: [host('t1/h1', S1), HTTPS], secrets: ['t2/s1'] },
      'a secret without its values': [
        host('t1/h1', S1),
        HTTPS,
        written('v1', 'Secret', 't1/s1', { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': 'WA==' } }),
      ],
    },
    passes: {
      'a secret that exists or will be produced': { objects: [host('t1/h1', S1), HTTPS], secrets: ['t1/s1'] },
      'a secret among the objects': [
        host('t1/h1', S1),
        HTTPS,
        written('v1', 'Secret', 't1/s1', { type: 'kubernetes.io/tls', data: { 'tls.crt': 'WA==', 'tls.key': 'WA==' } }),
      ],
      'a secret of the namespace that the Host names': {
        objects: [host('t1/h1', { tlsSecret: { name: 's1', namespace: 't2' } }), HTTPS],
        secrets: ['t2/s1'],
      },
      'no TLS asked for': [host('t1/h1')],
    },
  },
  EM061: {
    flags: {
      'tls without a secret': {
        objects: [host('t1/h1', { tls: { min_tls_version: 'v1.2' } }), HTTPS],
        finds: { object: 'Host t1/h1', severity: 'error', impact: 'protection-lost', host: 'a.com', says: /has tls,/ },
      },
      'tlsContext without a secret': {
        objects: [host('t1/h1', { tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', { secret: 's1' }), HTTPS],
        secrets: ['t1/s1'],
        finds: { says: /has tlsContext,/ },
      },
      'an empty name': [host('t1/h1', { tlsSecret: { name: '' }, tls: { min_tls_version: 'v1.2' } })],
    },
    passes: {
      'tls with a secret': {
        objects: [host('t1/h1', { ...S1, tls: { min_tls_version: 'v1.2' } })],
        secrets: ['t1/s1'],
      },
      'nothing about TLS': [host('t1/h1')],
      'an empty tls': [host('t1/h1', { tls: {} })],
    },
  },
  EM062: {
    flags: {
      both: {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' }, tls: { min_tls_version: 'v1.2' } }),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['a.com'] }),
        ],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', severity: 'error', impact: 'drop', says: /it is dropped$/ },
      },
    },
    passes: {
      'tls alone': { objects: [host('t1/h1', { ...S1, tls: { min_tls_version: 'v1.2' } })], secrets: ['t1/s1'] },
      'tlsContext beside an empty tls': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' }, tls: {} }),
          object('TLSContext', 't1/c', { secret: 's1' }),
        ],
        secrets: ['t1/s1'],
      },
    },
  },
  EM063: {
    flags: {
      'no such TLSContext': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'nope' } })],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', severity: 'error', impact: 'drop', says: /does not exist/ },
      },
      'another secret': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', { secret: 's2' })],
        secrets: ['t1/s1', 't1/s2'],
        finds: { object: 'Host t1/h1', other: 'TLSContext t1/c', says: /is dropped/ },
      },
      'another secret by the implicit name': {
        objects: [host('t1/h1', S1), object('TLSContext', 't1/h1-context', { secret: 's2' })],
        secrets: ['t1/s1', 't1/s2'],
        finds: { other: 'TLSContext t1/h1-context' },
      },
      'a context of another namespace, where the Host’s secret is not': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't2/c', { cert_required: true }),
          HTTPS,
        ],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', other: 'TLSContext t2/c', impact: 'protection-lost', says: /loses TLS/ },
      },
      'a certificate file beside the secret': {
        objects: [host('t1/h1', { ...S1, tls: { cert_chain_file: '/tls.crt', private_key_file: '/tls.key' } })],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', says: /is dropped/ },
      },
      'other hosts': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['*.com'] }),
        ],
        secrets: ['t1/s1'],
        finds: { severity: 'warning', impact: 'no-effect' },
      },
    },
    passes: {
      'a context without hosts and secret': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { min_tls_version: 'v1.2' }),
        ],
        secrets: ['t1/s1'],
      },
      'the same secret and the hostname': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['a.com', 'b.com'] }),
        ],
        secrets: ['t1/s1'],
      },
      'the Host’s own name among the hosts': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['h1'] }),
        ],
        secrets: ['t1/s1'],
      },
      'a Host that brings its own context': { objects: [host('t1/h1', S1)], secrets: ['t1/s1'] },
    },
  },
  EM070: {
    flags: {
      'the name of the settings of all https:// services': {
        objects: [
          object('TLSContext', 'evil/no-cert-upstream', { secret: 's1' }),
          mapping('t1/m', { service: 'https://a' }),
        ],
        secrets: ['evil/s1'],
        count: 1,
        finds: { object: 'TLSContext evil/no-cert-upstream', severity: 'error', says: /all `https:\/\/` services/ },
      },
      'a context of another namespace with weaker settings': {
        objects: [
          host('t1/h1', S1),
          object('TLSContext', 'evil/h1-context', { secret: 's1', hosts: ['a.com'], min_tls_version: 'v1.0' }),
          HTTPS,
        ],
        secrets: ['t1/s1', 'evil/s1'],
        finds: {
          object: 'TLSContext evil/h1-context',
          other: 'Host t1/h1',
          severity: 'error',
          impact: 'protection-lost',
          host: 'a.com',
          says: /certificate and TLS versions from there/,
        },
      },
      'the secret is absent there': {
        objects: [
          host('t1/h1', S1),
          object('TLSContext', 'evil/h1-context', { secret: 's1', hosts: ['a.com'] }),
          HTTPS,
        ],
        secrets: ['t1/s1'],
        finds: { says: /loses TLS/ },
      },
      'another secret': {
        objects: [
          host('t1/h1', S1),
          object('TLSContext', 'evil/h1-context', { secret: 's1.t1', hosts: ['a.com'] }),
          HTTPS,
        ],
        secrets: ['t1/s1'],
        finds: { says: /is dropped/ },
      },
      'the second Host of one name': {
        objects: [
          host('t1/h1', { hostname: 'b.com' }),
          host('t2/h1', S1),
          object('TLSContext', 'evil/h1.t2-context', { secret: 's1' }),
          HTTPS,
        ],
        secrets: ['t2/s1', 'evil/s1'],
        finds: { other: 'Host t2/h1' },
      },
    },
    passes: {
      'the same of the gateway’s own namespace': [
        object('TLSContext', 'emissary/no-cert-upstream', { ca_secret: 'ca' }),
      ],
      'a context of the same namespace': {
        objects: [host('t1/h1', S1), object('TLSContext', 't1/h1-context', { secret: 's1', hosts: ['a.com'] })],
        secrets: ['t1/s1'],
      },
      'a Host with tls of its own': {
        objects: [
          host('t1/h1', { ...S1, tls: { min_tls_version: 'v1.2' } }),
          object('TLSContext', 'evil/h1-context', { secret: 's1' }),
        ],
        secrets: ['t1/s1', 'evil/s1'],
      },
      'a Host that names a context': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1' }),
          object('TLSContext', 'evil/h1-context', { secret: 's1' }),
        ],
        secrets: ['t1/s1', 'evil/s1'],
      },
      'a Host without TLS': [host('t1/h1'), object('TLSContext', 'evil/h1-context', { secret: 's1' })],
      'another name': [host('t1/h1', S1), object('TLSContext', 'evil/h2-context', { secret: 's1' })],
    },
  },
  EM072: {
    flags: {
      'plain text: the second one routes what the first redirects': {
        objects: [host('n2/h1', { requestPolicy: {} }), host('n3/h2')],
        finds: { object: 'Host n3/h2', other: 'Host n2/h1', severity: 'error', impact: 'steal', host: 'a.com' },
        count: 1,
      },
      'over TLS': {
        objects: [host('n2/h1', S1), host('n3/h2', S1), HTTPS],
        secrets: ['n2/s1', 'n3/s1'],
        finds: { says: /over TLS Host n2\/h1 keeps it/ },
      },
    },
    passes: {
      'Listeners of their own': [
        host('n1/h1', {}, { labels: { l: '1' } }),
        host('n2/h2', {}, { labels: { l: '2' } }),
        listener('emissary/l1', { port: 8081, hostBinding: { selector: { matchLabels: { l: '1' } } } }),
        listener('emissary/l2', { port: 8082, hostBinding: { selector: { matchLabels: { l: '2' } } } }),
      ],
      'two hostnames': [host('n1/h1'), host('n2/h2', { hostname: 'b.com' })],
      'a wildcard beside a name': [host('n1/h1'), host('n2/h2', { hostname: '*.com' })],
      'a gateway of its own': [host('n1/h1'), host('n2/h2', { ambassador_id: ['blue'] })],
    },
  },
  EM073: {
    flags: {
      'a Host with a certificate that routes plain text': {
        objects: [host('t1/h1', { tlsSecret: { name: 's1' } }), HTTPS],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', severity: 'warning', host: 'a.com' },
      },
      'SECURE without TLS': {
        objects: [listener('emissary/l', { securityModel: 'SECURE' }), host('t1/h1')],
        finds: { object: 'Listener emissary/l' },
        count: 1,
      },
      'SECURE with a Host without TLS': {
        objects: [SECURE, host('t1/h1')],
        finds: { object: 'Listener emissary/l8443', other: 'Host t1/h1' },
      },
    },
    passes: {
      'XFP and a redirect': { objects: [host('t1/h1', S1)], secrets: ['t1/s1'] },
      'a Host without TLS that routes': [host('t1/h1')],
      'connections of TCP, which are no requests': [
        listener('emissary/l', { protocol: 'TCP', port: 5432, securityModel: 'SECURE' }),
        object('TCPMapping', 't1/t', { port: 5432, service: 'db' }),
      ],
      'connections of TLS beside a Host without it': [
        listener('emissary/l', { protocol: 'TLS', port: 5432, securityModel: 'SECURE' }),
        object('TCPMapping', 't1/t', { port: 5432, host: 'db.com', service: 'db' }),
        object('TLSContext', 't1/c', { secret: 's1', hosts: ['db.com'] }),
        host('t1/h1'),
      ],
      'SECURE with a Host with TLS': { objects: [SECURE, host('t1/h1', S1)], secrets: ['t1/s1'] },
    },
  },
};

export const TLS_SECRET_CASES: Record<string, RuleCases> = {
  EM066: {
    flags: {
      'a CA that is missing': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', MTLS), HTTPS],
        secrets: ['t1/s1'],
        finds: {
          object: 'TLSContext t1/c',
          severity: 'error',
          impact: 'protection-lost',
          host: 'a.com',
          says: /"a.com" is served in plain text/,
        },
      },
      'a CA with only ca.crt': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', MTLS), HTTPS],
        secrets: ['t1/s1', secretOf('ca', ['ca.crt'])],
        finds: { says: /no Secret with tls.crt: "a.com" is served in plain text/ },
      },
      'a CA of another type': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', MTLS), HTTPS],
        secrets: ['t1/s1', secretOf('ca', ['tls.crt'], 'example.com/ca')],
      },
      'the CA of the Host’s own tls': {
        objects: [host('t1/h1', { ...S1, tls: { ca_secret: 'ca', cert_required: true } }), HTTPS],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', says: /plain text/ },
      },
      'a revocation list that is missing': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { ...MTLS, crl_secret: 'crl' }),
          HTTPS,
        ],
        secrets: BOTH,
        finds: { object: 'TLSContext t1/c', says: /crl_secret "t1\/crl".*plain text/ },
      },
      'a revocation list without crl.pem': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { ...MTLS, crl_secret: 'crl' }),
          HTTPS,
        ],
        secrets: [...BOTH, 't1/crl'],
        finds: { says: /revoked certificates are let in/ },
      },
      'the implicit context': {
        objects: [host('t1/h1', S1), object('TLSContext', 't1/h1-context', MTLS), HTTPS],
        secrets: ['t1/s1'],
        finds: { object: 'TLSContext t1/h1-context', says: /plain text/ },
      },
      'a dot that names no namespace': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { ...MTLS, ca_secret: 'ca.t2' }),
        ],
        secrets: BOTH,
        finds: { says: /"t2\/ca"/ },
      },
    },
    passes: {
      'a CA with tls.crt': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', MTLS), HTTPS],
        secrets: ['t1/s1', secretOf('ca', ['ca.crt', 'tls.crt'])],
      },
      'a CA among the objects': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', MTLS),
          written('v1', 'Secret', 't1/ca', { data: { 'tls.crt': 'WA==' } }),
          HTTPS,
        ],
        secrets: ['t1/s1'],
      },
      'a revocation list': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { ...MTLS, crl_secret: 'crl' }),
        ],
        secrets: [...BOTH, secretOf('crl', ['crl.pem'])],
      },
      'no client certificates': { objects: [host('t1/h1', S1)], secrets: ['t1/s1'] },
    },
  },
  EM075: {
    flags: {
      'a secret of another namespace': {
        objects: [object('TLSContext', 't1/c', { secret: 's.kube-system', hosts: ['a.com'] })],
        secrets: ['kube-system/s'],
        finds: { object: 'TLSContext t1/c', severity: 'warning', says: /kube-system\/s/ },
      },
      'a Host’s secret of another namespace': [host('t1/h1', { tlsSecret: { name: 's', namespace: 't2' } })],
      'a CA of another namespace': [object('TLSContext', 't1/c', { secret: 's', ca_secret: 'ca.t2' })],
      'a dot that is meant literally': {
        objects: [object('TLSContext', 't1/c', { secret: 'istio.default' })],
        secrets: ['t1/istio.default'],
        finds: { says: /is not used/ },
      },
      'a namespace of somebody else’s source': [
        from('one', object('TLSContext', 't1/c', { secret: 's.t2' })),
        from('two', host('t2/h1')),
      ],
    },
    passes: {
      'the own namespace by name': [object('TLSContext', 't1/c', { secret: 's.t1' })],
      'a dot that is a dot': [object('TLSContext', 't1/c', { secret: 'istio.default', secret_namespacing: false })],
      'a dot that is a dot for all': [
        object('Module', 'emissary/ambassador', { config: { defaults: { tls_secret_namespacing: false } } }),
        object('TLSContext', 't1/c', { secret: 'istio.default' }),
      ],
      'another namespace of the same source': [
        from('one', object('TLSContext', 't1/c', { secret: 's.t2' })),
        from('one', written('v1', 'Secret', 't2/s')),
      ],
    },
  },
};

export const TLS_CONTEXT_CASES: Record<string, RuleCases> = {
  EM064: {
    flags: {
      'an old version of a context': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', min_tls_version: 'v1.1', max_tls_version: 'v1.3' }),
        ],
        secrets: ['t1/s1'],
        finds: { object: 'TLSContext t1/c', severity: 'error', says: /"v1.1", below the floor v1.2/ },
        count: 1,
      },
      'an old version of a Host': {
        objects: [host('t1/h1', { ...S1, tls: { min_tls_version: 'v1.0' } })],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', severity: 'error', host: 'a.com' },
      },
      'a version that there is not': {
        objects: [host('t1/h1', { ...S1, tls: { min_tls_version: '1.2' } })],
        secrets: ['t1/s1'],
        finds: { impact: 'drop', says: /is dropped/ },
      },
      'v1.4': [host('t1/h1', { ...S1, tls: { max_tls_version: 'v1.4' } })],
      none: {
        objects: [host('t1/h1', S1)],
        secrets: ['t1/s1'],
        finds: { object: 'Host t1/h1', severity: 'warning', says: /sets no min_tls_version/ },
      },
      'v1.2 below a higher floor': {
        objects: [host('t1/h1', { ...S1, tls: { min_tls_version: 'v1.2' } })],
        secrets: ['t1/s1'],
        guard: { tlsFloor: 'v1.3' },
        finds: { severity: 'error', says: /floor v1.3/ },
      },
      'none below a higher floor': {
        objects: [host('t1/h1', S1)],
        secrets: ['t1/s1'],
        guard: { tlsFloor: 'v1.3' },
        finds: { severity: 'error' },
      },
      'nothing newer than v1.1': {
        objects: [host('t1/h1', { ...S1, tls: { max_tls_version: 'v1.1' } })],
        secrets: ['t1/s1'],
        finds: { says: /max_tls_version "v1.1"/ },
      },
    },
    passes: {
      'v1.2': {
        objects: [host('t1/h1', { ...S1, tls: { min_tls_version: 'v1.2' } })],
        secrets: ['t1/s1'],
      },
      'v1.1 over a lower floor': {
        objects: [host('t1/h1', { ...S1, tls: { min_tls_version: 'v1.1' } })],
        secrets: ['t1/s1'],
        guard: { tlsFloor: 'v1.0' },
      },
      'a Host without TLS': [host('t1/h1')],
    },
  },
  EM065: {
    flags: {
      'no forward secrecy': {
        objects: [object('TLSContext', 't1/c', { secret: 's1', cipher_suites: ['AES128-SHA'] })],
        finds: { object: 'TLSContext t1/c', severity: 'warning', says: /AES128-SHA/ },
      },
      CBC: [object('TLSContext', 't1/c', { cipher_suites: ['ECDHE-RSA-AES128-SHA'] })],
      'GCM without forward secrecy': [object('TLSContext', 't1/c', { cipher_suites: ['AES256-GCM-SHA384'] })],
      'one of equal preference': {
        objects: [object('TLSContext', 't1/c', { cipher_suites: ['[ECDHE-RSA-AES128-GCM-SHA256|DES-CBC3-SHA]'] })],
        finds: { says: /suites "DES-CBC3-SHA"/ },
      },
      'in a Host': [host('t1/h1', { ...S1, tls: { cipher_suites: ['AES128-SHA'] } })],
    },
    passes: {
      'GCM with forward secrecy': [
        object('TLSContext', 't1/c', {
          cipher_suites: ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-CHACHA20-POLY1305'],
        }),
      ],
      'a name that is none': [object('TLSContext', 't1/c', { cipher_suites: ['TLS_FOO', 5] })],
      none: [object('TLSContext', 't1/c', { secret: 's1' })],
    },
  },
  EM067: {
    flags: {
      'no authority': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', cert_required: true }),
        ],
        secrets: ['t1/s1'],
        finds: { object: 'TLSContext t1/c', severity: 'error', impact: 'protection-lost' },
      },
    },
    passes: {
      'an authority': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', MTLS)],
        secrets: BOTH,
      },
      'the authority of Istio in the server’s secret': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', cert_required: true }),
        ],
        secrets: [secretOf('s1', ['cert-chain.pem', 'key.pem', 'root-cert.pem'], 'istio.io/key-and-cert')],
      },
      'no certificate required': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', { secret: 's1' })],
        secrets: ['t1/s1'],
      },
    },
  },
  EM068: {
    flags: {
      'an authority alone': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', ca_secret: 'ca' }),
        ],
        secrets: BOTH,
        finds: { object: 'TLSContext t1/c', other: 'Host t1/h1', severity: 'warning', host: 'a.com' },
      },
    },
    passes: {
      'a certificate required': {
        objects: [host('t1/h1', { ...S1, tlsContext: { name: 'c' } }), object('TLSContext', 't1/c', MTLS)],
        secrets: BOTH,
      },
      'an authority for upstreams': {
        objects: [object('TLSContext', 't1/c', { secret: 's1', ca_secret: 'ca' }), host('t1/h1')],
        secrets: BOTH,
      },
    },
  },
  EM069: {
    flags: {
      'two namespaces and a Host': {
        objects: [
          host('z/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 'a/c', { secret: 's1' }),
          object('TLSContext', 'z/c', { secret: 's1' }),
        ],
        secrets: ['a/s1', 'z/s1'],
        finds: {
          object: 'TLSContext z/c',
          other: 'TLSContext a/c',
          severity: 'error',
          says: /Host z\/h1.*gets the one of a/,
        },
      },
      'two namespaces and a Mapping': [
        object('Mapping', 'z/m', { hostname: 'a.com', prefix: '/', service: 's', tls: 'c' }),
        object('TLSContext', 'a/c', { secret: 's1' }),
        object('TLSContext', 'z/c', { secret: 's1' }),
      ],
    },
    passes: {
      'two names': [
        host('z/h1', { ...S1, tlsContext: { name: 'c' } }),
        object('TLSContext', 'a/b', { secret: 's1' }),
        object('TLSContext', 'z/c', { secret: 's1' }),
      ],
      'nothing that refers to it': [
        object('TLSContext', 'a/c', { secret: 's1' }),
        object('TLSContext', 'z/c', { secret: 's1' }),
      ],
      'two gateways': [
        host('z/h1', { ...S1, tlsContext: { name: 'c' } }),
        object('TLSContext', 'a/c', { secret: 's1', ambassador_id: ['blue'] }),
        object('TLSContext', 'z/c', { secret: 's1' }),
      ],
    },
  },
  EM071: {
    flags: {
      'nobody uses it': {
        objects: [
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['a.com'], min_tls_version: 'v1.3' }),
          host('t1/h1'),
        ],
        secrets: ['t1/s1'],
        finds: { object: 'TLSContext t1/c', severity: 'warning', impact: 'no-effect' },
      },
    },
    passes: {
      'a Host uses it': {
        objects: [
          host('t1/h1', { ...S1, tlsContext: { name: 'c' } }),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['a.com'] }),
        ],
        secrets: ['t1/s1'],
      },
      'a Host uses it by its name': {
        objects: [host('t1/h1', S1), object('TLSContext', 't1/h1-context', { secret: 's1', hosts: ['a.com'] })],
        secrets: ['t1/s1'],
      },
      'a TCPMapping of its host': [
        object('TLSContext', 't1/c', { secret: 's1', hosts: ['b.com'] }),
        object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' }),
      ],
      'a context for upstreams': [object('TLSContext', 't1/c', { secret: 's1' })],
    },
  },
  EM074: {
    flags: {
      redirect_cleartext_from: {
        objects: [object('TLSContext', 't1/c', { secret: 's1', redirect_cleartext_from: 8080 })],
        finds: { object: 'TLSContext t1/c', severity: 'warning', impact: 'no-effect' },
      },
      'two different ones': {
        objects: [
          object('TLSContext', 't1/c1', { secret: 's1', redirect_cleartext_from: 8080 }),
          object('TLSContext', 't1/c2', { secret: 's1', redirect_cleartext_from: 8081 }),
        ],
        secrets: ['t1/s1'],
        finds: { object: 'TLSContext t1/c2', other: 'TLSContext t1/c1', severity: 'error', impact: 'drop' },
      },
      additionalPort: [host('t1/h1', { requestPolicy: { insecure: { action: 'Route', additionalPort: 8081 } } })],
      previewUrl: [host('t1/h1', { previewUrl: { enabled: true } })],
      prune_unreachable_routes: [
        object('Module', 'emissary/ambassador', { config: { prune_unreachable_routes: true } }),
      ],
    },
    passes: {
      'requestPolicy.insecure': [host('t1/h1', { requestPolicy: { insecure: { action: 'Redirect' } } })],
      'a context': [object('TLSContext', 't1/c', { secret: 's1' })],
    },
  },
};

export const TCP_CASES: Record<string, RuleCases> = {
  EM076: {
    flags: {
      'nothing that terminates TLS': {
        objects: [object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' })],
        finds: { object: 'TCPMapping t1/t', severity: 'error', impact: 'drop', host: 'b.com' },
      },
      'a Host without TLS': [
        host('t1/h1', { hostname: 'b.com' }),
        object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' }),
      ],
      'a context for other hosts': {
        objects: [
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['*.com'] }),
          object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' }),
        ],
        secrets: ['t1/s1'],
      },
      'a Listener without TLS': {
        objects: [
          listener('t1/l', { port: 9000, protocol: 'TCP' }),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['b.com'] }),
          object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' }),
        ],
        secrets: ['t1/s1'],
        finds: { object: 'TCPMapping t1/t', other: 'Listener t1/l', host: 'b.com', says: /no TLS in its stack/ },
        count: 1,
      },
    },
    passes: {
      'a Listener with TLS': {
        objects: [
          listener('t1/l', { port: 9000, protocol: 'TLS' }),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['b.com'] }),
          object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' }),
        ],
        secrets: ['t1/s1'],
      },
      'a context that lists it': {
        objects: [
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['b.com'] }),
          object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' }),
        ],
        secrets: ['t1/s1'],
      },
      'a Host that fits': {
        objects: [
          host('t1/h1', { ...S1, hostname: '*.com' }),
          object('TCPMapping', 't1/t', { port: 9000, host: 'b.com', service: 'db' }),
        ],
        secrets: ['t1/s1'],
      },
      'no host': [object('TCPMapping', 't1/t', { port: 9000, service: 'db' })],
    },
  },
  EM077: {
    flags: {
      'one name on one port': {
        objects: [HTTPS, host('t1/h1', S1), object('TCPMapping', 't2/t', { port: 8443, host: 'a.com', service: 'db' })],
        secrets: ['t1/s1'],
        finds: { object: 'TCPMapping t2/t', other: 'Host t1/h1', severity: 'error', impact: 'steal', host: 'a.com' },
      },
    },
    passes: {
      'another port': {
        objects: [HTTPS, host('t1/h1', S1), object('TCPMapping', 't2/t', { port: 9443, host: 'a.com', service: 'db' })],
        secrets: ['t1/s1'],
      },
      'another name': {
        objects: [
          HTTPS,
          host('t1/h1', S1),
          object('TLSContext', 't1/c', { secret: 's1', hosts: ['b.com'] }),
          object('TCPMapping', 't2/t', { port: 8443, host: 'b.com', service: 'db' }),
        ],
        secrets: ['t1/s1'],
      },
    },
  },
  EM078: {
    flags: {
      'a weight and none': {
        objects: [
          object('TCPMapping', 't1/a', { port: 9000, service: 'a', weight: 10 }),
          object('TCPMapping', 't1/b', { port: 9000, service: 'b' }),
        ],
        finds: { severity: 'warning', says: /t1\/a \(weight 10\) gets 9 %, t1\/b \(weight none\) gets 91 %/ },
        count: 1,
      },
      'no weights': [
        object('TCPMapping', 't1/a', { port: 9000, service: 'a' }),
        object('TCPMapping', 't1/b', { port: 9000, service: 'b' }),
      ],
    },
    passes: {
      one: [object('TCPMapping', 't1/a', { port: 9000, service: 'a', weight: 10 })],
      'two ports': [
        object('TCPMapping', 't1/a', { port: 9000, service: 'a' }),
        object('TCPMapping', 't1/b', { port: 9001, service: 'b' }),
      ],
    },
  },
};
