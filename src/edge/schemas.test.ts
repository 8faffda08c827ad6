import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conformityOf } from './conformity.ts';
import { POLICY_KINDS, schemaOf } from './schemas.ts';

const MAPPING = { prefix: '/x/', service: 'web' };

describe('the schemas of the policies', () => {
  it('know each kind in the versions that it has', () => {
    assert.equal(POLICY_KINDS.size, 14);
    const lacking = (version: string) => [...POLICY_KINDS].filter((kind) => !schemaOf(kind, version));
    assert.deepEqual(lacking('v3alpha1'), []);
    assert.deepEqual(lacking('v2'), ['Listener']);
    assert.deepEqual(lacking('v1'), ['Host', 'Listener']);
    assert.equal(lacking('v0').length, 14);
    for (const kind of ['__proto__', 'constructor', 'Filter']) assert.equal(schemaOf(kind, 'v3alpha1'), undefined);
  });

  const violations: [title: string, version: string, spec: unknown, ...found: string[]][] = [
    ['nothing', 'v3alpha1', { ...MAPPING, weight: 10, precedence: 5n }],
    ['a type', 'v3alpha1', { ...MAPPING, weight: '10' }, 'spec.weight type'],
    ['a fraction', 'v3alpha1', { ...MAPPING, weight: 1.5 }, 'spec.weight type'],
    ['null', 'v3alpha1', { ...MAPPING, rewrite: null }, 'spec.rewrite type'],
    ['what is missing', 'v3alpha1', {}, 'spec required', 'spec required'],
    [
      'a value in a list',
      'v3alpha1',
      { ...MAPPING, circuit_breakers: [{ priority: 'x' }] },
      'spec.circuit_breakers.0.priority enum',
    ],
    [
      'a number of keys',
      'v3alpha1',
      { ...MAPPING, labels: { a: [{ b: [], c: [] }] } },
      'spec.labels.a.0 maxProperties',
    ],
    ['a text for a list', 'v3alpha1', { ...MAPPING, ambassador_id: 'a' }, 'spec.ambassador_id type'],
    [
      'no text for a list in v2',
      'v2',
      { ...MAPPING, ambassador_id: 'a', tls: true, headers: { a: true }, remove_request_headers: 'x' },
    ],
    ['no null for a union in v2', 'v2', { ...MAPPING, tls: null }],
    ['a number for a union in v2', 'v2', { ...MAPPING, tls: 5 }, 'spec.tls type'],
    ['no spec', 'v3alpha1', null, 'spec type'],
  ];
  for (const [title, version, spec, ...found] of violations) {
    it(`find ${title}`, () => {
      assert.deepEqual(
        conformityOf('Mapping', version, spec).violations.map(({ field, rule }) => `${field} ${rule}`),
        found,
      );
    });
  }

  it('find ports that are none', () => {
    const listener = { port: 0, securityModel: 'XFP', hostBinding: {} };
    assert.deepEqual(
      conformityOf('Listener', 'v3alpha1', listener).violations.map(({ message }) => message),
      ['must be at least 1'],
    );
  });

  const unknown: [kind: string, version: string, spec: unknown, ...found: string[]][] = [
    [
      'Mapping',
      'v3alpha1',
      { ...MAPPING, weigth: 10, retry_policy: { on: '5xx' } },
      'spec.weigth',
      'spec.retry_policy.on',
    ],
    ['Mapping', 'v3alpha1', { ...MAPPING, headers: { anything: 'x' }, envoy_override: { any: 1 } }],
    ['Mapping', 'v2', { ...MAPPING, hostname: 'a.com', host: 'a.com', v3StatsName: 'x' }, 'spec.hostname'],
    ['Mapping', 'v3alpha1', { ...MAPPING, ...(JSON.parse('{"__proto__": 1}') as object) }, 'spec.__proto__'],
    ['Module', 'v3alpha1', { config: { any: { thing: 1 } } }],
    ['Host', 'v2', { ambassadorId: 'x', selector: {}, mappingSelector: {} }, 'spec.mappingSelector'],
  ];
  for (const [kind, version, spec, ...found] of unknown) {
    it(`know the fields of ${kind} ${version} but for ${found.join(', ') || 'none'}`, () => {
      assert.deepEqual(conformityOf(kind, version, spec).unknown, found);
    });
  }
});
