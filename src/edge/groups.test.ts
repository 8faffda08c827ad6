import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from './compile.ts';
import { groupId } from './groups.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from './input.ts';
import type { Edge } from './model.ts';
import type { KubeObject } from '../kube/object.ts';

const apiVersion = 'getambassador.io/v3alpha1';

function mapping(name: string, spec: Record<string, unknown>, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion, kind: 'Mapping', metadata: { name, namespace: 't1', labels }, spec: { service: 's', ...spec } };
}

function compiled(...objects: KubeObject[]): Edge {
  return compiledBy(DEFAULT_EDGE_SETTINGS, ...objects);
}

function compiledBy(settings: EdgeSettings, ...objects: KubeObject[]): Edge {
  const edgeObjects = objects.map((object) => ({ object, origin: {} }));
  return compileEdge({ objects: edgeObjects, secret: () => undefined, settings });
}

const SELECTING: KubeObject = {
  apiVersion,
  kind: 'Host',
  metadata: { name: 'h', namespace: 't1' },
  spec: { hostname: 'h.com', mappingSelector: { matchLabels: { team: 'x' } } },
};

// Ids that the real compiler gave.
const IDS: [spec: Record<string, unknown>, id: string][] = [
  [{ hostname: '*', prefix: '/foo/' }, 'cfc9f77abfba141327b2282e7923308040d9ae76'],
  [{ hostname: 'a.com', prefix: '/x/' }, '00be5f809b5e1480f506c621b601a29806a04837'],
  [{ host: 'a.com', prefix: '/x/' }, '00be5f809b5e1480f506c621b601a29806a04837'],
  [{ headers: { ':authority': 'a.com' }, prefix: '/x/' }, '00be5f809b5e1480f506c621b601a29806a04837'],
  [{ hostname: 'a.com', prefix: '/x/', prefix_exact: true }, '00be5f809b5e1480f506c621b601a29806a04837'],
  [{ hostname: 'a.com', prefix: '/x/', method: 'POST' }, 'df815a5c755f5fecc988cf8ea3445f6816632df7'],
  [
    { hostname: 'a.com', prefix: '/x/', headers: { 'x-v': '2' }, query_parameters: { q: '1' }, precedence: 7 },
    '96d92af00d9000dec9324ca9a403c6bb5518acff',
  ],
  [{ hostname: 'a.com', prefix: '/x/', precedence: -1 }, '44e343ef273340be76801d10b45a74b2f246188f'],
  [{ prefix: '/x/' }, 'fd28047f548cbbb22aea54996b37f083e6eea8b1'],
];

void test('group ids', () => {
  for (const [spec, id] of IDS)
    assert.equal(groupId(compiled(mapping('m', spec)).groups[0]!), id, JSON.stringify(spec));
  const selected = compiled(SELECTING, mapping('m', { prefix: '/x/' }, { team: 'x', other: '1' }));
  assert.equal(groupId(selected.groups[0]!), 'f636375800ee5283e28a7f8200b9bf8bcb45bce4');
  const tcp = compiled({
    apiVersion,
    kind: 'TCPMapping',
    metadata: { name: 't', namespace: 't1' },
    spec: { port: 9000, host: 'b.com', service: 's' },
  });
  assert.equal(tcp.tcpGroups[0]?.id, '450e4a00d621aea6b4bb462615be48faafb7524e');
});

