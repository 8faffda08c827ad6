import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { LeaderElection, microTime } from '../src/kube/lease.ts';
import type { LeaseOptions } from '../src/kube/lease.ts';
import { freshNamespace, sharedCluster } from './cluster.ts';
import { clientOf } from './kube-client.ts';
import { fakeApi, sendJson, sendStatus } from './kube-fake.ts';
import { tcpProxy } from './kube-tcp-proxy.ts';
import { until } from './until.ts';

const cluster = await sharedCluster();
const QUICK = { name: 'leader', durationMs: 1_500, renewDeadlineMs: 1_000, retryMs: 20 };

/** Leads until it is stopped, and tells what happens. */
function candidate(options: Omit<LeaseOptions, keyof typeof QUICK> & Partial<LeaseOptions>, url?: string) {
  const api = clientOf(cluster, url ? { url } : {});
  const election = new LeaderElection(api, { ...QUICK, ...options });
  const abort = new AbortController();
  const state = { leading: false, ended: false, reason: undefined as unknown };
  const done = election.run(abort.signal, async (leading) => {
    state.leading = true;
    await new Promise((resolve) => leading.addEventListener('abort', resolve, { once: true }));
    state.ended = true;
    state.reason = leading.reason;
  });
  const stop = async () => {
    abort.abort(new Error('stopped'));
    const outcome = await done;
    await api.transport.close();
    return outcome;
  };
  return { election, state, done, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

async function leaseIn(namespace: string): Promise<Record<string, unknown> & { holderIdentity?: string }> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/leader`;
  const { body } = await cluster.request('GET', path);
  return (body['spec'] ?? {}) as Record<string, unknown>;
}

test('one leads, the other waits; after a release the successor starts at once', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  const holders: string[] = [];
  const slow = { durationMs: 600_000, renewDeadlineMs: 500_000 };
  await using first = candidate({ namespace, identity: 'one', ...slow });
  await until(() => first.state.leading);
  await using second = candidate({ namespace, identity: 'two', onHolder: (holder) => holders.push(holder), ...slow });
  await until(() => holders.includes('one'));
  assert.deepEqual([first.election.leading, second.election.leading, second.state.leading], [true, false, false]);
  const lease = await leaseIn(namespace);
  assert.equal(lease.holderIdentity, 'one');
  assert.match(String(lease['renewTime']), /\.\d{6}Z$/);
  assert.equal(await first.stop(), 'done');
  assert.equal(first.election.leading, false);
  await until(() => second.state.leading);
  assert.equal((await leaseIn(namespace))['leaseTransitions'], 1);
});

test('a restarted container takes its own lease back at once', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  const spec = {
    holderIdentity: 'pod-uid',
    leaseDurationSeconds: 3600,
    renewTime: microTime(new Date()),
    leaseTransitions: 4,
  };
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'leader' }, spec };
  assert.equal((await cluster.request('POST', path, { body })).status, 201);
  await using other = candidate({ namespace, identity: 'other' });
  await using same = candidate({ namespace, identity: 'pod-uid' });
  await until(() => same.state.leading);
  assert.equal(other.state.leading, false);
  assert.equal((await leaseIn(namespace))['leaseTransitions'], 4);
});

test('a holder that is gone is waited for by our own clock, whatever its clock wrote', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  const spec = { holderIdentity: 'dead', leaseDurationSeconds: 30, renewTime: '2001-01-01T00:00:00.000000Z' };
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'leader' }, spec };
  await cluster.request('POST', path, { body });
  let now = 0;
  let looks = 0;
  const clock = () => now;
  const random = () => {
    looks += 1;
    return 0;
  };
  await using successor = candidate({ namespace, identity: 'successor', clock, random });
  await until(() => looks >= 3);
  now = 29_999;
  const before = looks;
  await until(() => looks >= before + 3);
  assert.equal(successor.state.leading, false);
  now = 30_000;
  await until(() => successor.state.leading);
});

test('a leader that cannot renew stops before anybody else can lead', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  await using proxy = await tcpProxy(cluster.url);
  const lonely = candidate({ namespace, identity: 'lonely' }, proxy.url);
  await until(() => lonely.state.leading);
  await using successor = candidate({ namespace, identity: 'successor' });
  proxy.freeze();
  await until(() => lonely.state.ended);
  assert.equal((lonely.state.reason as { code?: string }).code, 'LeaseLost');
  assert.equal(lonely.election.leading, false);
  assert.equal(successor.state.leading, false);
  assert.equal(await lonely.done, 'lost');
  await until(() => successor.state.leading);
  proxy.reset();
  await lonely.stop();
  assert.equal((await leaseIn(namespace)).holderIdentity, 'successor');
});

test('`leading` is false as soon as the time is over, even if no timer has run', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  let now = 0;
  const options = { retryMs: 600_000, renewDeadlineMs: 500_000, durationMs: 900_000 };
  await using leader = candidate({ namespace, identity: 'one', clock: () => now, ...options });
  await until(() => leader.state.leading);
  assert.equal(leader.election.leading, true);
  now = 500_000;
  assert.equal(leader.election.leading, false);
});

test('a lease that somebody else took ends the lead at the next renewal', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  const robbed = candidate({ namespace, identity: 'robbed', durationMs: 60_000, renewDeadlineMs: 50_000 });
  await until(() => robbed.state.leading);
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/leader`;
  await cluster.request('PATCH', path, { body: { spec: { holderIdentity: 'thief' } } });
  assert.equal(await robbed.done, 'lost');
  assert.equal((await leaseIn(namespace)).holderIdentity, 'thief');
  await robbed.stop();
});

