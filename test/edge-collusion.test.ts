// What was not judged is not applied, not even while an older revision goes on being enforced.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { applied, edgeFixture, host, mapping, prefixOf, reasonOf, statusWith } from './edge.ts';
import { configMap } from './operator.ts';
import type { TenantSource } from './tenancy.ts';
import { until } from './until.ts';

const { shop, greedy } = await edgeFixture('shop', 'greedy');

describe('an object that its source could not have when it was judged', () => {
  before(async () => {
    const files = { 'h.yaml': host('shop', 'shop.example'), 'm.yaml': mapping('cart', 'shop.example', '/cart/') };
    await applied(await shop.source('app', files));
  });

  /** Two sources of the team declare `m`; the second one is refused it, and its newest commit is broken. */
  async function rivals(m: string, adoption: 'Adopt' | 'Refuse') {
    const first = await greedy.source(`${m}-first`, {
      'm.yaml': mapping(m, 'shop.example', `/${m}/`),
      'o.yaml': mapping(`${m}-own`, 'shop.example', `/${m}-own/`),
    });
    await applied(first);
    const files = {
      'm.yaml': mapping(m, 'shop.example', '/cart/'),
      'd.yaml': mapping(`${m}-d`, 'shop.example', `/${m}-d/`),
    };
    const second = await greedy.source(`${m}-second`, files, { adoption });
    await statusWith(second, 'm is refused', undefined, (status) => (status.failures?.length ?? 0) > 0);
    const broken = await second.repository.write({ 'x.yaml': 'a: [' });
    const isBroken = 'the newest commit is broken';
    await statusWith(second, isBroken, broken, (status) => reasonOf(status, 'Ready') === 'InvalidYaml');
    return { first, second, broken };
  }

  /** Runs the source until the gate keeps it from having what another one let go. */
  async function unjudged(source: TenantSource, commit: string): Promise<void> {
    await source.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'now' } } });
    await statusWith(source, 'm waits for the gate', commit, ({ failures = [] }) =>
      failures.some(({ reason }) => reason === 'EdgeUnjudged'),
    );
  }

  for (const [how, adoption] of [
    ['handed over', 'Adopt'],
    ['free', 'Refuse'],
  ] as const)
    it(`is not applied unjudged once it is ${how}`, async () => {
      const m = `m-${adoption.toLowerCase()}`;
      const { first, second, broken } = await rivals(m, adoption);
      await applied(first, await first.repository.write({ 'm.yaml': null }));
      await unjudged(second, broken);
      assert.equal(await prefixOf(greedy, m), adoption === 'Adopt' ? `/${m}/` : undefined);
    });

  it('is handed over although it waits to be judged, and goes with the last who declares it', async () => {
    const { first, second, broken } = await rivals('m-late', 'Adopt');
    // The first one has let go, and deletes nothing before its revision is whole.
    const partly = await first.repository.write({ 'm.yaml': null, 'c.yaml': configMap('NOT-A-NAME') });
    await statusWith(first, 'is applied in part', partly, ({ failures = [] }) => failures.length > 0);
    await unjudged(second, broken);
    await applied(first, await first.repository.write({ 'c.yaml': null }));
    assert.equal(await prefixOf(greedy, 'm-late'), '/m-late/');

    await second.delete();
    await until(async () => (await prefixOf(greedy, 'm-late')) === undefined, { what: 'nobody declares it any more' });
  });
});
