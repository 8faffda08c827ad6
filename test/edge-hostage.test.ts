// What does not pass the gate counts for nobody: declaring everything holds nobody up.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, policyOf } from './edge.ts';

const { shop, greedy } = await edgeFixture('shop', 'greedy');

it('a team that claims every host and every path is stopped, and others go on', async () => {
  const own = await shop.source('app', {
    'h.yaml': host('shop', 'shop.example'),
    'm.yaml': mapping('web', 'shop.example', '/'),
  });
  await applied(own);
  const all = await greedy.source('all', {
    'h.yaml': host('all', 'shop.example'),
    'm.yaml': mapping('all', '*', '/'),
    'n.yaml': mapping('next', 'shop.example', '/next/'),
    'o.yaml': mapping('own', 'shop.example', '/'),
  });
  await blocked(all);
  const commit = await own.repository.write({ 'n.yaml': mapping('next', 'shop.example', '/next/') });
  await applied(own, commit);
  assert.ok(await policyOf(shop, 'Mapping', 'next'));
  assert.equal(await policyOf(greedy, 'Mapping', 'all'), undefined);
});

it('nor does claiming the very objects of others in a commit that is stopped', async () => {
  const place = { metadata: { namespace: shop.namespace } };
  const claim = await greedy.source('claim', {
    'bad.yaml': mapping('bad', '*', '/(?=x)', { prefix_regex: true }),
    'theirs.yaml': JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'theirs', ...place.metadata },
      data: { by: 'greedy' },
    }),
  });
  await blocked(claim);
  const own = await shop.source('config', {
    'c.yaml': JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'theirs' },
      data: { by: 'shop' },
    }),
  });
  await applied(own);
});
