// What was not judged is not applied, not even while an older revision goes on being enforced.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, edgeFixture, host, mapping, policyOf, reasonOf, statusWith } from './edge.ts';
import { until } from './until.ts';

const { shop, greedy } = await edgeFixture('shop', 'greedy');

it('an object that its source could not have when it was judged is not applied unjudged once it is free', async () => {
  const own = await shop.source('app', {
    'h.yaml': host('shop', 'shop.example'),
    'm.yaml': mapping('cart', 'shop.example', '/cart/'),
  });
  await applied(own);
  const first = await greedy.source('first', {
    'm.yaml': mapping('m', 'shop.example', '/own/'),
    'c.yaml': mapping('c', 'shop.example', '/c/'),
  });
  await applied(first);
  const second = await greedy.source('second', {
    'm.yaml': mapping('m', 'shop.example', '/cart/'),
    'd.yaml': mapping('d', 'shop.example', '/d/'),
  });
  await statusWith(second, 'm is refused', undefined, (status) => (status.failures?.length ?? 0) > 0);
  const broken = await second.repository.write({ 'x.yaml': 'a: [' });
  await statusWith(
    second,
    'the newest commit is broken',
    broken,
    (status) => reasonOf(status, 'Ready') === 'InvalidYaml',
  );

  await first.repository.write({ 'm.yaml': null });
  await until(async () => (await policyOf(greedy, 'Mapping', 'm')) === undefined, { what: 'm is let go' });
  await second.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'now' } } });
  await statusWith(second, 'm waits for the gate', broken, ({ failures = [] }) => {
    return failures.some(({ reason }) => reason === 'EdgeUnjudged');
  });
  const now = await policyOf(greedy, 'Mapping', 'm');
  assert.notEqual((now?.['spec'] as { prefix?: string } | undefined)?.prefix, '/cart/');
});
