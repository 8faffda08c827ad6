// A Host that gets another name: for a moment both would claim its hostname, so the old one goes first.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, policyOf } from './edge.ts';

const { world, shop } = await edgeFixture('shop');

const writes = () => world.operator.writes.filter((line) => line.includes('Host'));

it('is deleted before its successor is applied', async () => {
  const source = await shop.source('app', {
    'h.yaml': host('old', 'shop.example'),
    'm.yaml': mapping('web', 'shop.example', '/'),
  });
  await applied(source);
  const commit = await source.repository.write({ 'h.yaml': host('new', 'shop.example') });
  await applied(source, commit);
  assert.equal(await policyOf(shop, 'Host', 'old'), undefined);
  assert.ok(await policyOf(shop, 'Host', 'new'));
  assert.deepEqual(
    writes().map((line) => line.split(' ')[0] + ' ' + line.split('/').at(-1)),
    ['created old', 'pruned old', 'created new'],
  );
});

it('is kept when it may not be pruned: then the commit does not pass', async () => {
  const source = await shop.source(
    'kept',
    { 'h.yaml': host('kept', 'kept.example'), 'm.yaml': mapping('kept', 'kept.example', '/') },
    { prune: false },
  );
  await applied(source);
  const commit = await source.repository.write({ 'h.yaml': host('kept-new', 'kept.example') });
  const { edge } = await blocked(source, commit);
  assert.ok(edge?.findings.some(({ rule, blocks }) => rule === 'EM072' && blocks));
  assert.ok(await policyOf(shop, 'Host', 'kept'));
  assert.equal(await policyOf(shop, 'Host', 'kept-new'), undefined);
});

it('stays when the API server would refuse the new one', async () => {
  const source = await shop.source('refused', {
    'h.yaml': host('first', 'refused.example'),
    'm.yaml': mapping('refused', 'refused.example', '/'),
  });
  await applied(source);
  const bad = host('second', 'refused.example', { requestPolicy: { insecure: { action: 'Route', unknownField: 1 } } });
  await source.repository.write({ 'h.yaml': bad });
  await source.ready('False');
  assert.ok(await policyOf(shop, 'Host', 'first'));
});
