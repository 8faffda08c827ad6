// A commit that was stopped and is not the one to be applied any more lets nobody pass with it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, reasonOf, statusWith, stoppedBy } from './edge.ts';
import { config } from './team.ts';
import type { TenantSource } from './tenancy.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

const site = (name: string, hostname: string) => ({
  'h.yaml': host(name, hostname),
  'm.yaml': mapping(name, hostname, '/'),
});

function broken(source: TenantSource, commit: string) {
  return statusWith(
    source,
    'Ready=False (InvalidYaml)',
    commit,
    (status) => reasonOf(status, 'Ready') === 'InvalidYaml',
  );
}

it('who would take the route of a commit that became unreadable is stopped, until it can be read again', async () => {
  const [a, b] = await Promise.all([
    shop.source('app', site('a', 'a.example')),
    blog.source('app', site('b', 'b.example')),
  ]);
  await Promise.all([applied(a), applied(b)]);
  await blocked(a, await a.repository.write(site('a', 'b.example')));
  const { edge, conditions } = await broken(a, await a.repository.write({ 'x.yaml': 'a: [' }));
  assert.deepEqual(
    edge?.findings.filter(({ blocks }) => blocks),
    [],
  );
  assert.equal(conditions?.find(({ type }) => type === 'EdgeHealthy')?.reason, 'EdgeSound');

  const taken = await b.repository.write(site('b', 'a.example'));
  assert.ok((await stoppedBy(b, taken)).includes('EM010'));
  const mended = await a.repository.write({ 'x.yaml': null });
  await Promise.all([applied(a, mended), applied(b, taken)]);
});

it('so is who would need what a commit that was the first of its source had brought', async () => {
  const needy = await shop.source('needy', {
    'h.yaml': host('needy', 'needy.example'),
    'm.yaml': mapping('needy', 'needy.example', '/x/'),
  });
  await applied(needy);
  const bringer = await blog.source('bringer', {
    'h.yaml': host('brought', 'brought.example'),
    'm.yaml': mapping('taking', 'needy.example', '/x/'),
  });
  await blocked(bringer);
  const status = await broken(bringer, await bringer.repository.write({ 'x.yaml': 'a: [' }));
  assert.deepEqual([reasonOf(status, 'EdgeHealthy'), status.edge], [undefined, undefined]);
  const moved = await needy.repository.write({ 'm.yaml': mapping('needy', 'brought.example', '/x/') });
  assert.deepEqual(await stoppedBy(needy, moved), ['EM031']);
  const mended = await bringer.repository.write({ 'x.yaml': null });
  await Promise.all([applied(bringer, mended), applied(needy, moved)]);
});

it('so is who would pass with a source that is being deleted and leaves its objects', async () => {
  const [a, b] = await Promise.all([
    shop.source('going', site('c', 'c.example'), { deletionPolicy: 'Orphan' }),
    blog.source('other', site('d', 'd.example')),
  ]);
  await Promise.all([applied(a), applied(b)]);
  await blocked(a, await a.repository.write(site('c', 'd.example')));
  const path = `/apis/plumbline.dev/v1alpha1/namespaces/${shop.namespace}/gitopssources/going`;
  const { metadata } = (await world.cluster.request('GET', path)).body;
  // Somebody else takes a last look.
  const held = { metadata: { finalizers: [...(metadata.finalizers ?? []), 'example.com/look'] } };
  await world.expect(200, 'PATCH', path, { body: held });
  await world.expect(200, 'DELETE', path);
  await statusWith(a, 'Ready=False (Deleting)', undefined, (status) => reasonOf(status, 'Ready') === 'Deleting');
  const taken = await b.repository.write(site('d', 'c.example'));
  assert.ok((await stoppedBy(b, taken)).includes('EM010'));
  await world.expect(200, 'PATCH', path, { body: { metadata: { finalizers: null } } });
});

it('what was said of it goes when the commit after it brings nothing of the edge', async () => {
  await applied(await shop.source('owner', site('owned', 'owned.example')));
  const source = await blog.source('without', { 'm.yaml': mapping('without', 'owned.example', '/') });
  await blocked(source);
  const commit = await source.repository.write({ 'm.yaml': null, 'c.yaml': config('without') });
  const status = await applied(source, commit);
  assert.deepEqual([reasonOf(status, 'EdgeHealthy'), status.edge], [undefined, undefined]);
});
