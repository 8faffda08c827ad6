import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeObject, type SecretShape } from './input.ts';
import type { Edge, Route } from './model.ts';
import { routesOf } from './routes.ts';

type Fields = Record<string, unknown>;

function declared(kind: string, name: string, spec: Fields): EdgeObject {
  const [namespace = '', bare = ''] = name.split('/');
  const object = { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name: bare, namespace }, spec };
  return { object, origin: {} };
}

function listener(spec: Fields = {}): EdgeObject {
  const hostBinding = { namespace: { from: 'ALL' } };
  return declared('Listener', 'emissary/l', {
    port: 8443,
    protocol: 'HTTPS',
    securityModel: 'XFP',
    hostBinding,
    ...spec,
  });
}

function host(name: string, spec: Fields = {}): EdgeObject {
  return declared('Host', name, { hostname: 'a.com', tlsSecret: { name: 's' }, ...spec });
}

function mapping(name: string, spec: Fields = {}): EdgeObject {
  return declared('Mapping', name, { hostname: '*', prefix: '/x/', service: 'up', ...spec });
}

function edgeOf(...objects: EdgeObject[]): Edge {
  const keys = new Set(['tls.crt', 'tls.key']);
  const secret = (name: string, namespace: string): SecretShape | undefined =>
    name === 's' ? { name, namespace, keys } : undefined;
  return compileEdge({ objects, secret, settings: DEFAULT_EDGE_SETTINGS });
}

/** `tls a.com: a.com`, what a chain matches and the domains that it serves. */
function chainsOf(edge: Edge): string[] {
  return edge.listeners.flatMap(({ chains }) =>
    chains.map(({ transportProtocol, serverNames, vhosts, tcp }) => {
      const serves = tcp
        ? 'tcp'
        : vhosts.map(({ domains, host: { name } }) => `${domains.join('')}(${name})`).join(' ');
      return `${transportProtocol ?? 'clear'} ${serverNames.join(',') || 'any'}: ${serves}`;
    }),
  );
}

function routesIn(edge: Edge, tls: boolean): Route[] {
  const [first] = edge.listeners;
  const vhosts = first?.chains.find((chain) => chain.tls === tls)?.vhosts ?? [];
  return vhosts.flatMap((vhost) => (first ? [...routesOf(first, vhost)] : [])).filter(({ group }) => !group.internal);
}

function summary({ path, security, action, authDisabled }: Route): string {
  const to =
    action.kind === 'cluster' ? 'cluster' : action.redirect.https ? 'https' : `to ${action.redirect.host ?? ''}`;
  return `${security} ${path.value} ${to}${authDisabled ? ' open' : ''}`;
}

void test('a Host with TLS has a chain by its name, and a part in the one for clear text', () => {
  const edge = edgeOf(listener(), host('t/h1'), host('t/h2', { hostname: '*', tlsSecret: undefined }));
  assert.deepEqual(chainsOf(edge), ['clear any: *(h2) a.com(h1)', 'tls a.com: a.com(h1)']);
});

void test('of two Hosts of one name the first keeps TLS, the last takes the clear text', () => {
  const edge = edgeOf(listener(), host('t1/h1'), host('t2/h2', { requestPolicy: { insecure: { action: 'Route' } } }));
  assert.deepEqual(chainsOf(edge), ['tls a.com: a.com(h1)', 'clear any: a.com(h2)']);
  assert.deepEqual(
    edge.errors.map(({ key }) => key),
    ['h2.t2.1'],
  );
});

void test('Hosts of one TLS context share its chain when only their ports differ', () => {
  const tlsContext = { tlsContext: { name: 'c' } };
  const edge = edgeOf(
    listener({ securityModel: 'SECURE' }),
    declared('TLSContext', 't/c', { secret: 's', hosts: ['a.com', 'a.com:8443'] }),
    host('t/h1', tlsContext),
    host('t/h2', { ...tlsContext, hostname: 'a.com:8443' }),
  );
  assert.deepEqual(chainsOf(edge)[0], 'tls a.com: a.com(h1) a.com:8443(h2)');
});

