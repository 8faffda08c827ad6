import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cidrProblem } from './cidr.ts';
import { breakerNames, isLoadBalancer } from './upstream-options.ts';

void test('circuit breakers go into the name of a cluster, or drop the policy', () => {
  const table: [breakers: unknown, names: readonly string[] | undefined][] = [
    [[], []],
    [[{ max_connections: 10 }], ['cbnc10']],
    [[{ priority: 'High', max_retries: 3 }], ['cbht3']],
    [[{ priority: 'default', max_requests: '7', max_pending_requests: 2.9 }], ['cbdp2r7']],
    [[{ priority: 'low' }], undefined],
    [[{ max_connections: 'x' }], undefined],
    ['x', undefined],
    [[null], undefined],
  ];
  for (const [breakers, names] of table) assert.deepEqual(breakerNames(breakers), names, JSON.stringify(breakers));
});

void test('load balancers', () => {
  const table: [balancer: unknown, valid: boolean][] = [
    [{ policy: 'round_robin' }, true],
    [{ policy: 'round_robin', header: 'x' }, false],
    [{ policy: 'ring_hash' }, false],
    [{ policy: 'ring_hash', header: 'x' }, true],
    [{ policy: 'maglev', cookie: { name: 'c' } }, true],
    [{ policy: 'maglev', cookie: {} }, false],
    [{ policy: 'ring_hash', source_ip: true }, true],
    [{ policy: 'ring_hash', source_ip: true, header: 'x' }, false],
    [{ policy: 'bogus' }, false],
    [{}, false],
  ];
  for (const [balancer, valid] of table) assert.equal(isLoadBalancer(balancer), valid, JSON.stringify(balancer));
});

void test('addresses and ranges', () => {
  for (const good of ['10.0.0.1', '10.0.0.1/8', '::1', '2001:db8::/64'])
    assert.equal(cidrProblem(good), undefined, good);
  for (const bad of ['10.0.0.1/33', '::1/129', '10.0.0', 'a.com', '', '10.0.0.1/x']) assert.ok(cidrProblem(bad), bad);
});
