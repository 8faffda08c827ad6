// While the newest commit is stopped at the edge, what is edited in the source holds for the one that stands.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, EDGE, edgeFixture, host, mapping, prefixOf, reasonOf, statusWith } from './edge.ts';
import { config } from './team.ts';
import type { TenantSource } from './tenancy.ts';
import { until } from './until.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');
await applied(
  await blog.source('site', {
    'host.yaml': host('site', 'site.example'),
    'm.yaml': mapping('site', 'site.example', '/blog/'),
  }),
);
const taking = (name: string) => mapping(name, 'site.example', '/blog/');

/** Edits the source and waits until the edit is acted on, with the newest commit still stopped. */
async function edited(source: TenantSource, spec: object): Promise<void> {
  const { observedGeneration } = await source.status();
  await source.patch({ spec });
  await statusWith(source, 'EdgeBlocked as it is now', undefined, (status) => {
    return status.observedGeneration > observedGeneration && reasonOf(status, 'Ready') === 'EdgeBlocked';
  });
}

it('a field that it leaves to others is left', async () => {
  const source = await shop.source('ignores', { 'c.yaml': config('ignores', { key: 'value', other: 'value' }) });
  await applied(source);
  await blocked(source, await source.repository.write({ 'm.yaml': taking('ignores') }));
  await edited(source, { drift: { ignore: [{ paths: ['/data/key'] }] } });
  const path = `/api/v1/namespaces/${shop.namespace}/configmaps/ignores`;
  await world.expect(200, 'PATCH', path, { body: { data: { key: 'by hand', other: 'by hand' } } });
  const data = async () => (await shop.get('configmaps/ignores'))?.['data'] as Record<string, string>;
  await until(async () => (await data())['other'] === 'value', { what: 'the other field is healed' });
  assert.equal((await data())['key'], 'by hand');
});

it('what would not pass either does not: what stands is enforced as it was', async () => {
  const files = { 'own/m.yaml': mapping('moves', 'site.example', '/own/'), 'taken/m.yaml': taking('moves') };
  const source = await shop.source('moves', files, { path: 'own' });
  await applied(source);
  await blocked(source, await source.repository.write({ 'own/m.yaml': taking('moves') }));
  await edited(source, { path: 'taken' });
  const path = `/apis/${EDGE}/namespaces/${shop.namespace}/mappings/moves`;
  await world.expect(200, 'PATCH', path, { body: { spec: { prefix: '/edited/' } } });
  const healed = async () => ((await prefixOf(shop, 'moves')) === '/edited/' ? undefined : prefixOf(shop, 'moves'));
  assert.equal(await until(healed, { what: 'the edit is healed' }), '/own/');
});
