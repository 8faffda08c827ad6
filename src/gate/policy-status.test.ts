import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EdgePolicy } from '../api/edge-policy.ts';
import { gatewaysOf } from './gateways.ts';
import type { Judged } from './judgements.ts';
import { EdgePolicies, WatchedPolicy } from './policies.ts';
import { policyStatusOf } from './policy-status.ts';
import { EdgeStandings } from './standings.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const COMMIT = 'a'.repeat(40);
const SOURCE_EDGE = { mode: 'Enforce' as const };

function resource(name: string, spec: unknown, generation = 1, uid = name): EdgePolicy {
  const metadata = { name, uid, generation };
  return { apiVersion: 'plumbline.dev/v1alpha1', kind: 'EdgePolicy', metadata, spec };
}

const JUDGED: Judged = {
  findings: [],
  frozen: false,
  size: { routes: 7, hosts: 3 },
  tallies: new Map([
    ['shop/app', { routes: 2, hosts: 1, members: 2 }],
    ['blog/app', { routes: 1, hosts: 0, members: 1 }],
    ['gone/app', { routes: 1, hosts: 0, members: 1 }],
  ]),
  setbacks: new Map(),
};

/** The status of the first of these policies. */
function statusOf(specs: Record<string, unknown>, { isJudged = true, blocked = [] as string[], commit = '' } = {}) {
  const policies = new EdgePolicies({ policySeen: () => undefined, policyGone: () => undefined });
  for (const [name, spec] of Object.entries(specs)) policies.seen(resource(name, spec));
  const gateways = gatewaysOf(policies.specs, new Map());
  const standings = new EdgeStandings();
  const judged = gateways.map((gateway) => [gateway, JUDGED] as [typeof gateway, Judged]);
  const edgeOf = (source: string) => (source === 'gone/app' ? undefined : SOURCE_EDGE);
  if (isJudged) standings.count(gateways, judged, edgeOf);
  const [policy] = policies.all;
  const standing = standings.of(policy!, { gateways, blocked, commitOf: () => commit });
  return policyStatusOf(policy!, standing, now);
}

describe('the status of an EdgePolicy', () => {
  it('says what it does, and how much', () => {
    const { conditions, ...rest } = statusOf({ edge: {} }, { blocked: ['edge', 'other'] });
    assert.deepEqual(rest, {
      observedGeneration: 1,
      routes: 7,
      hosts: 3,
      sources: 2,
      blocked: 1,
      errors: 0,
      warnings: 0,
    });
    assert.deepEqual(conditions, [
      {
        type: 'Ready',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-02T03:04:05Z',
        reason: 'InForce',
        message: 'what would hurt the gateway default is not applied, whichever source brings it',
      },
    ]);
  });

  it('is not ready before the edge was judged', () => {
    const { conditions, sources } = statusOf({ edge: {} }, { isJudged: false });
    assert.deepEqual(
      [conditions?.[0]?.status, conditions?.[0]?.reason, sources],
      ['Unknown', 'Progressing', undefined],
    );
  });

  it('names the field that is wrong, and what holds meanwhile', () => {
    const { conditions, sources } = statusOf({ edge: { mode: 'Deny', grants: [{}] } });
    const { status, reason, message = '' } = conditions?.[0] ?? {};
    assert.deepEqual([status, reason, sources], ['False', 'InvalidSpec', 2]);
    assert.match(
      message,
      /spec\.mode: .*spec\.grants\[0\]: .*with mode Enforce, failOn Error, tlsFloor v1\.2 and unclaimed Deny/,
    );
  });

  it('says that it counts for no gateway when nobody can tell for which', () => {
    const [ready] = statusOf({ edge: { ambassadorId: 5 } }).conditions ?? [];
    assert.match(ready?.message ?? '', /spec\.ambassadorId: .*counts for none/);
  });

  it('names the other policy that is about the same gateway', () => {
    const [ready] = statusOf({ z: {}, edge: {} }).conditions ?? [];
    assert.deepEqual([ready?.status, ready?.reason], ['False', 'AmbassadorIdTaken']);
    assert.match(ready?.message ?? '', /^the EdgePolicy edge, .* gateway default/);
  });

  it('names the overrides whose commit is enforced now', () => {
    const overrides = [{ source: 'shop/app', commit: COMMIT, reason: 'incident 42' }];
    const [, overridden] = statusOf({ edge: { overrides } }, { commit: COMMIT }).conditions ?? [];
    assert.deepEqual([overridden?.type, overridden?.reason], ['Overridden', 'OverridesInUse']);
    assert.match(overridden?.message ?? '', /^shop\/app at a{40}: incident 42/);
    assert.equal(statusOf({ edge: { overrides } }, { commit: 'b' }).conditions?.length, 1);
  });

  it('is the same when nothing changed, and short whatever is written', () => {
    const policy = new WatchedPolicy(resource('edge', { mode: 'x'.repeat(100_000), grants: Array(3_000).fill(5) }));
    const standing = { takenBy: undefined, counts: undefined, overridesInUse: [] };
    policy.status = policyStatusOf(policy, standing, now);
    assert.deepEqual(policyStatusOf(policy, standing, new Date(now.getTime() + 60_000)), policy.status);
    assert.ok(JSON.stringify(policy.status).length < 8_192);
  });
});

describe('the policies that are watched', () => {
  it('change with their generation, not with their status', () => {
    const gone: string[] = [];
    const policies = new EdgePolicies({
      policySeen: () => undefined,
      policyGone: ({ resource: { metadata } }) => void gone.push(metadata.uid!),
    });
    assert.ok(policies.seen(resource('edge', { mode: 'Warn' })));
    assert.equal(policies.seen(resource('edge', { mode: 'Warn' })), undefined);
    assert.ok(policies.seen(resource('edge', { mode: 'Off' }, 2)));
    assert.equal(policies.specs.get('edge')?.mode, 'Off');
    // Deleted and made again while nobody looked.
    assert.ok(policies.seen(resource('edge', {}, 1, 'another')));
    assert.deepEqual([gone, policies.specs.get('edge')?.mode], [['edge'], 'Enforce']);
    assert.equal(policies.keep(new Set()), true);
    assert.deepEqual([policies.all, gone], [[], ['edge', 'another']]);
  });
});