void test('HTTP/3 has no clear text', () => {
  const edge = edgeOf(listener({ protocol: undefined, protocolStack: ['TLS', 'HTTP', 'UDP'] }), host('t/h1'));
  assert.deepEqual(chainsOf(edge), ['quic a.com: a.com(h1)']);
});

void test('a TCPMapping gets a Listener of its own where there is none, and wins against a Host', () => {
  const tcp = { port: 8443, host: 'a.com', service: 'db' };
  const edge = edgeOf(
    listener(),
    host('t/h1'),
    declared('TCPMapping', 't/named', tcp),
    declared('TCPMapping', 't/bare', { port: 9000, service: 'db' }),
    declared('TCPMapping', 't/lost', { port: 9001, host: 'b.com', service: 'db' }),
  );
  assert.deepEqual(chainsOf(edge), ['tls a.com: tcp', 'clear any: a.com(h1)', 'clear any: tcp']);
  assert.deepEqual(
    edge.listeners.map(({ name }) => name),
    ['l', 'listener-0.0.0.0-9000'],
  );
  assert.deepEqual(
    edge.drops.map(({ policy, reason }) => `${policy.name} ${reason}`),
    ['lost unattached'],
  );
  assert.ok(edge.tcpGroups.find(({ port }) => port === 9001)?.errored);
});

void test('a TCPMapping with an empty host or address is one without', () => {
  const tcp = (name: string, spec: Fields) => declared('TCPMapping', `t/${name}`, { service: 'db', ...spec });
  const edge = edgeOf(
    tcp('a', { port: 9000, host: '' }),
    tcp('b', { port: 9001, address: '' }),
    tcp('c', { port: 9001, address: '0.0.0.0' }),
  );
  assert.deepEqual(chainsOf(edge), ['clear any: tcp', 'clear any: tcp']);
  assert.deepEqual(
    edge.listeners.map(({ name }) => name),
    ['listener-0.0.0.0-9001', 'listener-0.0.0.0-9000'],
  );
});

void test('each security model has its own routes', () => {
  const insecure = (action: string): Fields => ({ requestPolicy: { insecure: { action } } });
  const table: [model: string, action: string, routes: string[]][] = [
    ['XFP', 'Redirect', ['secure /x/ cluster', 'insecure /x/ https']],
    ['XFP', 'Route', ['secure /x/ cluster', 'insecure /x/ cluster']],
    ['XFP', 'Reject', ['secure /x/ cluster']],
    ['SECURE', 'Reject', ['any /x/ cluster']],
    ['INSECURE', 'Redirect', ['any /x/ https']],
    ['INSECURE', 'Route', ['any /x/ cluster']],
  ];
  for (const [securityModel, action, routes] of table) {
    const edge = edgeOf(listener({ securityModel }), host('t/h1', insecure(action)), mapping('t/m'));
    assert.deepEqual(routesIn(edge, true).map(summary), routes, `${securityModel} ${action}`);
  }
  const edge = edgeOf(listener({ securityModel: 'INSECURE' }), host('t/h1', insecure('Reject')), mapping('t/m'));
  assert.deepEqual(chainsOf(edge), ['tls a.com: a.com(h1)']);
});

void test('challenges of certificates pass whatever the Host says, but only by their exact prefix', () => {
  const acme = '/.well-known/acme-challenge/';
  const reject = { requestPolicy: { insecure: { action: 'Reject' } } };
  const edge = edgeOf(
    listener(),
    host('t/h1', reject),
    mapping('t/a', { prefix: acme }),
    mapping('t/b', { prefix: `${acme}x` }),
  );
  assert.deepEqual(
    routesIn(edge, true).map(({ security, path }) => `${security} ${path.value}`),
    [`secure ${acme}x`, `secure ${acme}`, `insecure ${acme}`],
  );
});

