import { from, mapping, object, service, written, type RuleCases } from './case.ts';

const FLAT =
  'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: m\nhostname: a.com\nprefix: /x/\nservice: web\n';
const SPEC = { prefix: '/x/', service: 'web' };

function ofV2(spec: object) {
  return written('getambassador.io/v2', 'Mapping', 'shop/m', { spec: { ...SPEC, ...spec } });
}

function ingress(annotations: Record<string, string>) {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return written('networking.k8s.io/v1', 'Ingress', 'shop/web', { spec: { defaultBackend: backend } }, { annotations });
}

export const FORM_CASES: Record<string, RuleCases> = {
  EM090: {
    flags: {
      'a tab that indents': {
        objects: [service('shop/web', `${FLAT}---\nkind: Mapping\nspec:\n\tprefix: /x/\n`)],
        finds: { object: 'Service shop/web', severity: 'error', impact: 'drop', says: /line \d+/ },
      },
      'a list': [service('shop/web', '- kind: Mapping\n')],
      'a document without a kind': [service('shop/web', `${FLAT}---\nname: x\n`)],
    },
    passes: {
      'no leading ---': [service('shop/web', FLAT)],
      'comments and empty documents': [service('shop/web', `---\n# nothing\n---\n${FLAT}---\n`)],
      'what stands on an object where it is not read': [
        written('apps/v1', 'Deployment', 'shop/web', {}, { annotations: { 'getambassador.io/config': '- x' } }),
      ],
    },
  },
  EM091: {
    flags: {
      'ambassador/v0': {
        objects: [service('shop/web', FLAT.replace('getambassador.io/v3alpha1', 'ambassador/v0'))],
        finds: { object: 'Mapping shop/m in the annotation of Service shop/web', says: /getambassador.io\/v0/ },
      },
      'a Host in v1': [service('shop/web', 'apiVersion: ambassador/v1\nkind: Host\nname: h\n')],
      'another group': [service('shop/web', FLAT.replace('getambassador.io', 'example.com'))],
      'no apiVersion': [service('shop/web', 'kind: Mapping\nname: m\nprefix: /x/\nservice: web\n')],
      'a name that YAML takes for false': {
        objects: [service('shop/web', FLAT.replace('name: m', 'name: n'))],
        finds: { says: /not a text; quote it/ },
      },
      'no name': { objects: [service('shop/web', FLAT.replace('name: m\n', ''))], finds: { says: /has no name/ } },
    },
    passes: { 'ambassador/v2': [service('shop/web', FLAT.replace('getambassador.io/v3alpha1', 'ambassador/v2'))] },
  },
  EM092: {
    flags: {
      'another namespace': {
        objects: [service('shop/web', `${FLAT}namespace: other\n`)],
        finds: { object: 'Mapping other/m in the annotation of Service shop/web', impact: 'protection-lost' },
      },
    },
    passes: {
      'the same namespace': [service('shop/web', `${FLAT}namespace: shop\n`)],
      none: [service('shop/web', FLAT)],
    },
  },
  EM093: {
    flags: {
      'on a Deployment': {
        objects: [
          written('apps/v1', 'Deployment', 'shop/web', {}, { annotations: { 'getambassador.io/config': FLAT } }),
        ],
        finds: { object: 'Deployment shop/web', severity: 'warning', impact: 'no-effect' },
      },
      'on a policy': [mapping('shop/m', {}, { annotations: { 'getambassador.io/config': FLAT } })],
      'on a Service of Knative': [
        written(
          'serving.knative.dev/v1',
          'Service',
          'shop/web',
          {},
          { annotations: { 'getambassador.io/config': FLAT } },
        ),
      ],
    },
    passes: {
      'on a Service': [service('shop/web', FLAT)],
      'on an Ingress': [ingress({ 'getambassador.io/config': FLAT })],
    },
  },
  EM094: {
    flags: {
      'v2 where only v3alpha1 is served': {
        objects: [ofV2({})],
        guard: { servedVersions: new Set(['getambassador.io/v3alpha1']) },
        finds: { object: 'Mapping shop/m', severity: 'error' },
      },
      'v2 under Emissary 4, when nobody knows what is served': { objects: [ofV2({})], finds: { severity: 'warning' } },
      'a kind that the version does not have': [written('getambassador.io/v1', 'Host', 'shop/h', { spec: {} })],
      'a version that never was': [written('getambassador.io/v9', 'Mapping', 'shop/m', { spec: SPEC })],
    },
    passes: {
      'v2 where it is served': {
        objects: [ofV2({})],
        guard: { servedVersions: new Set(['getambassador.io/v3alpha1', 'getambassador.io/v2']) },
      },
      'v2 under Emissary 3': { objects: [ofV2({})], settings: { version: '3.9.1' } },
      'v2 in an annotation, which Emissary converts itself': [
        service('shop/web', 'apiVersion: ambassador/v2\nkind: Mapping\nname: m\nprefix: /x/\nservice: web\n'),
      ],
    },
  },
  EM095: {
    flags: {
      'hostname in v2': {
        objects: [ofV2({ hostname: 'a.com' })],
        finds: { object: 'Mapping shop/m', impact: 'steal', says: /spec\.hostname, which v2 does not have/ },
      },
      'an id that is text in v3alpha1': [mapping('shop/m', { ambassador_id: 'default' })],
      'tls: true in v3alpha1': {
        objects: [mapping('shop/m', { tls: true })],
        count: 1,
        finds: { says: /spec\.tls must be a text/ },
      },
      'a name of v2 in v3alpha1': [mapping('shop/m', { v3StatsName: 'x' })],
      'host in v3alpha1': {
        objects: [mapping('shop/m', { hostname: undefined, host: 'a.com' })],
        finds: { severity: 'warning', says: /spec\.host,/ },
      },
    },
    passes: {
      'v2 with host': [ofV2({ host: 'a.com', ambassador_id: 'default', tls: true, headers: { 'x-a': true } })],
      'v3alpha1 with hostname': [mapping('shop/m')],
      'a regular expression of hosts': [mapping('shop/m', { hostname: undefined, host: '.*', host_regex: true })],
      'an Ingress, whose policies nobody wrote': [ingress({ 'kubernetes.io/ingress.class': 'ambassador' })],
    },
  },
  EM096: {
    flags: {
      'a typing error': {
        objects: [mapping('shop/m', { weigth: 10 })],
        finds: { object: 'Mapping shop/m', says: /spec\.weigth/ },
      },
      'a typing error inside': [mapping('shop/m', { retry_policy: { retry_on: '5xx', retries: 3 } })],
      'one in an annotation': [service('shop/web', `${FLAT}weigth: 10\n`)],
    },
    passes: {
      'the settings of a Module': [object('Module', 'emissary/other', { config: { anything: 1 } })],
      envoy_override: [mapping('shop/m', { envoy_override: { anything: 1 } })],
      'a field of another version, which EM095 names': [ofV2({ hostname: 'a.com' })],
    },
  },
  EM097: {
    flags: {
      'an id that was mangled': {
        objects: [
          from('team', mapping('shop/m', { ambassador_id: ['--apiVersion-v3alpha1-only--default', 'default'] })),
        ],
        finds: { says: /ambassador_id\.0/ },
      },
      'a marker for no host': [from('team', ofV2({ host: '_skip_mapping_with_empty_host_' }))],
      'how v2 spelled it': [from('team', mapping('shop/m', { v2ExplicitTLS: { tls: 'null' } }))],
      'how v2 spelled it, inside': [
        from('team', mapping('shop/m', { add_request_headers: { a: { v2Representation: 'string' } } })),
      ],
    },
    passes: {
      'an object that is only live': [ofV2({ host: '_skip_mapping_with_empty_host_' })],
      'a clean one': [from('team', mapping('shop/m'))],
    },
  },
  EM098: {
    flags: {
      'an Ingress of the class': {
        objects: [ingress({ 'kubernetes.io/ingress.class': 'ambassador' })],
        finds: { object: 'Ingress shop/web', severity: 'info', says: /Mapping web-default-backend/ },
        count: 1,
      },
    },
    passes: {
      'an Ingress of another class': [ingress({ 'kubernetes.io/ingress.class': 'nginx' })],
      'the annotation of an Ingress': [ingress({ 'getambassador.io/config': FLAT })],
    },
  },
  EM099: {
    flags: {
      'a text for a number': {
        objects: [mapping('shop/m', { weight: '10' })],
        finds: { object: 'Mapping shop/m', says: /spec\.weight must be a whole number/ },
      },
      'what is missing': {
        objects: [mapping('shop/m', { service: undefined })],
        finds: { says: /must have the field service/ },
      },
      'a value that is none': [
        object('Listener', 'shop/l', { port: 80, protocol: 'FTP', securityModel: 'XFP', hostBinding: {} }),
      ],
      'one in an annotation': [service('shop/web', `${FLAT}weight: "10"\n`)],
    },
    passes: {
      'a good one': [mapping('shop/m', { weight: 10 })],
      'a form of another version, which EM095 names': [mapping('shop/m', { ambassador_id: 'default' })],
      'a value that another rule knows more about': [mapping('shop/m', { retry_policy: { retry_on: 'never' } })],
    },
  },
};
