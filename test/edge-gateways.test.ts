// Several gateways in one cluster: what collides on one of them is nobody's trouble on the other, and each reads what is for it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, EDGE, edgeFixture, host, mapping, policyInForce, policyOf, stoppedBy } from './edge.ts';
import { applyObject } from './install.ts';
import { manifest } from './team.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');
const INSIDE = { ambassador_id: ['internal'] };
const LABELS = { edge: 'internal' };
await applyObject(world.cluster, {
  apiVersion: EDGE,
  kind: 'Listener',
  metadata: { name: 'internal', namespace: 'default', labels: LABELS },
  spec: { ...INSIDE, port: 9080, protocol: 'HTTP', securityModel: 'XFP', hostBinding: { namespace: { from: 'ALL' } } },
});
await policyInForce(world, {}, 'public');
await policyInForce(world, { ambassadorId: 'internal', labelSelector: 'edge=internal' }, 'internal');

/** With the label by which the internal gateway finds what it reads. */
function labelled(kind: string, name: string, spec: object): string {
  return manifest(EDGE, kind, name, { metadata: { labels: LABELS }, spec: { ...INSIDE, ...spec } });
}

const route = { hostname: 'a.example', prefix: '/', service: 'web:80' };

it('a route belongs to one team on each of them', async () => {
  const outside = await shop.source('outside', {
    'h.yaml': host('own', 'a.example'),
    'a.yaml': mapping('own', 'a.example', '/'),
  });
  await applied(outside);
  const inside = await blog.source('inside', {
    'h.yaml': labelled('Host', 'inside', {
      hostname: 'a.example',
      requestPolicy: { insecure: { action: 'Route' } },
    }),
    'a.yaml': labelled('Mapping', 'inside', route),
  });
  await applied(inside);

  const second = await blog.source('second', { 'a.yaml': mapping('second', 'a.example', '/') });
  assert.deepEqual(await stoppedBy(second), ['EM010']);
  assert.equal(await policyOf(blog, 'Mapping', 'second'), undefined);
  const third = await shop.source('third', { 'a.yaml': labelled('Mapping', 'third', route) });
  assert.deepEqual(await stoppedBy(third), ['EM010']);
});

it('what a gateway does not read is nobody’s trouble there', async () => {
  const unread = mapping('unread', 'a.example', '/', INSIDE);
  await applied(await shop.source('unread', { 'a.yaml': unread }));
});