void test('redirects are open, and the one to https is open where there is authentication', () => {
  const auth = declared('AuthService', 't/auth', { auth_service: 'auth', proto: 'http' });
  const moved = mapping('t/old', { prefix: '/old/', host_redirect: true, service: 'b.com' });
  const edge = edgeOf(listener(), host('t/h1'), auth, mapping('t/m', { prefix: '/x/longer/' }), moved);
  assert.deepEqual(routesIn(edge, true).map(summary), [
    'secure /x/longer/ cluster',
    'insecure /x/longer/ https open',
    'secure /old/ to b.com open',
    'insecure /old/ https open',
  ]);
});

void test('what denies to be a redirect opens its route, for all that share it', () => {
  const denied = mapping('t/b', { host_redirect: false, weight: 10 });
  const edge = edgeOf(listener({ securityModel: 'SECURE' }), host('t/h1'), mapping('t/a'), denied);
  assert.deepEqual(routesIn(edge, true).map(summary), ['any /x/ cluster open', 'any /x/ cluster open']);
  const shadow = mapping('t/b', { host_redirect: false, shadow: true });
  const mirrored = edgeOf(listener({ securityModel: 'SECURE' }), host('t/h1'), mapping('t/a'), shadow);
  assert.deepEqual(routesIn(mirrored, true).map(summary), ['any /x/ cluster']);
});

void test('a redirect of the path counts only when there is something in it', () => {
  const pathsOf = (spec: Fields): string[] => {
    const moved = mapping('t/m', { host_redirect: true, service: 'b.com', ...spec });
    const edge = edgeOf(listener({ securityModel: 'SECURE' }), host('t/h1'), moved);
    return routesIn(edge, true).map(({ action }) => JSON.stringify(action.kind === 'redirect' && action.redirect));
  };
  assert.deepEqual(pathsOf({ regex_redirect: {} }), ['{"host":"b.com"}']);
  assert.deepEqual(pathsOf({ regex_redirect: { pattern: '/a' } }), ['{"host":"b.com","regex":"/a"}']);
  assert.deepEqual(pathsOf({ regex_redirect: { substitution: '/b' } }), ['{"host":"b.com","regex":""}']);
  assert.deepEqual(pathsOf({ path_redirect: '', prefix_redirect: '/p/' }), ['{"host":"b.com","prefix":"/p/"}']);
});

// No Mapping of the API server can have such a name, but one in an annotation can.
void test('what has the name of one of the probes is on every Host', () => {
  const hostsOf = (name: string): string[] => {
    const annotations = {
      'getambassador.io/config': `{apiVersion: getambassador.io/v3alpha1, kind: Mapping, name: ${name}, prefix: /, service: evil}`,
    };
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'evil', namespace: 'evil', annotations } };
    const selecting = host('t/h2', { hostname: 'b.com', mappingSelector: { matchLabels: { team: 'x' } } });
    const edge = edgeOf(listener(), host('t/h1'), selecting, { object: service, origin: {} });
    const clear = edge.listeners[0]?.chains.find(({ tls }) => !tls);
    return (clear?.vhosts ?? []).flatMap(({ domains, groups }) => (groups.some((one) => !one.internal) ? domains : []));
  };
  assert.deepEqual(hostsOf('mine'), []);
  assert.deepEqual(hostsOf('internal_liveness_probe_mapping'), ['a.com', 'b.com']);
});

void test('a broken AuthService answers 500, but not to what is redirected to https', () => {
  const auth = declared('AuthService', 't/auth', { auth_service: 'auth', proto: 'grpc' });
  const edge = edgeOf(listener(), host('t/h1'), auth, mapping('t/m'));
  assert.deepEqual(
    edge.listeners[0]?.httpFilters.map(({ name }) => name),
    ['envoy.filters.http.lua'],
  );
  assert.deepEqual(routesIn(edge, true).map(summary), ['secure /x/ cluster', 'insecure /x/ https open']);
});

void test("a Mapping's own match on X-Forwarded-Proto gives way", () => {
  const proto = { 'X-Forwarded-Proto': 'https' };
  const edge = edgeOf(
    listener(),
    host('t/h1'),
    mapping('t/m', { headers: proto }),
    mapping('t/n', { headers: { ...proto, a: 'b' } }),
  );
  assert.deepEqual(
    routesIn(edge, true).map(({ security, headers }) => `${security} ${headers.map(({ name }) => name).join()}`),
    ['secure a', 'insecure a', 'secure ', 'insecure X-Forwarded-Proto'],
  );
});

