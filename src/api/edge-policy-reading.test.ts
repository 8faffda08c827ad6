import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEdgePolicy } from './edge-policy-reading.ts';

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

const DEFAULTS = parseEdgePolicy({}).spec!;
const STRICT = { mode: 'Enforce', failOn: 'Warning', tlsFloor: 'v1.3', unclaimed: 'Deny' };
const good = { namespaces: ['shop'], hosts: ['a.example'] };
const override = { source: 'shop/web', commit, reason: 'r' };

/** What holds of a malformed one. */
const HOLDS: Record<string, [spec: unknown, holds: object | undefined]> = {
  'what asks for more or less: the most': [
    { mode: 'off', failOn: 1, tlsFloor: '1.0', unclaimed: [] },
    { ...DEFAULTS, ...STRICT },
  ],
  'how Emissary is run: the default': [
    { emissaryVersion: 'latest', labelSelector: ['a'], singleNamespace: 'yes', environment: 5, mode: 'Warn' },
    { ...DEFAULTS, mode: 'Warn' },
  ],
  'a grant: nobody gets what it would have granted': [
    { grants: [{ hosts: ['b.example'] }, good], unclaimed: 'FirstCome' },
    { ...DEFAULTS, grants: [good], unclaimed: 'Deny' },
  ],
  'all grants: likewise': [{ grants: 'none' }, { ...DEFAULTS, unclaimed: 'Deny' }],
  'what lets things pass: only what can be read does': [
    {
      ignore: [{ rule: 'EM051', reason: 'r' }, { rule: 'EM052' }, null],
      overrides: [{ ...override, commit: 'main' }, override],
      environment: [{ name: 'A', value: 'a' }, { name: '$B' }],
    },
    {
      ...DEFAULTS,
      ignore: [{ rule: 'EM051', reason: 'r' }],
      overrides: [override],
      environment: [{ name: 'A', value: 'a' }],
    },
  ],
  'names that every object has are no fields': [JSON.parse('{"mode":5,"__proto__":{"mode":"Off"}}'), DEFAULTS],
  'which gateway it is about: none': [{ ambassadorId: 7, mode: 'Off' }, undefined],
  'anything at all: none': [['mode', 'Off'], undefined],
};

for (const [what, [spec, holds]] of Object.entries(HOLDS)) {
  test(`of a policy of which cannot be read ${what}`, () => {
    const parsed = parseEdgePolicy(spec);
    assert.equal(parsed.ok, false);
    assert.deepEqual(parsed.spec, holds);
  });
}
