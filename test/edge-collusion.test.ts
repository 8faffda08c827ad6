// What was not judged is not applied, not even while an older revision goes on being enforced.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { applied, edgeFixture, host, mapping, policyOf, reasonOf, statusWith } from './edge.ts';

const { shop, greedy } = await edgeFixture('shop', 'greedy');

describe('an object that its source could not have when it was judged', () => {
  before(async () => {
    const files = { 'h.yaml': host('shop', 'shop.example'), 'm.yaml': mapping('cart', 'shop.example', '/cart/') };
    await applied(await shop.source('app', files));
  });

  for (const [how, adoption] of [
    ['handed over', 'Adopt'],
    ['free', 'Refuse'],
  ] as const)
    it(`is not applied unjudged once it is ${how}`, async () => {
      const m = `m-${adoption.toLowerCase()}`;
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

      await applied(first, await first.repository.write({ 'm.yaml': null }));
      await second.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'now' } } });
      await statusWith(second, 'm waits for the gate', broken, ({ failures = [] }) =>
        failures.some(({ reason }) => reason === 'EdgeUnjudged'),
      );
      const now = await policyOf(greedy, 'Mapping', m);
      assert.equal(now !== undefined, adoption === 'Adopt');
      assert.notEqual((now?.['spec'] as { prefix?: string } | undefined)?.prefix, '/cart/');
    });
});
