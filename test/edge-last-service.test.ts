// The last Service of a namespace cannot be taken away from under the Mapping of the same source.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping } from './edge.ts';
import { manifest } from './team.ts';

const { shop } = await edgeFixture('shop');

it('the commit is stopped, and passes with another target', async () => {
  const source = await shop.source('app', {
    'h.yaml': host('shop', 'shop.example'),
    'm.yaml': mapping('web', 'shop.example', '/'),
    's.yaml': manifest('v1', 'Service', 'web', { spec: { ports: [{ port: 80 }] } }),
  });
  await applied(source);
  const { edge } = await blocked(source, await source.repository.write({ 's.yaml': null }));
  assert.deepEqual(
    edge?.findings.filter(({ blocks }) => blocks).map(({ rule, name }) => [rule, name]),
    [['EM046', 'web']],
  );
  assert.ok(await shop.get('services/web'));
  const elsewhere = mapping('web', 'shop.example', '/', { service: 'https://www.example.com' });
  await applied(source, await source.repository.write({ 'm.yaml': elsewhere }));
  assert.equal(await shop.get('services/web'), undefined);
});
