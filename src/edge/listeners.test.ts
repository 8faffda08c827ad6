import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileEdge } from './compile.ts';
import { DEFAULT_EDGE_SETTINGS } from './input.ts';
import type { Edge } from './model.ts';

type Fields = Record<string, unknown>;

const ALL = { namespace: { from: 'ALL' } };

/** Each object as `[kind, namespace/name, spec, labels]`. */
function edgeOf(...objects: [kind: string, name: string, spec: Fields, labels?: Record<string, string>][]): Edge {
  const written = objects.map(([kind, full, spec, labels = {}]) => {
    const [namespace = '', name = ''] = full.split('/');
    const object = { apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { namespace, name, labels }, spec };
    return { object, origin: {} };
  });
  return compileEdge({ objects: written, secret: () => undefined, settings: DEFAULT_EDGE_SETTINGS });
}

void test('a Listener needs a stack that ends in TCP or UDP, a security model and a binding', () => {
  const good: Fields = { port: 80, protocol: 'HTTP', securityModel: 'XFP', hostBinding: ALL };
  const table: [change: Fields, valid: boolean][] = [
    [{}, true],
    [{ protocol: undefined, protocolStack: ['PROXY', 'HTTP', 'TCP'] }, true],
    [{ protocol: undefined }, false],
    [{ protocol: 'QUIC' }, false],
    [{ protocol: 'constructor' }, false],
    [{ protocol: undefined, protocolStack: ['TLS', 'HTTP'] }, false],
    [{ protocol: undefined, protocolStack: ['UDP'] }, false],
    [{ securityModel: undefined }, false],
    [{ securityModel: '' }, false],
    [{ securityModel: 'secure' }, true],
    [{ hostBinding: undefined }, false],
    [{ hostBinding: {} }, false],
    [{ hostBinding: { namespace: {}, selector: {} } }, false],
    [{ hostBinding: { namespace: { to: 'ALL' } } }, false],
    [{ hostBinding: { selector: { matchExpressions: [] } } }, false],
  ];
  for (const [change, valid] of table) {
    const { drops } = edgeOf(['Host', 'emissary/h', {}], ['Listener', 'emissary/l', { ...good, ...change }]);
    const dropped = drops.some(({ policy, reason }) => policy.kind === 'Listener' && reason === 'invalid');
    assert.equal(dropped, !valid, JSON.stringify(change));
  }
});

void test('a Listener takes Hosts by namespace and labels', () => {
  const table: [hostBinding: Fields, hosts: string[]][] = [
    [ALL, ['mine', 'other', 'other-x']],
    [{ namespace: { from: 'all' } }, ['mine', 'other', 'other-x']],
    [{ namespace: { from: 'SELF' } }, ['mine']],
    [{ namespace: { from: 'ALL' }, selector: { matchLabels: { team: 'x' } } }, ['other-x']],
    [{ selector: { matchLabels: { team: 'x' } } }, []],
    [{ selector: { matchLabels: null } }, ['mine']],
  ];
  for (const [hostBinding, hosts] of table) {
    const edge = edgeOf(
      ['Listener', 'emissary/l', { port: 80, protocol: 'HTTP', securityModel: 'XFP', hostBinding }],
      ['Host', 'emissary/mine', { hostname: 'a.com' }],
      ['Host', 't/other', { hostname: 'b.com' }],
      ['Host', 't/other-x', { hostname: 'c.com' }, { team: 'x' }],
    );
    assert.deepEqual(edge.listeners[0]?.hosts.map(({ name }) => name) ?? [], hosts, JSON.stringify(hostBinding));
  }
});

void test('a security model that nobody knows is XFP', () => {
  const spec = { port: 80, protocol: 'HTTP', securityModel: 'secure', hostBinding: ALL };
  const edge = edgeOf(['Host', 'emissary/h', {}], ['Listener', 'emissary/l', spec]);
  assert.equal(edge.listeners[0]?.securityModel, 'XFP');
});

void test('of two Listeners for one port the first in the order counts', () => {
  const spec = { port: 80, protocol: 'HTTP', securityModel: 'XFP', hostBinding: ALL };
  const udp = { ...spec, protocol: undefined, protocolStack: ['TLS', 'HTTP', 'UDP'] };
  const edge = edgeOf(['Listener', 't/b', spec], ['Listener', 't/a', spec], ['Listener', 't/c', udp]);
  assert.deepEqual(
    edge.listeners.map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(
    edge.drops.map(({ policy, reason, by }) => `${policy.name} ${reason} ${by?.name ?? ''}`.trim()),
    ['b duplicate a', 'c unattached'],
  );
});

void test('a Listener with an error gives way to the next one for its port', () => {
  const spec = { port: 80, protocol: 'HTTP', securityModel: 'XFP', hostBinding: ALL };
  const table: [first: Fields, drops: string[]][] = [
    [{}, ['b duplicate a']],
    [{ protocolStack: ['HTTP', 'TCP'] }, ['a duplicate b']],
    [{ hostBinding: { namespace: { from: 'SELECTOR' } } }, ['a duplicate b']],
  ];
  for (const [first, drops] of table) {
    const edge = edgeOf(['Host', 't/h', {}], ['Listener', 't/a', { ...spec, ...first }], ['Listener', 't/b', spec]);
    assert.deepEqual(
      edge.drops.map(({ policy, reason, by }) => `${policy.name} ${reason} ${by?.name ?? ''}`.trim()),
      drops,
      JSON.stringify(first),
    );
    assert.equal(edge.listeners.length, 1);
  }
});
