// Naming the Secrets of other namespaces in a policy does not tell which of them exist.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { blocked, edgeFixture, host, statusWith } from './edge.ts';
import { applyObject } from './install.ts';
import { mayEdit, type TenantSource } from './tenancy.ts';

const { world, shop, curious } = await edgeFixture('shop', 'curious');

function using(namespace: string, secret: string): string {
  return host('probe', 'probe.example', { tlsSecret: { name: secret, namespace } });
}

/** What the status says once the Host is refused, with the name of the Secret left out. */
async function said(source: TenantSource, secret: string, commit?: string): Promise<string> {
  const status = await statusWith(source, 'the Host waits, and the edge is told', commit, ({ failures, edge }) => {
    return failures?.[0]?.message.includes(secret) === true && edge?.hosts === 1;
  });
  const { failures, edge, conditions } = status;
  const healthy = conditions?.find(({ type }) => type === 'EdgeHealthy');
  return JSON.stringify([edge, failures, healthy?.reason, healthy?.message]).replaceAll(secret, 'SECRET');
}

it('the answer is the same for a Secret that exists and for one that does not', async () => {
  await applyObject(world.cluster, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'there', namespace: shop.namespace },
    data: { 'tls.crt': 'Kg==', 'tls.key': 'Kg==' },
  });
  const source = await curious.source('probe', { 'h.yaml': using(shop.namespace, 'there') });
  const there = await said(source, 'there');
  const commit = await source.repository.write({ 'h.yaml': using(shop.namespace, 'missing') });
  const missing = await said(source, 'missing', commit);
  assert.equal(missing, there);
  assert.match(missing, /EM075.*ApiForbidden/);
});

it('whoever may read it is told', async () => {
  const own = await curious.source('own', { 'h.yaml': using(curious.namespace, 'missing') });
  const { edge } = await blocked(own);
  assert.equal(edge?.findings[0]?.rule, 'EM060');

  await mayEdit(world.cluster, { name: 'plumbline', namespace: curious.namespace }, shop.namespace);
  const other = await curious.source('other', {
    'h.yaml': host('other', 'other.example', { tlsSecret: { name: 'lacking', namespace: shop.namespace } }),
  });
  const told = await blocked(other);
  assert.equal(told.edge?.findings[0]?.rule, 'EM060');
});
