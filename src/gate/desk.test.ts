import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../test/until.ts';
import { systemClock, type Clock } from '../clock.ts';
import { identityKey } from '../kube/object.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { Log } from '../report/log.ts';
import { Body } from '../render/body.ts';
import type { Desired } from '../sync/desired.ts';
import type { Candidate } from './candidate.ts';
import { EdgeDesk } from './desk.ts';

/** Its timers keep no process alive: the desk has some of half a minute. */
const clock: Clock = {
  ...systemClock,
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** `onShown`: it is being judged. */
function mapping(source: string, prefix: string, onShown: () => void = () => undefined): Desired {
  const [namespace = ''] = source.split('/');
  const identity = { group: 'getambassador.io', kind: 'Mapping', namespace, name: 'm' };
  const apiVersion = 'getambassador.io/v3alpha1';
  const spec = { hostname: '*', prefix, service: 'web' };
  const body = JSON.stringify({ apiVersion, kind: 'Mapping', metadata: { namespace, name: 'm' }, spec });
  return {
    identity,
    key: identityKey(identity),
    apiVersion,
    get file() {
      onShown();
      return 'm.yaml';
    },
    line: 1,
    body: new Body(body),
    digest: body,
    policy: { prune: true, reconcile: true, ssa: 'Override', force: false, adopt: false },
  };
}

function candidate(source: string, id: string, desired: readonly Desired[]): Candidate {
  const grantable = (some: readonly Desired[]) => [...some];
  const edge = { mode: 'Enforce' as const };
  return { source, id, commit: id, edge, desired, barred: new Set(), grantable, pruned: () => [] };
}

test('who was stopped while the edge went on changing is tried again, though nothing changes any more', async (t) => {
  const end = new AbortController();
  const { signal } = end;
  const kept = setInterval(() => undefined, 1_000);
  t.after(() => {
    end.abort();
    clearInterval(kept);
  });
  const discovery = {
    preferredKinds: () => [],
    cached: () => undefined,
    servedVersions: () => [],
    resource: () => Promise.resolve(undefined),
    onChange: () => () => undefined,
  };
  const woken: string[] = [];
  const nothing = () => undefined;
  const desk = new EdgeDesk({
    api: { discovery } as unknown as KubeApi,
    clock,
    log: { info: nothing, error: nothing, warn: nothing } as unknown as Log,
    signal,
    isLive: () => false,
    heals: () => true,
    wake: (source) => void woken.push(source),
    told: nothing,
    mayRead: () => Promise.resolve(true),
    edgeOf: () => ({ mode: 'Enforce' }),
    policyChanged: nothing,
    policies: { policySeen: nothing, policyGone: nothing },
  });
  let changes = 0;
  const change = () => {
    changes += 1;
    const prefix = changes < 3 ? '/cart/' : '/other/';
    if (changes <= 3) desk.enforce(candidate('shop/app', `${changes}`, [mapping('shop/app', prefix)]));
  };
  desk.enforce(candidate('shop/app', 'first', [mapping('shop/app', '/cart/')]));
  const late = mapping('blog/app', '/cart/', () => setImmediate(change));
  const decision = await desk.admit(candidate('blog/app', 'late', [late]), signal);
  assert.equal(decision.kind, 'blocked');
  await until(() => woken.includes('blog/app'), { what: 'it is tried again', timeoutMs: 10_000 });
});