test('a lease that was deleted is made again', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  await using leader = candidate({ namespace, identity: 'one', durationMs: 60_000, renewDeadlineMs: 50_000 });
  await until(() => leader.state.leading);
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/leader`;
  await cluster.request('DELETE', path);
  await until(async () => (await leaseIn(namespace)).holderIdentity === 'one');
  assert.equal(leader.state.ended, false);
});

test('what the lead throws comes out, and the lease is given back', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  await using api = clientOf(cluster);
  const election = new LeaderElection(api, { ...QUICK, namespace, identity: 'one' });
  const run = election.run(new AbortController().signal, async () => {
    throw new Error('broken');
  });
  await assert.rejects(run, /broken/);
  assert.equal((await leaseIn(namespace)).holderIdentity, undefined);
});

test('a renewal whose answer never came does not keep the lease from being given back', async () => {
  let version = 1;
  let spec: Record<string, unknown> = {};
  let renewals = 0;
  const lease = () => ({ kind: 'Lease', metadata: { name: 'leader', resourceVersion: String(version) }, spec });
  await using fake = await fakeApi(({ method, body }, response) => {
    if (method === 'GET') return sendJson(response, version === 1 ? 404 : 200, lease());
    const sent = JSON.parse(body) as { metadata: { resourceVersion?: string }; spec: object };
    if (method === 'PATCH' && sent.metadata.resourceVersion !== String(version)) {
      return sendStatus(response, 409, 'Conflict');
    }
    version += 1;
    spec = { ...spec, ...sent.spec };
    if (method === 'PATCH' && renewals++ === 0) return;
    sendJson(response, method === 'POST' ? 201 : 200, lease());
  });
  const slow = { ...QUICK, durationMs: 60_000, renewDeadlineMs: 50_000 };
  const election = new LeaderElection(fake.api, { ...slow, namespace: 'default', identity: 'one' });
  const abort = new AbortController();
  const run = election.run(abort.signal, (leading) => once(leading, 'abort').then(() => {}));
  await until(() => renewals === 1);
  abort.abort();
  assert.equal(await run, 'done');
  assert.equal(spec['holderIdentity'], null);
});

test('one who is told to stop in the moment in which he gets the lease gives it back, and never leads', async () => {
  const abort = new AbortController();
  let spec: Record<string, unknown> = {};
  const lease = () => ({ kind: 'Lease', metadata: { name: 'leader', resourceVersion: '1' }, spec });
  await using fake = await fakeApi(({ method, body }, response) => {
    if (method === 'GET') return sendJson(response, 'holderIdentity' in spec ? 200 : 404, lease());
    spec = { ...spec, ...(JSON.parse(body) as { spec: object }).spec };
    abort.abort(new Error('stopped'));
    sendJson(response, method === 'POST' ? 201 : 200, lease());
  });
  const election = new LeaderElection(fake.api, { ...QUICK, namespace: 'default', identity: 'one' });
  let led = false;
  assert.equal(await election.run(abort.signal, async () => void (led = true)), 'done');
  assert.deepEqual([led, election.leading, spec['holderIdentity']], [false, false, null]);
});

test('while the work winds down the lease is still kept', async () => {
  const namespace = await freshNamespace(cluster, 'lease');
  await using api = clientOf(cluster);
  // A renewal that takes a second, as on a slow disk, is not the point.
  const patient = { ...QUICK, durationMs: 60_000, renewDeadlineMs: 50_000 };
  const election = new LeaderElection(api, { ...patient, namespace, identity: 'one' });
  const abort = new AbortController();
  await election.run(abort.signal, async (leading) => {
    abort.abort();
    assert.equal(leading.aborted, true);
    const { renewTime } = await leaseIn(namespace);
    await until(async () => (await leaseIn(namespace))['renewTime'] !== renewTime);
    assert.equal(election.leading, true);
  });
  assert.equal((await leaseIn(namespace)).holderIdentity, undefined);
});
