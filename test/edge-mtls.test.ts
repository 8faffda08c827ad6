// Client certificates that would silently no longer be asked for: the commit is stopped, until the Secret is right.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, EDGE, mapping, policyOf } from './edge.ts';
import { applyObject } from './install.ts';
import { manifest } from './team.ts';

const { world, shop } = await edgeFixture('shop');

const value = Buffer.from('-----').toString('base64');

function secret(name: string, ...keys: string[]) {
  const data = Object.fromEntries(keys.map((key) => [key, value]));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: shop.namespace }, type: 'Opaque', data };
}

it('a CA Secret without tls.crt stops the commit; with it, the commit goes in by itself', async () => {
  // Made by hand, or by a tool of the cluster: not in Git.
  await applyObject(world.cluster, secret('server', 'tls.crt', 'tls.key'));
  await applyObject(world.cluster, secret('clients', 'ca.crt'));
  const source = await shop.source('mtls', {
    'context.yaml': manifest(EDGE, 'TLSContext', 'mtls', {
      spec: { secret: 'server', ca_secret: 'clients', cert_required: true, min_tls_version: 'v1.2' },
    }),
    'host.yaml': manifest(EDGE, 'Host', 'shop', {
      spec: { hostname: 'shop.example', tlsSecret: { name: 'server' }, tlsContext: { name: 'mtls' } },
    }),
    'a.yaml': mapping('a', 'shop.example', '/'),
  });
  const { edge } = await blocked(source);
  const found = edge?.findings.find(({ rule }) => rule === 'EM066');
  assert.deepEqual([found?.blocks, found?.name, found?.file], [true, 'mtls', 'context.yaml']);
  assert.equal(await policyOf(shop, 'TLSContext', 'mtls'), undefined);

  await applyObject(world.cluster, secret('clients', 'ca.crt', 'tls.crt'));
  const healthy = await applied(source);
  assert.equal(healthy.edge?.hosts, 1);
});

it('a Secret that comes in the same commit, or that a Certificate of it will produce, counts', async () => {
  const source = await shop.source('certificate', {
    'secret.yaml': manifest('v1', 'Secret', 'in-git', {
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': value, 'tls.key': value },
    }),
    'host.yaml': manifest(EDGE, 'Host', 'in-git', {
      spec: { hostname: 'git.example', tlsSecret: { name: 'in-git' } },
    }),
    'a.yaml': mapping('in-git', 'git.example', '/'),
  });
  await applied(source);
});
