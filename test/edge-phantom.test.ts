// What a source may not write will never be there: declaring it holds nobody up, and uses no grant of others.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, EDGE, edgePolicy, edgeFixture, host, mapping, policyOf, statusWith } from './edge.ts';
import { manifest } from './team.ts';
import { mayEdit } from './tenancy.ts';
import { until } from './until.ts';

const { world, shop, greedy } = await edgeFixture('shop', 'greedy');
await edgePolicy(world, { grants: [{ name: 'the shop', namespaces: [shop.namespace], hosts: ['shop.example'] }] });

it('a Mapping declared in the namespace of another team does not count, and is judged once it may be written', async () => {
  const phantom = manifest(EDGE, 'Mapping', 'phantom', {
    metadata: { name: 'phantom', namespace: shop.namespace },
    spec: { hostname: 'shop.example', prefix: '/cart/', service: 'web:80' },
  });
  const theirs = await greedy.source('app', {
    'host.yaml': host('greedy', 'greedy.example'),
    'own.yaml': mapping('own', 'greedy.example', '/'),
    'phantom.yaml': phantom,
  });
  const { failures } = await statusWith(theirs, 'the phantom is refused', undefined, (now) => {
    return now.failures?.some(({ name }) => name === 'phantom') ?? false;
  });
  assert.deepEqual(
    failures?.map(({ name, reason, file }) => [name, reason, file]),
    [['phantom', 'ApiForbidden', 'phantom.yaml']],
  );
  await until(() => policyOf(greedy, 'Mapping', 'own'), { what: 'what the source may write is applied' });

  const own = await shop.source('app', {
    'host.yaml': host('shop', 'shop.example'),
    'cart.yaml': mapping('cart', 'shop.example', '/cart/'),
  });
  await applied(own);

  await mayEdit(world.cluster, { name: 'plumbline', namespace: greedy.namespace }, shop.namespace);
  const { edge } = await blocked(theirs);
  assert.deepEqual(
    edge?.findings.filter(({ blocks }) => blocks).map(({ rule, name }) => [rule, name]),
    [['EM010', 'phantom']],
  );
  assert.equal(await policyOf(shop, 'Mapping', 'phantom'), undefined);
});
