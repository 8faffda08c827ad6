import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEdgePolicy } from './edge-policy.ts';

test('a policy of nothing gets every default', () => {
  assert.deepEqual(parseEdgePolicy({}), {
    ok: true,
    spec: {
      ambassadorId: 'default',
      emissaryVersion: '4.1.0',
      namespace: 'emissary',
      singleNamespace: false,
      strictLabelSelectors: true,
      mode: 'Enforce',
      failOn: 'Error',
      tlsFloor: 'v1.2',
      unclaimed: 'FirstCome',
    },
  });
  assert.equal(parseEdgePolicy(undefined).ok, true);
});

const commit = 'a'.repeat(40);
const WRONG: [string, unknown][] = [
  ['spec', 5],
  ['spec.mode', { mode: 'Deny' }],
  ['spec.emissaryVersion', { emissaryVersion: 'latest' }],
  ['spec.labelSelector', { labelSelector: 'a in (b' }],
  ['spec.environment[0].name', { environment: [{ name: '$A', value: '' }] }],
  ['spec.ignore[0].rule', { ignore: [{ rule: 'EM1', reason: 'r' }] }],
  ['spec.ignore[0].reason', { ignore: [{ rule: 'EM051' }] }],
  ['spec.grants[0]', { grants: [{ hosts: ['a.example'] }] }],
  ['spec.grants[0]', { grants: [{ namespaces: ['a'], selector: { matchLabels: {} } }] }],
  ['spec.overrides[0].source', { overrides: [{ source: 'shop', commit, reason: 'r' }] }],
  ['spec.overrides[0].commit', { overrides: [{ source: 'shop/web', commit: 'main', reason: 'r' }] }],
];

for (const [path, spec] of WRONG) {
  test(`${path} of ${JSON.stringify(spec)} is refused`, () => {
    const parsed = parseEdgePolicy(spec);
    assert.deepEqual(parsed.ok ? [] : parsed.problems.map((problem) => problem.path), [path]);
  });
}