void test('without a valid Host everything is served: with the fallback certificate, or in clear text', () => {
  const [invented] = edgeOf(listener(), host('t/h1', { tlsSecret: { name: 'missing' } })).hosts;
  assert.deepEqual([invented?.name, invented?.hostname, invented?.context], ['default-host', '*', undefined]);
  assert.equal(invented?.insecureAction, 'Route');
});

void test('a CA that is not there takes the TLS of the Host away', () => {
  const { hosts, errors } = edgeOf(listener(), host('t/h1', { tls: { ca_secret: 'missing', cert_required: true } }));
  assert.equal(hosts[0]?.name, 'h1');
  assert.equal(hosts[0]?.context, undefined);
  assert.deepEqual(
    errors.map(({ key }) => key),
    ['h1.t.1'],
  );
});

void test('an unknown insecure action freezes the edge', () => {
  const { freeze } = edgeOf(listener(), host('t/h1', { requestPolicy: { insecure: { action: 'Allow' } } }));
  assert.deepEqual([freeze?.stage, freeze?.policy?.name], ['envoy', 'h1']);
});

void test('an unknown insecure action of a Host whose place another one takes harms nobody', () => {
  const unknown = { tlsSecret: undefined, requestPolicy: { insecure: { action: 'Allow' } } };
  const { freeze } = edgeOf(listener(), host('t/h1', unknown), host('t/h2', { tlsSecret: undefined }));
  assert.equal(freeze, undefined);
});

void test('what was said of the chains stays when an insecure action freezes the edge', () => {
  const edge = edgeOf(
    listener(),
    host('t1/h1', { requestPolicy: { insecure: { action: 'Allow' } } }),
    host('t2/h2', { requestPolicy: { insecure: { action: 'Allow' } } }),
  );
  assert.equal(edge.freeze?.stage, 'envoy');
  assert.deepEqual(
    edge.errors.map(({ key }) => key),
    ['h2.t2.1'],
  );
});

void test('a Listener that serves no Host has no filters of HTTP', () => {
  const auth = declared('AuthService', 't/auth', { auth_service: 'auth', proto: 'http' });
  const elsewhere = { hostBinding: { namespace: { from: 'SELF' } } };
  const tcp = declared('TCPMapping', 't/bare', { port: 8443, service: 'db' });
  const edge = edgeOf(listener(elsewhere), host('t/h1'), auth, tcp);
  assert.deepEqual(chainsOf(edge), ['clear any: tcp']);
  assert.deepEqual(edge.listeners[0]?.httpFilters, []);
});

void test('of a header that several Mappings of a route add, the last one counts: without a value it freezes the edge', () => {
  const bare = mapping('t/a', { add_request_headers: { 'x-team': { append: true } } });
  const whole = (name: string) => mapping(name, { add_request_headers: { 'x-team': { value: 'a' } } });
  assert.equal(edgeOf(listener(), host('t/h1'), bare, whole('t/b')).freeze, undefined);
  assert.equal(edgeOf(listener(), host('t/h1'), whole('t/0'), bare).freeze?.stage, 'envoy');
});

void test("Emissary's own routes are on every Host, until a Mapping makes one of them its own", () => {
  const selecting = host('t/h1', { mappingSelector: { matchLabels: { team: 'x' } } });
  const pathsOf = (edge: Edge): string[] => {
    const [vhost] = edge.listeners[0]?.chains[0]?.vhosts ?? [];
    return (vhost?.groups ?? []).map(({ path }) => path.value);
  };
  const [ready, alive, diagnostics] = ['/ambassador/v0/check_ready', '/ambassador/v0/check_alive', '/ambassador/v0/'];
  assert.deepEqual(pathsOf(edgeOf(listener(), selecting)), [ready, alive, diagnostics]);
  const own = mapping('t/m', { prefix: ready });
  assert.deepEqual(pathsOf(edgeOf(listener(), selecting, own)), [alive, diagnostics]);
});

