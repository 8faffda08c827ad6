import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Rule } from './finding.ts';
import { askOne, findingsOf } from './judge.ts';
import { from, judgedOf, mapping, host, object, service } from './rules/case.ts';
import type { EdgeObject } from './input.ts';
import { verdictOf } from './verdict.ts';

const COLLISION = [from('one', mapping('t1/m', { weight: 101 })), from('two', mapping('t2/m'))];

describe('findingsOf', () => {
  it('puts errors first and completes findings from the row of their rule', () => {
    const findings = findingsOf(judgedOf(COLLISION));
    const severities = findings.map(({ severity }) => severity);
    assert.deepEqual(
      severities,
      severities.toSorted((a, b) => rank(a) - rank(b)),
    );
    const collision = findings.find(({ rule }) => rule === 'EM010');
    assert.equal(collision?.impact, 'steal');
    assert.match(collision.mend, /route-group/);
    assert.deepEqual(collision.other?.origin, { source: 'one', file: 'm.yaml', line: 1 });
  });

  it('tells very many of one rule about one object as one, and who mends some of them is not stopped', () => {
    const judgement = (count: number, fields: object = {}) => {
      const headers = Object.fromEntries(Array.from({ length: count }, (_, at) => [`:h${at}`, { value: 'v' }]));
      const evil = from('evil', mapping('t1/m', { add_request_headers: headers, ...fields }));
      return { findings: findingsOf(judgedOf([evil, ...COLLISION])), frozen: false };
    };
    const told = (count: number) => judgement(count).findings.filter(({ rule }) => rule === 'EM00B');
    assert.equal(told(100).length, 100);
    assert.equal(told(100_000).length, 1);
    assert.match(told(100_000)[0]!.message, /one of 100000 of its kind/);
    assert.equal(
      judgement(100_000).findings.some(({ rule }) => rule === 'EM010'),
      true,
    );
    const verdict = (before: ReturnType<typeof judgement>, after: typeof before) =>
      verdictOf({ before, after, pruned: [], sources: ['evil'], threshold: 'error' }).kind;
    assert.equal(verdict(judgement(0), judgement(101)), 'blocked');
    assert.equal(verdict(judgement(300), judgement(200)), 'passed');
    assert.equal(verdict(judgement(101), judgement(100)), 'passed');
    assert.equal(verdict(judgement(101), judgement(101, { prefix_regex: true, prefix: '(' })), 'blocked');
  });

  it('takes a version of TLS that goes down further below the floor for new trouble, and one that goes up for old', () => {
    const tls = (version: string) => {
      const context = object('TLSContext', 't1/c', { secret: 's1', min_tls_version: version });
      const guard = { tlsFloor: 'v1.3' as const };
      return { findings: findingsOf(judgedOf({ objects: [from('one', context)], guard })), frozen: false };
    };
    const verdict = (before: string, after: string) => {
      const question = { before: tls(before), after: tls(after), pruned: [], sources: ['one'] };
      return verdictOf({ ...question, threshold: 'error' }).kind;
    };
    assert.equal(verdict('v1.2', 'v1.2'), 'passed');
    assert.equal(verdict('v1.0', 'v1.1'), 'passed');
    assert.equal(verdict('v1.2', 'v1.1'), 'blocked');
    assert.equal(verdict('v1.2', '1.3'), 'blocked');
  });

  it('leaves out what the guard ignores', () => {
    const guard = { ignored: new Map([['EM010', 'shared on purpose']]) };
    const rules = findingsOf(judgedOf({ objects: COLLISION, guard })).map(({ rule }) => rule);
    assert.ok(!rules.includes('EM010') && rules.includes('EM014'));
  });

  it('gives the same trouble the same key wherever it is written, and each trouble its own', () => {
    const moved = COLLISION.map(({ object, origin }) => ({
      object,
      origin: { ...origin, file: 'moved.yaml', line: 9 },
    }));
    const keys = keysOf(COLLISION);
    assert.deepEqual(keysOf(moved), keys);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('finds no new trouble when one of several parties leaves', () => {
    const three = [mapping('t1/a'), mapping('t2/b'), mapping('t3/c')];
    const before = keysOf(three);
    for (const left of [1, 2, 3].map((gone) => three.filter((_, at) => at !== gone - 1))) {
      assert.deepEqual(
        keysOf(left).filter((key) => key.includes('EM010') && !before.includes(key)),
        [],
      );
    }
  });

  it('answers the same whatever the order of the objects', () => {
    assert.deepEqual(keysOf(COLLISION.toReversed()), keysOf(COLLISION));
  });
});

describe('a rule that throws', () => {
  const broken: Rule = {
    id: 'EM999',
    name: 'broken',
    severity: 'info',
    impact: 'no-effect',
    when: '',
    means: '',
    mend: '',
    *find({ edge }) {
      yield { object: { kind: 'Mapping', namespace: 't1', name: 'm', origin: {} }, message: 'before' };
      throw new Error(`cannot read ${edge.policies.length}`);
    },
  };

  it('keeps what it found and is an error itself', () => {
    const [found, failed] = [...askOne(broken, judgedOf([]))];
    assert.equal(found?.rule, 'EM999');
    assert.deepEqual([failed?.rule, failed?.severity], ['EM000', 'error']);
    assert.match(failed!.message, /EM999 broken failed: cannot read 2/);
  });

  it('can be ignored by an EdgePolicy', () => {
    const guard = { ignored: new Map([['EM000', 'known']]) };
    assert.equal([...askOne(broken, judgedOf({ objects: [], guard }))].length, 1);
  });
});

/** Any JSON may stand at any field, numbers of YAML included. */
const HOSTILE: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  2n ** 63n,
  '',
  '*',
  '(',
  '\u0000',
  '$HOME',
  'a'.repeat(5000),
  '\ud800',
  [],
  [null],
  [[]],
  [{}],
  ['*', 5n],
  {},
  { __proto__: null },
  JSON.parse('{ "__proto__": { "a": 1 }, "constructor": null }'),
  { matchLabels: [] },
  { name: 5n, namespace: {} },
  { config: null },
];

it('says no more of a host or a path than a name can be long', () => {
  const long = mapping('t1/m', { hostname: `${'a'.repeat(9_000)}.com`, prefix: `/${'x'.repeat(9_000)}` });
  const traffic = findingsOf(
    judgedOf([long, { ...long, object: { ...long.object, metadata: { name: 'm', namespace: 't2' } } }]),
  ).flatMap(({ traffic: one }) => [one?.host ?? '', one?.path ?? '']);
  assert.ok(traffic.some((text) => text.length > 200));
  for (const text of traffic) assert.ok(text.length <= 253);
});

describe('hostile values', () => {
  it('of any depth make no rule fail, and of any number make few findings', () => {
    const deep: unknown = JSON.parse('['.repeat(5_000) + ']'.repeat(5_000));
    const headers = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x-${index}`, 'text']));
    const found = findingsOf(
      judgedOf([
        mapping('t1/deep', { labels: { default: deep }, cors: deep, headers: { a: deep } }),
        mapping('t1/wide', { add_request_headers: headers, unknown: deep }),
        object('Module', 'emissary/ambassador', { config: { deep } }),
      ]),
    );
    assert.deepEqual(
      found.filter(({ rule }) => rule === 'EM000').map(({ message }) => message),
      [],
    );
    assert.ok(found.length < 100);
  });

  const samples: EdgeObject[] = [
    mapping('t1/m', {
      host: 'a.com',
      headers: { a: 'b' },
      regex_headers: { c: 'd' },
      retry_policy: { retry_on: '5xx' },
    }),
    mapping('t1/redirect', { host_redirect: true, regex_redirect: { pattern: 'a', substitution: 'b' } }),
    mapping('t1/canary', {
      weight: 10,
      tls: 'c',
      labels: { d: [{ g: [] }] },
      load_balancer: {},
      cors: { origins: ['a'] },
    }),
    host('t1/h', {
      tlsSecret: { name: 's' },
      tls: { min_tls_version: 'v1.2' },
      mappingSelector: { matchLabels: { a: 'b' } },
    }),
    object('TLSContext', 't1/c', {
      hosts: ['a.com'],
      secret: 's',
      ca_secret: 'ca',
      cipher_suites: ['A'],
      ecdh_curves: ['B'],
    }),
    object('TCPMapping', 't1/t', { port: 9000, service: 'db', host: 'a.com', weight: 5, tls: 'c' }),
    object('AuthService', 't1/auth', {
      auth_service: 'a',
      proto: 'grpc',
      protocol_version: 'v3',
      tls: 'c',
      include_body: {},
    }),
    object('RateLimitService', 't1/rate', { service: 'r', protocol_version: 'v3', tls: 'c' }),
    object('Module', 'emissary/ambassador', {
      config: { ip_allow: [{ peer: '1.2.3.4' }], diagnostics: { enabled: false } },
    }),
    object('Listener', 't1/l', {
      port: 8080,
      protocol: 'HTTP',
      securityModel: 'XFP',
      hostBinding: { namespace: { from: 'ALL' } },
    }),
    object('ConsulResolver', 't1/consul', { datacenter: 'd', address: 'a' }),
    service('t1/svc', 'apiVersion: getambassador.io/v2\nkind: Mapping\nname: x\nprefix: /y/\nservice: z\n'),
  ];

  for (const [at, sample] of samples.entries()) {
    it(`at every field of ${sample.object.kind} ${sample.object.metadata.name} make no rule fail`, () => {
      for (const object of variants(sample.object)) {
        const objects = samples.map((other, position) => (position === at ? { ...sample, object } : other));
        const failed = findingsOf(judgedOf({ objects, secrets: ['t1/s'] })).filter(({ rule }) => rule === 'EM000');
        assert.deepEqual(
          failed.map(({ message }) => message),
          [],
        );
      }
    });
  }
});

/** Labels, annotations and each field of `spec`, one after the other and at every depth, with each hostile value. */
function* variants(sample: EdgeObject['object']): Iterable<EdgeObject['object']> {
  for (const spec of replaced(sample['spec'])) yield { ...sample, spec };
  for (const value of HOSTILE) {
    for (const field of ['labels', 'annotations'])
      yield { ...sample, metadata: { ...sample.metadata, [field]: value } };
  }
}

function* replaced(value: unknown): Iterable<unknown> {
  yield* HOSTILE;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [name, inner] of Object.entries(value))
    for (const other of replaced(inner)) yield { ...value, [name]: other };
}

function keysOf(objects: readonly EdgeObject[]): string[] {
  return findingsOf(judgedOf(objects)).map(({ key }) => key);
}

function rank(severity: string): number {
  return ['error', 'warning', 'info'].indexOf(severity);
}
