import { from, host, listener, mapping, type RuleCases } from './case.ts';

const REGEX = { prefix: '/api/(v1|v2)/.*', prefix_regex: true };
const GRANT = { holder: 'platform', namespaces: new Set(['t2']), hosts: ['*'], prefixes: [], kinds: [] };

const WIDE = { hostname: '*.a.com' };
const NARROW = { hostname: 'x.a.com', mappingSelector: { matchLabels: { app: 'x' } } };
/** Of the narrow Host, and of the wide one too; then something for every name that the narrow Host does not select. */
const APART = [
  mapping('t1/m', { hostname: 'x.a.com', prefix: '/api/' }, { labels: { app: 'x' } }),
  mapping('t2/m', { hostname: '*', prefix: '/api/v1/' }),
];

export const ORDER_CASES: Record<string, RuleCases> = {
  EM021: {
    flags: {
      'one route at two precedences': {
        objects: [mapping('t1/a'), mapping('t1/b', { precedence: 1 })],
        finds: { severity: 'error', object: 'Mapping t1/a', other: 'Mapping t1/b' },
      },
    },
    passes: {
      'two routes': [mapping('t1/a'), mapping('t1/b', { prefix: '/y/', precedence: 1 })],
      'a part of it': [mapping('t1/a'), mapping('t1/b', { precedence: 1, headers: { 'x-v': '2' } })],
    },
  },
  EM022: {
    flags: {
      'a regular expression whose text is longer': {
        objects: [mapping('t1/a', { prefix: '/api/v1/users' }), mapping('t1/b', REGEX)],
        finds: { severity: 'error', object: 'Mapping t1/a', other: 'Mapping t1/b', path: '/api/v1/users' },
      },
      'a precedence': [mapping('t1/a', { prefix: '/api/v1' }), mapping('t1/b', { prefix: '/api', precedence: 1 })],
      'header names in other letters': [
        mapping('t1/a', { headers: { 'X-A': '1' } }),
        mapping('t1/b', { headers: { 'x-a': '1' } }),
      ],
      'a method in two spellings': [
        mapping('t1/a', { method: 'GET' }),
        mapping('t1/b', { headers: { ':method': 'GET', 'x-a': true }, precedence: -1 }),
      ],
      'every host, before one host': {
        objects: [
          mapping('t1/a', { prefix: '/x/y/' }),
          mapping('t2/b', { hostname: '*', prefix: '/x/', precedence: 1 }),
        ],
        finds: { object: 'Mapping t1/a', host: 'a.com', says: /\(a\.com \/x\/y\/\).*\(\* \/x\/ precedence 1\)/ },
      },
      'a glob': [mapping('t1/a', { prefix: '/x/y/' }), mapping('t1/b', { hostname: '*.com', precedence: 1 })],
      'a host_regex': [
        mapping('t1/a', { prefix: '/x/y/' }),
        mapping('t1/b', { hostname: undefined, host: String.raw`.*\.com`, host_regex: true, precedence: 1 }),
      ],
      'letter case that does not count': [
        mapping('t1/a', { prefix: '/X/y/' }),
        mapping('t1/b', { case_sensitive: false, precedence: 1 }),
      ],
      'an exact path': [
        mapping('t1/a', { prefix_exact: true, prefix: '/x/y' }),
        mapping('t1/b', { prefix: '/x/.*|/y', prefix_regex: true }),
      ],
      'a redirect': [mapping('t1/a', { prefix: '/x/y/' }), mapping('t1/b', { host_redirect: true, precedence: 1 })],
      'a value that a regular expression takes': [
        mapping('t1/a', { headers: { 'x-v': '12' } }),
        mapping('t1/b', { regex_headers: { 'x-v': '[0-9][0-9]?[0-9]?' } }),
      ],
    },
    passes: {
      'a text that is longer than the regular expression': [
        mapping('t1/a', { prefix: '/api/v1/users/long/long' }),
        mapping('t1/b', REGEX),
      ],
      'a longer prefix': [mapping('t1/a', { prefix: '/api/v1' }), mapping('t1/b', { prefix: '/api' })],
      'another host': [mapping('t1/a', { prefix: '/x/y/' }), mapping('t1/b', { hostname: 'b.com', precedence: 1 })],
      'the first asks for more': [
        mapping('t1/a', { prefix: '/x/y/' }),
        mapping('t1/b', { precedence: 1, headers: { 'x-v': '2' } }),
      ],
      'only one of two alternatives goes on': [
        mapping('t1/a', { prefix: '/x/y' }),
        mapping('t1/b', { prefix: '/x/y|/zzzzzzz/.*', prefix_regex: true }),
      ],
      'a dot that is meant': [
        mapping('t1/a', { prefix: '/x/y.' }),
        mapping('t1/b', { prefix: String.raw`/x/[a-z]\.*`, prefix_regex: true }),
      ],
      'weights that leave a part': [
        mapping('t1/a', { prefix: '/x/y/' }),
        mapping('t1/b', { precedence: 1, weight: 30 }),
        mapping('t1/c', { precedence: 1, weight: 30 }),
      ],
      'no Host serves both': [
        host('t1/h1', { mappingSelector: { matchLabels: { a: '1' } } }),
        host('t1/h2', { hostname: '*.com', mappingSelector: { matchLabels: { b: '1' } } }),
        mapping('t1/a', { prefix: '/x/y/' }, { labels: { a: '1' } }),
        mapping('t1/b', { precedence: 1 }, { labels: { b: '1' } }),
      ],
      'a shadow': [mapping('t1/a', { prefix: '/x/y/' }), mapping('t1/b', { shadow: true, precedence: 1 })],
    },
  },
  EM023: {
    flags: {
      'a path below, on every host': {
        objects: [mapping('t1/m', { prefix: '/api/' }), mapping('t2/m', { hostname: '*', prefix: '/api/v1/' })],
        finds: { severity: 'error', object: 'Mapping t2/m', other: 'Mapping t1/m', host: 'a.com', path: '/api/v1/' },
      },
      'a path below, on the same host': {
        objects: [mapping('t1/m', { prefix: '/api/' }), mapping('t2/m', { prefix: '/api/v1/' })],
        finds: { severity: 'warning', object: 'Mapping t2/m' },
      },
      'below a catch-all': {
        objects: [mapping('t1/m', { prefix: '/' }), mapping('t2/m', { prefix: '/api/v1/' })],
        finds: { severity: 'info' },
      },
      'every host, granted': {
        objects: [mapping('t1/m', { prefix: '/api/' }), mapping('t2/m', { hostname: '*', prefix: '/api/v1/' })],
        guard: { grants: [GRANT] },
        finds: { severity: 'warning' },
      },
      'a header': [mapping('t1/m'), mapping('t2/m', { headers: { 'x-v': '2' } })],
      'below a regular expression': [mapping('t1/m', REGEX), mapping('t2/m', { prefix: '/api/v1/users/long/long' })],
      'a regular expression that takes some': {
        objects: [mapping('t1/m', { prefix: '/api/v1' }), mapping('t2/m', REGEX)],
        finds: { object: 'Mapping t2/m', says: /at least \/api\/v1\/x/ },
      },
      'a Host of the name that another Listener takes': {
        objects: [
          ...APART,
          host('t1/h', NARROW),
          host('t3/h', WIDE),
          listener('t1/inner', { port: 8081, hostBinding: { namespace: { from: 'SELF' } } }),
          listener('t3/outer', { hostBinding: { namespace: { from: 'SELF' } } }),
        ],
        finds: { severity: 'error', object: 'Mapping t2/m', other: 'Mapping t1/m' },
      },
      'a Host of the name without TLS beside one with it': {
        objects: [
          ...APART,
          host('t1/h', NARROW),
          host('t3/h', { ...WIDE, tlsSecret: { name: 'cert' } }),
          listener('t3/l', { protocol: 'HTTPS' }),
        ],
        secrets: ['t3/cert'],
        finds: { severity: 'error', object: 'Mapping t2/m', other: 'Mapping t1/m' },
      },
      'one of two hosts of the same owner': {
        objects: [
          ...APART,
          mapping('t1/n', { hostname: 'y.a.com', prefix: '/api/' }),
          host('t1/h', NARROW),
          host('t3/h', { hostname: 'y.a.com' }),
        ],
        finds: { severity: 'error', object: 'Mapping t2/m', other: 'Mapping t1/n' },
      },
      'two sources of one namespace': [
        from('one', mapping('t1/a', { prefix: '/api/' })),
        from('two', mapping('t1/b', { prefix: '/api/v1/' })),
      ],
    },
    passes: {
      'one owner': [mapping('t1/a', { prefix: '/api/' }), mapping('t1/b', { hostname: '*', prefix: '/api/v1/' })],
      'another path': [mapping('t1/m', { prefix: '/api/' }), mapping('t2/m', { hostname: '*', prefix: '/app/' })],
      'a wider Host that gets no requests for the name': [...APART, host('t1/h', NARROW), host('t3/h', WIDE)],
      'another host': [
        mapping('t1/m', { prefix: '/api/' }),
        mapping('t2/m', { hostname: 'b.com', prefix: '/api/v1/' }),
      ],
    },
  },
  EM028: {
    flags: {
      'a regular expression': {
        objects: [mapping('t1/m', { hostname: undefined, host: String.raw`.*\.com`, host_regex: true })],
        finds: { severity: 'warning', object: 'Mapping t1/m' },
      },
    },
    passes: {
      'a glob': [mapping('t1/m', { hostname: '*.com' })],
      'a hostname beside it counts': [mapping('t1/m', { host: '.*', host_regex: true })],
    },
  },
};