void test('Listeners that take the same Hosts share what is made of them, and each posts its errors', () => {
  const at = (name: string, spec: Fields): EdgeObject => {
    const hostBinding = { namespace: { from: 'ALL' } };
    return declared('Listener', `emissary/${name}`, { protocol: 'HTTPS', securityModel: 'XFP', hostBinding, ...spec });
  };
  const edge = edgeOf(
    at('a', { port: 1 }),
    at('b', { port: 2 }),
    at('c', { port: 3, securityModel: 'SECURE' }),
    at('d', { port: 4, hostBinding: { namespace: { from: 'SELF' } } }),
    at('e', { port: 5 }),
    host('t1/h1'),
    host('t2/h2'),
    host('emissary/h3', { hostname: 'b.com' }),
    declared('TCPMapping', 't/named', { port: 5, host: 'a.com', service: 'db' }),
  );
  const [a, b, c, d, e] = edge.listeners;
  assert.deepEqual(b?.chains, a?.chains);
  assert.equal(b?.chains[0], a?.chains[0]);
  for (const same of [b, c, e]) assert.equal(same?.hosts, a?.hosts);
  assert.deepEqual(
    d?.hosts.map(({ name }) => name),
    ['h3'],
  );
  assert.equal(e?.chains.filter(({ tls }) => tls).length, 2, 'the Host of the TCPMapping has no chain there');
  const discarded = edge.errors.filter(({ message }) => message.includes('discarding because'));
  assert.deepEqual(
    discarded.map(({ key }) => key),
    ['h2.t2.1', 'h2.t2.1', 'h2.t2.1', 'h1.t1.1', 'h2.t2.1'],
  );
});

void test('thousands of Listeners that take thousands of Hosts cost little', () => {
  const MANY = 5_000;
  const all = { protocol: 'HTTPS', securityModel: 'XFP', hostBinding: { namespace: { from: 'ALL' } } };
  const many = (make: (at: number) => EdgeObject) => Array.from({ length: MANY }, (_, at) => make(at));
  const objects = [
    ...many((at) => declared('Listener', `t/l${at}`, { port: 10_000 + at, ...all })),
    ...many((at) => declared('Host', `t/h${at}`, { hostname: `h${at}.t` })),
  ];
  const { listeners } = inTime(5_000, () => edgeOf(...objects));
  assert.equal(listeners.length, MANY);
});

void test('nor do thousands that take a Host each, nor thousands of TCPMappings, each for a port or a host of its own', () => {
  const many = (make: (at: number) => EdgeObject) => Array.from({ length: 8_000 }, (_, at) => make(at));
  const hostOf = (at: number) => {
    const { object, origin } = host(`t/h${at}`, { hostname: `h${at}.t` });
    return { object: { ...object, metadata: { ...object.metadata, labels: { of: `l${at}` } } }, origin };
  };
  const objects = [
    ...many((at) => listener({ port: 10_000 + at, hostBinding: { selector: { matchLabels: { of: `l${at}` } } } })).map(
      (one, at) => ({ ...one, object: { ...one.object, metadata: { name: `l${at}`, namespace: 't' } } }),
    ),
    ...many(hostOf),
    ...many((at) => declared('TCPMapping', `t/p${at}`, { port: 20_000 + at, service: 'db' })),
    ...many((at) => declared('TCPMapping', `t/n${at}`, { port: 9_000, host: `n${at}.t`, service: 'db' })),
    ...many((at) => declared('TLSContext', `t/c${at}`, { secret: 's', hosts: [`c${at}.t`, `n${at}.t`] })),
  ];
  const { listeners } = inTime(8_000, () => edgeOf(...objects));
  assert.equal(listeners.length, 16_001);
  assert.ok(listeners.filter(({ port }) => port < 20_000 && port > 9_000).every(({ hosts }) => hosts.length === 1));
  assert.equal(listeners.find(({ port }) => port === 9_000)?.chains.length, 8_000);
});
