import { host, listener, mapping, object, type RuleCases, written } from './case.ts';

const SELECTING = host('t1/h', { mappingSelector: { matchLabels: { team: 'x' } } });
const LABELLED = { labels: { team: 'x' } };

export const ATTACHMENT_CASES: Record<string, RuleCases> = {
  EM030: {
    flags: {
      'a prefix only': {
        objects: [mapping('t1/m', { hostname: undefined })],
        finds: { object: 'Mapping t1/m', path: '/x/', severity: 'error', impact: 'no-effect' },
      },
      'labels that no Host asks for': [SELECTING, mapping('t1/m', { hostname: undefined }, { labels: { team: 'y' } })],
    },
    passes: {
      'a hostname': [mapping('t1/m', { hostname: '*' })],
      'the labels': [SELECTING, mapping('t1/m', { hostname: undefined }, LABELLED)],
      'version 2, where it means every host': [
        written('getambassador.io/v2', 'Mapping', 't1/m', { spec: { prefix: '/x/', service: 'svc' } }),
      ],
    },
  },
  EM031: {
    flags: {
      'another host': {
        objects: [host('t1/h'), mapping('t1/m', { hostname: 'b.com' })],
        finds: { object: 'Mapping t1/m', host: 'b.com' },
      },
      'letter case': {
        objects: [host('t1/h'), mapping('t1/m', { hostname: 'A.com' })],
        finds: { says: /letter case/ },
      },
      'a port': { objects: [host('t1/h'), mapping('t1/m', { hostname: 'a.com:8443' })], finds: { says: /ports/ } },
      'a selector': { objects: [SELECTING, mapping('t1/m')], finds: { says: /other labels/ } },
      'a redirect without a Host': [host('t1/h'), mapping('t1/m', { hostname: 'b.com', host_redirect: true })],
    },
    passes: {
      'every host': [host('t1/h'), mapping('t1/m', { hostname: '*' })],
      'a glob of the Host': [host('t1/h', { hostname: '*.com' }), mapping('t1/m')],
      'no Host at all: Emissary makes one': { objects: [mapping('t1/m'), listener('t1/l')], bare: true },
    },
  },
  EM032: {
    flags: {
      'a host': {
        objects: [mapping('t1/m', { hostname: undefined, host: '*.com' })],
        finds: { impact: 'drop', says: /\*\.com/ },
      },
      'the header :authority': [mapping('t1/m', { hostname: undefined, headers: { ':authority': '*.com' } })],
    },
    passes: {
      'a hostname': [mapping('t1/m', { hostname: '*.com' })],
      'a regular expression': [mapping('t1/m', { hostname: undefined, host: '.*', host_regex: true })],
    },
  },
  EM033: {
    flags: {
      'stars in the middle': { objects: [mapping('t1/m', { hostname: '*.*.com' })], finds: { host: '*.*.com' } },
      'stars at both ends': [mapping('t1/m', { hostname: '*a*' })],
      'a leading dot': [mapping('t1/m', { hostname: '.com' })],
      'of a Host': { objects: [host('t1/h', { hostname: '*.*.com' })], finds: { object: 'Host t1/h' } },
    },
    passes: {
      'one star': [mapping('t1/m', { hostname: '*.com' })],
      'a star at the end': [mapping('t1/m', { hostname: 'a.*' })],
      'nothing else': [mapping('t1/m', { hostname: '*' })],
    },
  },
  EM034: {
    flags: {
      both: { objects: [mapping('t1/m', { host: 'b.com' })], finds: { severity: 'warning', says: /b\.com.*a\.com/ } },
      'the header :authority': [mapping('t1/m', { headers: { ':authority': 'b.com' } })],
    },
    passes: {
      'host only': [mapping('t1/m', { hostname: undefined, host: 'b.com' })],
      'hostname only': [mapping('t1/m')],
    },
  },
  EM035: {
    flags: {
      'a Host that asks for labels': {
        objects: [SELECTING, mapping('t1/m', { host_redirect: true }, LABELLED)],
        finds: { object: 'Mapping t1/m', other: 'Host t1/h' },
      },
      'labels in place of a hostname': [
        SELECTING,
        mapping('t1/m', { hostname: undefined, host_redirect: true }, LABELLED),
      ],
    },
    passes: {
      'a Host that does not': [host('t1/h'), mapping('t1/m', { host_redirect: true }, LABELLED)],
      'no redirect': [SELECTING, mapping('t1/m', {}, LABELLED)],
    },
  },
  EM036: {
    flags: {
      'nothing else': {
        objects: [host('t1/h', { mappingSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] } })],
        finds: { object: 'Host t1/h', severity: 'error', says: /every Mapping/ },
      },
      'of a Listener': [
        listener('t1/l', {
          hostBinding: {
            namespace: { from: 'ALL' },
            selector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
          },
        }),
      ],
    },
    passes: { matchLabels: [SELECTING], 'no selector': [host('t1/h', { mappingSelector: null })] },
  },
  EM037: {
    flags: {
      'another namespace': {
        objects: [listener('t1/l', { hostBinding: { namespace: { from: 'SELF' } } }), host('t2/h')],
        finds: { object: 'Host t2/h', impact: 'no-effect' },
      },
    },
    passes: { 'all namespaces': [listener('t1/l'), host('t2/h')] },
  },
  EM038: {
    flags: {
      'labels that nobody has': {
        objects: [
          listener('t1/l', { hostBinding: { namespace: { from: 'ALL' }, selector: { matchLabels: { a: 'b' } } } }),
        ],
        finds: { object: 'Listener t1/l', severity: 'warning' },
      },
    },
    passes: {
      'a Host': [listener('t1/l'), host('t1/h')],
      'a TCPMapping': {
        objects: [
          listener('t1/l', { port: 9000, protocol: 'TCP', hostBinding: { namespace: { from: 'SELF' } } }),
          object('TCPMapping', 't1/m', { port: 9000, service: 'db' }),
          host('t2/h'),
        ],
      },
    },
  },
  EM039: {
    flags: {
      'one port': {
        objects: [listener('t1/a'), listener('t2/b')],
        finds: { object: 'Listener t2/b', other: 'Listener t1/a', impact: 'drop' },
      },
    },
    passes: {
      'two ports': [listener('t1/a'), listener('t2/b', { port: 8081 })],
      'TCP and UDP': [
        listener('t1/a', { port: 8443, protocol: 'HTTPS' }),
        listener('t1/b', { port: 8443, protocol: undefined, protocolStack: ['TLS', 'HTTP', 'UDP'] }),
      ],
    },
  },
  EM040: {
    flags: { 'no slash': { objects: [mapping('t1/m', { prefix: 'api/' })], finds: { path: 'api/' } } },
    passes: {
      'a regular expression': [mapping('t1/m', { prefix: '^/api', prefix_regex: true })],
      'a slash': [mapping('t1/m')],
      nothing: [mapping('t1/m', { prefix: '' })],
    },
  },
  EM041: {
    flags: {
      'a probe': {
        objects: [mapping('t1/m', { hostname: '*', prefix: '/ambassador/v0/check_ready' })],
        finds: { severity: 'error', path: '/ambassador/v0/check_ready' },
      },
      below: { objects: [mapping('t1/m', { prefix: '/ambassador/v0/mine' })], finds: { severity: 'warning' } },
      'ACME challenges': [mapping('t1/m', { prefix: '/.well-known/acme-challenge/' })],
    },
    passes: { 'a like name': [mapping('t1/m', { hostname: '*', prefix: '/ambassador-docs/' })] },
  },
  EM042: {
    flags: {
      'an empty list, which is none': {
        objects: [mapping('t1/m', { ambassador_id: [] })],
        finds: { severity: 'warning', says: /empty list/ },
      },
      '_automatic_ beside others': [mapping('t1/m', { ambassador_id: ['_automatic_', 'other'] })],
      'another gateway': { objects: [mapping('t1/m', { ambassador_id: ['other'] })], finds: { severity: 'info' } },
      'none, before another gateway': {
        objects: [mapping('t1/m')],
        settings: { ambassadorId: 'other' },
        finds: { severity: 'info', says: /is default, as it has none, not other$/ },
      },
    },
    passes: {
      absent: [mapping('t1/m')],
      'this gateway among others': [mapping('t1/m', { ambassador_id: ['other', 'default'] })],
      '_automatic_ alone': [mapping('t1/m', { ambassador_id: ['_automatic_'] })],
    },
  },
};
