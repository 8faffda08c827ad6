// One bad policy would keep the whole gateway from taking any configuration, for everybody: it does not get in.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applied, blocked, edgePolicy, edgeFixture, host, mapping, policyOf } from './edge.ts';

const { world, shop } = await edgeFixture('shop');

const BAD = '/x/(?=foo)';

describe('a regular expression that Envoy refuses', () => {
  it('stops the commit: nothing of it is applied, and the revision before goes on being enforced', async () => {
    const good = { 'host.yaml': host('shop', 'shop.example'), 'a.yaml': mapping('a', 'shop.example', '/a/') };
    const source = await shop.source('regex', good);
    await applied(source);

    const bad = await source.repository.write({
      'a.yaml': mapping('a', 'shop.example', '/changed/'),
      'b.yaml': mapping('b', 'shop.example', BAD, { prefix_regex: true }),
    });
    const status = await blocked(source, bad);
    const [finding] = status.edge?.findings ?? [];
    assert.deepEqual([finding?.rule, finding?.blocks, finding?.name, finding?.file], ['EM001', true, 'b', 'b.yaml']);
    assert.equal(status.history?.[0]?.status, 'Failed');
    assert.match(status.lastAttemptedRevision ?? '', new RegExp(bad));
    assert.doesNotMatch(status.lastAppliedRevision ?? '', new RegExp(bad));
    assert.equal(await policyOf(shop, 'Mapping', 'b'), undefined);
    assert.equal((await policyOf(shop, 'Mapping', 'a'))?.['spec']?.['prefix' as never], '/a/');

    const mended = await source.repository.write({ 'b.yaml': mapping('b', 'shop.example', '/b/') });
    await applied(source, mended);
    assert.equal((await policyOf(shop, 'Mapping', 'a'))?.['spec']?.['prefix' as never], '/changed/');
  });

  it('stops the first commit of a source too', async () => {
    const source = await shop.source('first', { 'a.yaml': mapping('first', '*', BAD, { prefix_regex: true }) });
    await blocked(source);
    assert.equal(await policyOf(shop, 'Mapping', 'first'), undefined);
  });

  it('is stopped also where only reports are wanted', async () => {
    const bad = { 'a.yaml': mapping('warned', '*', BAD, { prefix_regex: true }) };
    const source = await shop.source('warned', bad, { edge: { mode: 'Warn' } });
    await blocked(source);
  });
});

describe('a source that asks for no judgement', () => {
  const bad = { 'a.yaml': mapping('off', '*', BAD, { prefix_regex: true }) };

  it('is judged all the same when the platform team asks for it', async () => {
    await edgePolicy(world, { mode: 'Enforce' });
    const source = await shop.source('off', bad, { edge: { mode: 'Off' } });
    await blocked(source);
    await world.expect(200, 'DELETE', '/apis/plumbline.dev/v1alpha1/edgepolicies/edge');
    await applied(source);
    assert.ok(await policyOf(shop, 'Mapping', 'off'));
  });

  it('stops nobody else with what it got in', async () => {
    const source = await shop.source('other', { 'a.yaml': mapping('other', 'shop.example', '/other/') });
    await applied(source);
  });
});
