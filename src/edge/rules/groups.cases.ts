import { from, host, mapping, type RuleCases, service } from './case.ts';

const ONE_ROUTE = [mapping('t1/m', { service: 'a' }), mapping('t2/m', { service: 'b' })];
const shared = (namespaces: string) => ({ annotations: { 'plumbline.dev/route-group': namespaces } });
const SHARED = shared('t1, t2');
const SELECTING = host('t1/h', { mappingSelector: { matchLabels: { team: 'x' } } });
const LABELLED = { labels: { team: 'x' } };

export const GROUP_CASES: Record<string, RuleCases> = {
  EM010: {
    flags: {
      'two teams, one route': {
        objects: ONE_ROUTE,
        finds: {
          severity: 'error',
          impact: 'steal',
          host: 'a.com',
          path: '/x/',
          says: /50 % goes to t1\/m, 50 % goes to t2\/m/,
        },
        count: 1,
      },
      'a weight is no agreement': [mapping('t1/m', { service: 'a' }), mapping('t2/m', { service: 'b', weight: 10 })],
      'three spellings of one host': [
        mapping('t1/m', { hostname: undefined, host: 'a.com' }),
        mapping('t2/m', { hostname: undefined, headers: { ':authority': 'a.com' } }),
      ],
      'two sources in one namespace': {
        objects: [from('one', mapping('t1/m1'), 'one.yaml'), from('two', mapping('t1/m2'), 'two.yaml')],
        finds: { says: /source one.*source two|source two.*source one/ },
      },
      'only one side agreed': [mapping('t1/m', {}, SHARED), mapping('t2/m')],
      'one joins whom the other does not name': [
        mapping('t1/m', {}, SHARED),
        mapping('t3/m', {}, shared('t1, t2, t3')),
      ],
      'one says the same without being named': [mapping('t1/m', {}, SHARED), mapping('t3/m', {}, SHARED)],
      'in an annotation': [
        mapping('t1/m', { service: 'a' }),
        service(
          't2/svc',
          'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: other\nhostname: a.com\nprefix: /x/\nservice: b\n',
        ),
      ],
    },
    passes: {
      'another host': [mapping('t1/m'), mapping('t2/m', { hostname: 'b.com' })],
      'another header': [mapping('t1/m'), mapping('t2/m', { headers: { 'x-v': '2' } })],
      'one owner': [mapping('t1/m1'), mapping('t1/m2', { weight: 10 })],
      'one source in two namespaces': [from('one', mapping('t1/m')), from('one', mapping('t2/m', { weight: 10 }))],
      'both sides agreed': [mapping('t1/m', {}, SHARED), mapping('t2/m', { weight: 10 }, SHARED)],
      'both sides agreed, and one with a third': [mapping('t1/m', {}, SHARED), mapping('t2/m', {}, shared('t2,t1,t3'))],
      'a canary of Argo Rollouts': [from('one', mapping('t1/app')), mapping('t1/app-canary', { weight: 10 })],
    },
  },
  EM011: {
    flags: {
      'two services, no weight': {
        objects: [mapping('t1/m1', { service: 'a' }), mapping('t1/m2', { service: 'b' })],
        finds: { severity: 'warning', object: 'Mapping t1/m2', other: 'Mapping t1/m1' },
      },
    },
    passes: {
      'a canary': [mapping('t1/m1', { service: 'a' }), mapping('t1/m2', { service: 'b', weight: 10 })],
      'two owners': ONE_ROUTE,
    },
  },
  EM012: {
    flags: {
      'bypass_auth on the canary only': {
        objects: [mapping('t1/m'), mapping('t1/m-canary', { weight: 10, bypass_auth: true }), mapping('t1/a')],
        finds: { object: 'Mapping t1/m-canary', impact: 'drop', says: /bypass_auth/ },
      },
    },
    passes: {
      'the canary times out earlier': [mapping('t1/a'), mapping('t1/b', { weight: 10, timeout_ms: 5, rewrite: '/y/' })],
      'a prefix and an exact path': [mapping('t1/a'), mapping('t1/b', { prefix_exact: true })],
    },
  },
  EM013: {
    flags: {
      'a prefix first': {
        objects: [mapping('t1/a', { prefix: '/foo/' }), mapping('t1/b', { prefix: '/foo/', prefix_exact: true })],
        finds: { object: 'Mapping t1/b', impact: 'drop', says: /exact; the first one: prefix/ },
      },
      'an exact path first': {
        objects: [mapping('t1/a', { prefix: '/foo/', prefix_exact: true }), mapping('t1/b', { prefix: '/foo/' })],
        finds: { object: 'Mapping t1/b', impact: 'steal', says: /written as prefix, but read as exact/ },
      },
    },
    passes: {
      'different texts': [
        mapping('t1/a', { prefix: '/foo', prefix_exact: true }),
        mapping('t1/b', { prefix: '/foo/' }),
      ],
      alike: [mapping('t1/a', { prefix_exact: true }), mapping('t1/b', { prefix_exact: true, weight: 10 })],
    },
  },
  EM018: {
    flags: {
      'a header for the canary': {
        objects: [
          mapping('t1/a'),
          mapping('t1/b', { weight: 10, add_request_headers: { 'x-canary': { value: '1' } } }),
        ],
        finds: { severity: 'warning', says: /add_request_headers/ },
      },
    },
    passes: {
      'the same headers': [
        mapping('t1/a', { add_request_headers: { 'x-a': { value: '1' } } }),
        mapping('t1/b', { weight: 10, add_request_headers: { 'x-a': { value: '1' } } }),
      ],
      'one Mapping': [mapping('t1/a', { cors: { origins: ['*'] } })],
    },
  },
  EM024: {
    flags: {
      '/api/v with precedence 1 and /api/v1': {
        objects: [
          mapping('t1/a', { hostname: undefined, prefix: '/api/v', precedence: 1 }),
          mapping('t1/b', { hostname: undefined, prefix: '/api/v1' }),
        ],
        finds: { object: 'Mapping t1/b', other: 'Mapping t1/a' },
      },
      'a.com with precedence 1 and a.com1': [
        mapping('t1/a', { precedence: 1 }),
        mapping('t1/b', { hostname: 'a.com1' }),
      ],
    },
    passes: {
      'a slash between': [
        mapping('t1/a', { hostname: undefined, prefix: '/api/v/', precedence: 1 }),
        mapping('t1/b', { hostname: undefined, prefix: '/api/v1' }),
      ],
    },
  },
  EM025: {
    flags: {
      'a redirect and a service': {
        objects: [mapping('t1/a', { prefix: '/', host_redirect: true }), mapping('t1/b', { prefix: '/' })],
        finds: { object: 'Mapping t1/b', other: 'Mapping t1/a', impact: 'drop' },
      },
      'two redirects': [mapping('t1/a', { host_redirect: true }), mapping('t1/b', { host_redirect: true })],
    },
    passes: {
      'two paths': [mapping('t1/a', { prefix: '/old/', host_redirect: true }), mapping('t1/b', { prefix: '/' })],
    },
  },
  EM026: {
    flags: {
      'a lone shadow': {
        objects: [mapping('t1/a', { shadow: true })],
        finds: { object: 'Mapping t1/a', says: /nothing is served/ },
      },
      'two shadows': [mapping('t1/a'), mapping('t1/b', { shadow: true }), mapping('t1/c', { shadow: true })],
      'the shadow of another team': {
        objects: [mapping('t1/a'), mapping('t2/b', { shadow: true })],
        finds: { object: 'Mapping t2/b', other: 'Mapping t1/a', impact: 'protection-lost' },
      },
    },
    passes: {
      'one shadow of the same owner': [mapping('t1/a'), mapping('t1/b', { shadow: true })],
    },
  },
  EM027: {
    flags: {
      'without the labels beside one that has them': {
        objects: [SELECTING, mapping('t1/m', {}, LABELLED), mapping('t2/m')],
        finds: { object: 'Mapping t2/m', other: 'Mapping t1/m', says: /Host t1\/h/ },
      },
    },
    passes: {
      'both have them': [SELECTING, mapping('t1/m', {}, LABELLED), mapping('t2/m', {}, LABELLED)],
      'no selector': [host('t1/h'), mapping('t1/m', {}, LABELLED), mapping('t2/m')],
      'a canary of Argo Rollouts': [
        SELECTING,
        from('one', mapping('t1/app', {}, LABELLED)),
        mapping('t1/app-canary', { weight: 10 }),
      ],
    },
  },
};
