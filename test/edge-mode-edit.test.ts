// How strictly a source is judged is edited: what it is told of the edge follows at once, while nothing else happens there.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, edgeFixture, host, mapping, reasonOf, statusWith } from './edge.ts';

const { shop, blog } = await edgeFixture('shop', 'blog');

it('a source that is judged no more is told of nothing, and of everything when it is again', async () => {
  const files = { 'h.yaml': host('shop', 'shop.example'), 'm.yaml': mapping('web', 'shop.example', '/') };
  const source = await shop.source('app', files);
  await applied(source);
  const other = await blog.source('app', { 'm.yaml': mapping('web', 'shop.example', '/') }, { edge: { mode: 'Off' } });
  await applied(other);
  const told = (reason: string | undefined) =>
    statusWith(source, `EdgeHealthy: ${reason}`, undefined, (status) => reasonOf(status, 'EdgeHealthy') === reason);
  await told('EdgeFindings');
  await source.patch({ spec: { edge: { mode: 'Off' } } });
  assert.equal((await told(undefined)).edge, undefined);
  await source.patch({ spec: { edge: { mode: 'Warn' } } });
  assert.equal((await told('EdgeFindings')).edge?.errors, 1);
});
