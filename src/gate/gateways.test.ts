import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgePolicySpec } from '../api/edge-policy.ts';
import { parseEdgePolicy } from '../api/edge-policy-reading.ts';
import type { GitOpsSourceSpec } from '../api/source.ts';
import { DEFAULT_GATEWAY, demandOf, gatewaysOf, type Namespaces } from './gateways.ts';

const nobody = new Map();

function policy(spec: object): EdgePolicySpec {
  const parsed = parseEdgePolicy(spec);
  assert.ok(parsed.ok);
  return parsed.spec;
}

test('without a policy there is the default gateway', () => {
  assert.deepEqual(gatewaysOf(new Map(), nobody), [DEFAULT_GATEWAY]);
});

test('each ambassadorId is a gateway; of two policies for one the first by name counts', () => {
  const policies = new Map([
    ['z', policy({ mode: 'Off' })],
    ['b', policy({ ambassadorId: 'internal', namespace: 'edge-internal', emissaryVersion: '3.9.1' })],
    ['a', policy({ mode: 'Warn' })],
  ]);
  assert.deepEqual(
    gatewaysOf(policies, nobody).map(({ policy: name, mode, settings }) => {
      const { ambassadorId, namespace, version } = settings;
      return [name, mode, ambassadorId, namespace, version];
    }),
    [
      ['a', 'Warn', 'default', 'emissary', '4.1.0'],
      ['b', 'Enforce', 'internal', 'edge-internal', '3.9.1'],
    ],
  );
});

test('a policy for another gateway leaves the default one judged', () => {
  const gateways = gatewaysOf(new Map([['b', policy({ ambassadorId: 'internal' })]]), nobody);
  assert.deepEqual(gateways.slice(1), [DEFAULT_GATEWAY]);
});

test('a policy says how Emissary is run', () => {
  const spec = {
    singleNamespace: true,
    labelSelector: 'edge=public',
    environment: [{ name: 'DOMAIN', value: 'example.com' }],
    strictLabelSelectors: false,
  };
  const [gateway] = gatewaysOf(new Map([['edge', policy(spec)]]), nobody);
  assert.deepEqual(gateway?.settings, {
    ...DEFAULT_GATEWAY.settings,
    ...spec,
    environment: { DOMAIN: 'example.com' },
  });
});

test('a grant is held by the namespaces that it lists or selects', () => {
  const namespaces: Namespaces = new Map<string, Record<string, string>>([
    ['shop', { team: 'shop', tier: 'gold' }],
    ['cart', { team: 'shop' }],
    ['blog', {}],
  ]);
  const grants = [
    { namespaces: ['blog'], hosts: ['blog.example'] },
    { selector: { matchLabels: { team: 'shop' } }, prefixes: ['/shop/'] },
    { name: 'gold', selector: { matchLabels: { team: 'shop', tier: 'gold' } } },
  ];
  const [gateway] = gatewaysOf(new Map([['p', policy({ grants })]]), namespaces);
  assert.deepEqual(gateway?.guard.grants, [
    { holder: 'blog', namespaces: new Set(['blog']), hosts: ['blog.example'], prefixes: [], kinds: [] },
    { holder: 'team=shop', namespaces: new Set(['shop', 'cart']), hosts: [], prefixes: ['/shop/'], kinds: [] },
    { holder: 'gold', namespaces: new Set(['shop']), hosts: [], prefixes: [], kinds: [] },
  ]);
});

type Edge = GitOpsSourceSpec['edge'];

/** What the gateway asks, what the source says, and what it is judged by. */
const DEMANDS: [policy: object | undefined, edge: Edge, mode: string, threshold: string, tlsFloor: string][] = [
  [undefined, { mode: 'Enforce' }, 'Enforce', 'error', 'v1.2'],
  [undefined, { mode: 'Off' }, 'Off', 'freeze', 'v1.2'],
  [undefined, { mode: 'Enforce', failOn: 'Warning', tlsFloor: 'v1.3' }, 'Enforce', 'warning', 'v1.3'],
  [{}, { mode: 'Off' }, 'Enforce', 'error', 'v1.2'],
  [{ mode: 'Warn' }, { mode: 'Off' }, 'Warn', 'freeze', 'v1.2'],
  [{ mode: 'Warn' }, { mode: 'Enforce' }, 'Enforce', 'error', 'v1.2'],
  [
    { failOn: 'Warning', tlsFloor: 'v1.3' },
    { mode: 'Enforce', failOn: 'Error', tlsFloor: 'v1.0' },
    'Enforce',
    'warning',
    'v1.3',
  ],
];

for (const [spec, edge, mode, threshold, tlsFloor] of DEMANDS) {
  test(`${JSON.stringify(edge)} under ${spec ? JSON.stringify(spec) : 'no policy'} is ${mode} ${threshold} ${tlsFloor}`, () => {
    const [gateway] = gatewaysOf(spec ? new Map([['p', policy(spec)]]) : new Map(), nobody);
    const demand = demandOf(gateway!, edge);
    assert.deepEqual([demand.mode, demand.threshold, demand.guard.tlsFloor], [mode, threshold, tlsFloor]);
  });
}
