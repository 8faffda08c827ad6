// A commit that was stopped at the edge is taken back in Git while no operator runs: nothing is said of it any more.
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, reasonOf, statusWith } from './edge.ts';
import { config } from './team.ts';
import { restarted } from './tenancy.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

it('also when nothing happens on the edge after the restart', async () => {
  const theirs = await blog.source('site', {
    'host.yaml': host('site', 'site.example'),
    'm.yaml': mapping('site', 'site.example', '/'),
  });
  await applied(theirs);
  const source = await shop.source('app', { 'c.yaml': config('app') });
  await applied(source);
  const good = await source.repository.git('rev-parse', 'HEAD');
  await blocked(source, await source.repository.write({ 'm.yaml': mapping('app', 'site.example', '/') }));

  await world.operator.stop('SIGKILL');
  await source.repository.git('push', '-q', '--force', 'origin', `${good}:refs/heads/main`);
  await theirs.patch({ spec: { suspend: true } });
  // Without Emissary's kinds nothing is watched that could bring the edge to be looked at.
  const { items } = (await world.expect(200, 'GET', CRDS)) as unknown as { items: { metadata: { name: string } }[] };
  for (const { metadata } of items)
    if (metadata.name.endsWith('.getambassador.io')) await world.expect(200, 'DELETE', `${CRDS}/${metadata.name}`);
  await restarted(world);
  await statusWith(source, 'Ready=True, and not a word of the edge', good, (status) => {
    const isSilent = status.edge === undefined && reasonOf(status, 'EdgeHealthy') === undefined;
    return isSilent && reasonOf(status, 'Ready') === 'ReconciliationSucceeded';
  });
});
