// Two teams, one route: whoever comes second is stopped before anything of his commit is applied.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, policyOf, reasonOf, statusWith } from './edge.ts';
import { config } from './team.ts';
import { restarted } from './tenancy.ts';
import { until } from './until.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

it('is stopped with both files named, nothing applied, nothing deleted; and goes on by itself after the revert', async () => {
  const first = await shop.source('app', {
    'host.yaml': host('shop', 'shop.example'),
    'edge/cart.yaml': mapping('cart', 'shop.example', '/cart/'),
  });
  await applied(first);
  const second = await blog.source('app', { 'site.yaml': config('site', { theme: 'old' }), 'old.yaml': config('old') });
  await applied(second);

  const stolen = {
    'site.yaml': config('site', { theme: 'new' }),
    'old.yaml': null,
    'theft.yaml': mapping('theft', 'shop.example', '/cart/'),
  };
  const commit = await second.repository.write(stolen);
  const status = await blocked(second, commit);
  const { message } = status.conditions!.find(({ type }) => type === 'Ready')!;
  for (const said of ['EM010', 'theft.yaml:1', `edge/cart.yaml:1 of the source ${shop.namespace}/app`, 'Mapping']) {
    assert.ok(message.includes(said), message);
  }
  const finding = status.edge?.findings.find(({ blocks }) => blocks);
  assert.deepEqual([finding?.rule, finding?.host, finding?.path], ['EM010', 'shop.example', '/cart/']);
  assert.equal(await policyOf(blog, 'Mapping', 'theft'), undefined);
  assert.deepEqual((await blog.get('configmaps/site'))?.['data'], { theme: 'old' });
  assert.ok(await blog.get('configmaps/old'));

  // The status does not wait for the event.
  const isTold = async () => {
    const { body } = await world.cluster.request<{ items: { reason: string; message: string }[] }>(
      'GET',
      `/api/v1/namespaces/${blog.namespace}/events`,
    );
    return body.items.some((event) => event.reason === 'EdgeBlocked' && event.message.includes('edge/cart.yaml'));
  };
  await until(isTold, { what: 'an event EdgeBlocked names the other file' });

  // The last good revision goes on being enforced.
  await world.expect(200, 'PATCH', `/api/v1/namespaces/${blog.namespace}/configmaps/site?fieldManager=kubectl-edit`, {
    body: { data: { theme: 'by hand' } },
  });
  await until(
    async () => JSON.stringify((await blog.get('configmaps/site'))?.['data']) === JSON.stringify({ theme: 'old' }),
    { what: 'the change by hand is put back' },
  );

  // A restart changes nothing about it.
  await restarted(world);
  await until(() => world.operator.lines.some(({ msg }) => msg === 'the source could not be reconciled'), {
    what: 'it is stopped again',
  });
  assert.equal(await policyOf(blog, 'Mapping', 'theft'), undefined);
  assert.deepEqual((await blog.get('configmaps/site'))?.['data'], { theme: 'old' });
  assert.ok(await blog.get('configmaps/old'));
  // A start that takes seconds is told meanwhile.
  await first.ready('True', 'ReconciliationSucceeded');

  // The first one lets the route go: nobody has to touch the second.
  await first.repository.write({ 'edge/cart.yaml': mapping('cart', 'shop.example', '/basket/') });
  await applied(second, commit);
  assert.ok(await policyOf(blog, 'Mapping', 'theft'));
  assert.equal(await blog.get('configmaps/old'), undefined);
  const sound = await statusWith(
    second,
    'EdgeHealthy=True',
    commit,
    (now) => reasonOf(now, 'EdgeHealthy') === 'EdgeSound',
  );
  assert.equal(sound.edge?.members, 1);
});