// [two Mappings in order, the names of those who are in, the reason of the drop]
const PAIRS: [
  first: Record<string, unknown>,
  second: Record<string, unknown>,
  kept: string[],
  drop: string | undefined,
][] = [
  [{}, {}, ['a', 'b'], undefined],
  [{}, { prefix_exact: true }, ['a'], 'rejected'],
  [{ prefix_exact: true }, {}, ['a', 'b'], undefined],
  [{}, { timeout_ms: 9, rewrite: '/y' }, ['a', 'b'], undefined],
  [{ circuit_breakers: [{ max_connections: 1 }] }, {}, ['a'], 'rejected'],
  [{ host_redirect: true }, {}, [], 'rejected'],
  [{}, { host_redirect: true }, ['a'], 'rejected'],
  [{}, { shadow: true }, ['a'], undefined],
  [{}, { resolver: 'nope' }, ['a'], 'invalid'],
  [{}, { load_balancer: { policy: 'round_robin' } }, ['a'], 'invalid'],
  [{}, { retry_policy: { num_retries: 1 } }, ['a'], 'invalid'],
  [{}, { outlier_detection: 'x' }, ['a'], 'invalid'],
];

void test('who is accepted into a group', () => {
  for (const [first, second, kept, drop] of PAIRS) {
    const route = { hostname: '*', prefix: '/x/' };
    const { groups, drops } = compiled(mapping('a', { ...route, ...first }), mapping('b', { ...route, ...second }));
    const names = groups.flatMap(({ members, internal }) => (internal ? [] : members.map(({ policy }) => policy.name)));
    assert.deepEqual(names, kept, JSON.stringify([first, second]));
    assert.equal(drops.find(({ policy }) => policy.name === 'b')?.reason, drop, JSON.stringify([first, second]));
  }
});

// Emissary 4 runs a stock Envoy, which has no filter for them (emissary-ingress/emissary#5975).
void test('error_response_overrides drop a Mapping under Emissary 4 alone', () => {
  const overrides = [{ on_status_code: 404, body: { text_format: 'not here' } }];
  const one = mapping('m', { hostname: '*', prefix: '/x/', error_response_overrides: overrides });
  for (const version of ['2.5.1', '3.9.1', '4.0.0', '4.1.0']) {
    const { groups, errors } = compiledBy({ ...DEFAULT_EDGE_SETTINGS, version }, one);
    const served = groups.filter(({ internal }) => !internal);
    assert.deepEqual([served.length, errors.length], version < '4' ? [1, 0] : [0, 1], version);
  }
});

// `_enforce_mutual_exclusion` of ir/irhttpmapping.py: it asks whether a field is there, and takes the other one out.
void test('of two redirects of a path the lesser one is gone, also beside an empty text', () => {
  const redirects = {
    host_redirect: true,
    path_redirect: '',
    prefix_redirect: '/p/',
    regex_redirect: { pattern: 'x' },
  };
  const route = { hostname: '*', prefix: '/x/' };
  const settings = { ...DEFAULT_EDGE_SETTINGS, hasWatcher: false };
  for (const more of [{}, { outlier_detection: 'x' }]) {
    const { errors } = compiledBy(settings, mapping('m', { ...route, ...redirects, ...more }));
    assert.equal(errors.length, 2 + Object.keys(more).length);
  }
});

void test('names that are equal up to the first dot are one object in a group', () => {
  const { groups, drops } = compiled(
    mapping('app.v1', { hostname: '*', prefix: '/x/', weight: 50 }),
    mapping('app.v2', { hostname: '*', prefix: '/x/', weight: 50 }),
  );
  assert.deepEqual(
    groups[0]?.members.map(({ policy, cumulative }) => [policy.name, cumulative]),
    [['app.v1', 100]],
  );
  assert.deepEqual(
    drops.filter(({ reason }) => reason === 'swallowed').map(({ policy, by }) => [policy.name, by?.name]),
    [['app.v2', 'app.v1']],
  );
});

void test('a group of which nothing changed is the same object again', () => {
  const objects = [mapping('a', { hostname: '*', prefix: '/x/' }), mapping('b', { hostname: '*', prefix: '/y/' })];
  const [a, b] = compiled(...objects).groups;
  const [a2, b2] = compiled(
    objects[0] as KubeObject,
    mapping('b', { hostname: '*', prefix: '/y/', timeout_ms: 5 }),
  ).groups;
  assert.equal(a2, a);
  assert.notEqual(b2, b);
});
