// A commit that the gate of the edge stops still declares what it declares: what moves to it is not deleted meanwhile.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, prefixOf } from './edge.ts';
import { until } from './until.ts';

const { shop, greedy } = await edgeFixture('shop', 'greedy');
const stolen = (name: string) => mapping(name, 'shop.example', '/cart/');

describe('an object that moves to a source of which the gate of the edge stops the commit', () => {
  before(async () => {
    const files = { 'host.yaml': host('shop', 'shop.example'), 'cart.yaml': stolen('cart') };
    await applied(await shop.source('app', files));
  });

  for (const isFirst of [true, false])
    it(`is handed over when it passes${isFirst ? ', were it the first one' : ''}`, async () => {
      const m = isFirst ? 'first' : 'later';
      const own = { 'own.yaml': mapping(`${m}-own`, 'shop.example', `/${m}-own/`) };
      const giver = await greedy.source(`${m}-giver`, { ...own, 'm.yaml': mapping(m, 'shop.example', `/${m}/`) });
      await applied(giver);
      const moved = { 'm.yaml': mapping(m, 'shop.example', `/${m}-new/`), 'stolen.yaml': stolen(`${m}-stolen`) };
      const other = { 'other.yaml': mapping(`${m}-other`, 'shop.example', `/${m}-other/`) };
      const taker = await greedy.source(`${m}-taker`, isFirst ? { ...other, ...moved } : other);
      if (!isFirst) await applied(taker);
      await blocked(taker, isFirst ? undefined : await taker.repository.write(moved));

      await applied(giver, await giver.repository.write({ 'm.yaml': null }));
      assert.equal(await prefixOf(greedy, m), `/${m}/`);
      await applied(taker, await taker.repository.write({ 'stolen.yaml': null }));
      assert.equal(await prefixOf(greedy, m), `/${m}-new/`);
    });

  it('goes when the next commit, which is stopped too, does not declare it', async () => {
    const giver = await greedy.source('giver', {
      'own.yaml': mapping('own', 'shop.example', '/own/'),
      'm.yaml': mapping('dropped', 'shop.example', '/dropped/'),
    });
    await applied(giver);
    const files = { 'm.yaml': mapping('dropped', 'shop.example', '/dropped/'), 'stolen.yaml': stolen('stolen') };
    const taker = await greedy.source('taker', files);
    await blocked(taker);
    await applied(giver, await giver.repository.write({ 'm.yaml': null }));
    assert.equal(await prefixOf(greedy, 'dropped'), '/dropped/');
    await blocked(taker, await taker.repository.write({ 'm.yaml': null }));
    await until(async () => (await prefixOf(greedy, 'dropped')) === undefined, { what: 'nobody declares it any more' });
  });
});
