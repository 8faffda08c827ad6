// A commit that waits for an approval is judged meanwhile, and holds nobody up.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, policyOf, prefixOf, reasonOf, statusWith } from './edge.ts';

const { shop, blog } = await edgeFixture('shop', 'blog');

it('shows what the gate of the edge would say, takes no route by waiting, and is judged anew when it is approved', async () => {
  const theirs = await blog.source('app', { 'host.yaml': host('shop', 'shop.example') });
  await applied(theirs);
  const cart = (name: string) => mapping(name, 'shop.example', '/cart/');
  const ours = await shop.source('app', { 'cart.yaml': cart('cart') }, { sync: 'Manual' });
  const waits = (commit: string | undefined, rules: string[]) =>
    statusWith(ours, `waits with ${rules.join() || 'no finding'}`, commit, ({ pending }) => {
      return JSON.stringify(pending?.findings.map(({ rule }) => rule)) === JSON.stringify(rules);
    });
  const alone = await waits(undefined, []);
  assert.equal(alone.pending?.reason, 'WaitingForApproval');

  // What only waits has reserved nothing.
  const commit = await theirs.repository.write({ 'cart.yaml': cart('theirs') });
  await applied(theirs, commit);
  await ours.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'look' } } });
  const { pending, conditions } = await waits(undefined, ['EM010']);
  const [finding] = pending!.findings;
  assert.deepEqual(new Set([finding?.name, finding?.other?.name]), new Set(['cart', 'theirs']));
  assert.equal(finding?.file, 'cart.yaml');
  assert.match(conditions?.find(({ type }) => type === 'Reconciling')?.message ?? '', /stopped at the edge: EM010/);

  await ours.patch({ metadata: { annotations: { 'plumbline.dev/approve': pending!.revision } } });
  await blocked(ours);
  assert.equal(await policyOf(shop, 'Mapping', 'cart'), undefined);
  await theirs.repository.write({ 'cart.yaml': null });
  await applied(ours);
  assert.ok(await policyOf(shop, 'Mapping', 'cart'));
});

it('an edit of the source while a commit waits makes another revision of the commit before it, which is judged too', async () => {
  const theirs = await blog.source('other', {
    'host.yaml': host('edited', 'edited.example'),
    'cart.yaml': mapping('edited', 'edited.example', '/cart/'),
  });
  await applied(theirs);
  const files = {
    'own/cart.yaml': mapping('edited', 'edited.example', '/own/'),
    'taken/cart.yaml': mapping('edited', 'edited.example', '/cart/'),
    'free/cart.yaml': mapping('edited', 'edited.example', '/free/'),
  };
  const ours = await shop.source('edited', files, { path: 'own' });
  await applied(ours);
  await ours.patch({ spec: { sync: 'Manual' } });
  const more = mapping('more', 'edited.example', '/more/');
  await ours.repository.write({ 'own/more.yaml': more, 'taken/more.yaml': more, 'free/more.yaml': more });
  await statusWith(ours, 'waits', undefined, ({ pending }) => pending !== undefined);

  await ours.patch({ spec: { path: 'taken' } });
  const { pending } = await blocked(ours);
  assert.equal(pending?.reason, 'WaitingForApproval');
  assert.equal(await prefixOf(shop, 'edited'), '/own/');
  await ours.patch({ spec: { path: 'free' } });
  await applied(ours);
  assert.equal(await prefixOf(shop, 'edited'), '/free/');
});

it('a first commit that was stopped and waits now is no longer told as stopped', async () => {
  const site = { 'host.yaml': host('first', 'first.example'), 'm.yaml': mapping('first', 'first.example', '/') };
  await applied(await blog.source('first', site));
  const ours = await shop.source('first', { 'm.yaml': mapping('first', 'first.example', '/') });
  await blocked(ours);
  await ours.patch({ spec: { sync: 'Manual' } });
  const status = await statusWith(ours, 'waits', undefined, ({ pending }) => pending?.reason === 'WaitingForApproval');
  assert.deepEqual(
    status.pending?.findings.map(({ rule }) => rule),
    ['EM010'],
  );
  assert.deepEqual([reasonOf(status, 'EdgeHealthy'), status.edge], [undefined, undefined]);
});
