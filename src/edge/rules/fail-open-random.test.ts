// Over many random edges: nobody who asks for protection goes without it untold, and nobody who has it is told otherwise.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Edge, Policy } from '../model.ts';
import type { Finding } from '../finding.ts';
import { dropOf, standing } from '../dropped.ts';
import { findingsOf } from '../judge.ts';
import { recordAt, textAt } from '../spec.ts';
import { type Case, judgedOf, listener, object } from './case.ts';

const EDGES = 1500;
const NAMESPACES = ['a', 'b', 'z'] as const;
const SECRETS: Case['secrets'] = [
  'a/s1',
  'b/s1',
  'a/s2',
  'z/s2',
  { name: 'ca', namespace: 'a', keys: new Set(['tls.crt']) },
  { name: 'ca', namespace: 'b', keys: new Set(['tls.crt']) },
  { name: 'crl', namespace: 'a', keys: new Set(['crl.pem']) },
];

/** The same numbers in every run: a linear congruential generator. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
}

function randomEdge(seed: number): Case {
  const random = randomOf(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const some = (odds: number, fields: object) => (random() < odds ? fields : {});
  const several = <T>(make: () => T) => Array.from({ length: Math.floor(random() * 3) }, make);
  const nameOf = (names: readonly string[]) => `${pick(NAMESPACES)}/${pick(names)}` as const;
  const host = () =>
    object('Host', nameOf(['h1', 'h2']), {
      hostname: pick(['a.com', 'b.com', '*']),
      ...some(0.8, { tlsSecret: { name: pick(['s1', 's2', 'nope']), ...some(0.2, { namespace: pick(NAMESPACES) }) } }),
      ...some(0.3, { tlsContext: { name: pick(['c', 'h1-context', 'x']) } }),
      ...some(0.3, { tls: pick(OWN_TLS) }),
    });
  const context = () =>
    object('TLSContext', nameOf(['c', 'h1-context', 'h2-context', 'x']), {
      ...some(0.8, { secret: pick(['s1', 's2', 'nope', 's1.a', 's1.b']) }),
      ...some(0.4, { ca_secret: pick(['ca', 'nope', 's1', 'crl']) }),
      ...some(0.2, { crl_secret: pick(['crl', 'nope', 's1']) }),
      ...some(0.5, { hosts: [pick(['a.com', 'h1', 'q.com'])] }),
      ...some(0.2, { redirect_cleartext_from: pick([80, 81, 'x']) }),
      ...some(0.2, { alpn_protocols: 'h2' }),
    });
  const mapping = () =>
    object('Mapping', nameOf(['m1', 'm2', 'm3']), {
      hostname: '*',
      prefix: pick(['/1/', '/2/']),
      service: pick(['svc', 'https://svc', 'http://svc']),
      ...some(0.7, { tls: pick(['c', 'x', 'h1-context', 'nope']) }),
    });
  const [protocol, securityModel] = [pick(['HTTPS', 'HTTP']), pick(['XFP', 'SECURE'])];
  const objects = [listener('emissary/l', { protocol, securityModel }), host(), ...several(host), ...several(context)];
  return { objects: [...objects, ...several(mapping)], secrets: SECRETS, bare: true };
}

const OWN_TLS = [
  { min_tls_version: 'v1.2' },
  { minTlsVersion: '1.2' },
  { ca_secret: 'ca' },
  { ca_secret: 'nope', cert_required: true },
  { caSecret: 'nope', alpnProtocols: 'h2' },
  { crl_secret: 'nope' },
  { redirect_cleartext_from: 81 },
  { cert_chain_file: '/tls.crt' },
];

/** Does a Host ask for TLS that it does not get? */
function isWithoutTls(edge: Edge, policy: Policy): boolean {
  const { spec } = policy;
  const wants =
    textAt(spec, 'tlsSecret', 'name') ||
    textAt(spec, 'tlsContext', 'name') ||
    Object.keys(recordAt(spec, 'tls')).length;
  return Boolean(wants) && !edge.hosts.find((host) => host.policy === policy)?.context;
}

function isAbout({ object, other, traffic, severity }: Finding, { kind, namespace, name, spec }: Policy): boolean {
  if (severity !== 'error') return false;
  const named = [object, other].some(
    (party) => party?.kind === kind && party.namespace === namespace && party.name === name,
  );
  return named || (kind === 'Host' && traffic?.host === textAt(spec, 'hostname'));
}

it(`holds over ${EDGES} random edges`, () => {
  for (let seed = 1; seed <= EDGES; seed++) {
    const judged = judgedOf(randomEdge(seed));
    const { edge } = judged;
    if (edge.freeze) continue;
    const findings = findingsOf(judged);
    assert.deepEqual(
      findings.filter(({ rule }) => rule === 'EM000').map(({ message }) => message),
      [],
      `edge ${seed}`,
    );
    const told = (policy: Policy, rules: RegExp) =>
      findings.some((one) => rules.test(one.rule) && isAbout(one, policy));
    for (const policy of standing(edge, 'Host')) {
      const without = isWithoutTls(edge, policy);
      const said = `edge ${seed}: Host ${policy.namespace}/${policy.name} (${dropOf(edge, policy)?.message ?? 'not dropped'})`;
      if (without) assert.ok(told(policy, /^EM06[0-46]$|^EM070$|^EM074$/), `${said} has no TLS, untold`);
      const wrong = findings.some(
        ({ rule, object }) =>
          /^EM06[01]$/.test(rule) &&
          object.kind === 'Host' &&
          object.namespace === policy.namespace &&
          object.name === policy.name,
      );
      assert.ok(without || !wrong, `${said} has TLS, and is told otherwise`);
    }
    for (const { policy, cluster } of edge.groups.flatMap(({ members }) => members)) {
      const name = textAt(policy.spec, 'tls');
      if (!name || !cluster) continue;
      const said = `edge ${seed}: Mapping ${policy.namespace}/${policy.name}`;
      if (!cluster.tls) assert.ok(told(policy, /^EM052$/), `${said} sends plain text, untold`);
      if (edge.contexts.get(name)?.usable)
        assert.ok(!told(policy, /^EM052$/), `${said} has its context, and is told otherwise`);
    }
  }
});
