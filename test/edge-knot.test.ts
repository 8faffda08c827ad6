// A source is stopped by a route that another one will prune, which itself waits for an object that the first will let go.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, policyOf, reasonOf, statusWith } from './edge.ts';
import { config } from './team.ts';
import { mayEdit, type Tenant, type TenantSource } from './tenancy.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

/** `giver` has the route, `taker` has what the giver will want. */
async function pair(name: string, wanted: string, taking: Tenant): Promise<[giver: TenantSource, taker: TenantSource]> {
  const giver = await shop.source(`${name}-giver`, {
    'h.yaml': host(name, `${name}.example`),
    'route.yaml': mapping(`${name}-old`, `${name}.example`, '/'),
  });
  await applied(giver);
  const taker = await taking.source(`${name}-taker`, { 'wanted.yaml': wanted });
  await applied(taker);
  return [giver, taker];
}

/** The taker asks first and is stopped, or second and finds the giver waiting. */
async function untied(
  name: string,
  wanted: string,
  { taking, first, atomic = false }: { taking: Tenant; first: 'giver' | 'taker'; atomic?: boolean },
) {
  const [giver, taker] = await pair(name, wanted, taking);
  if (atomic) await giver.patch({ spec: { atomic } });
  const take = () =>
    taker.repository.write({ 'wanted.yaml': null, 'route.yaml': mapping(`${name}-new`, `${name}.example`, '/') });
  const more = { 'more.yaml': config(`${name}-more`) };
  const give = () => giver.repository.write({ 'wanted.yaml': wanted, 'route.yaml': null, ...more });
  let taken: string;
  let given: string;
  if (first === 'taker') {
    await blocked(taker, (taken = await take()));
    given = await give();
  } else {
    await refused(giver, (given = await give()));
    taken = await take();
  }
  await Promise.all([applied(giver, given), applied(taker, taken)]);
  assert.equal(await policyOf(shop, 'Mapping', `${name}-old`), undefined);
  assert.ok(await policyOf(taking, 'Mapping', `${name}-new`));
}

function refused(source: TenantSource, commit: string) {
  return statusWith(source, 'Ready=False (ConflictDetected)', commit, (status) => {
    return reasonOf(status, 'Ready') === 'ConflictDetected';
  });
}

it('the route goes first, whoever asks first', async () => {
  await untied('early', config('early'), { taking: shop, first: 'taker' });
  await untied('late', config('late'), { taking: shop, first: 'giver' });
});

it('so it does when what the other one waits for is a route too', async () => {
  await untied('routes', mapping('routes', 'routes.example', '/other/'), { taking: shop, first: 'taker' });
});

it('and when its source applies all or nothing', async () => {
  await untied('whole', config('whole'), { taking: shop, first: 'taker', atomic: true });
});

it('and between namespaces', async () => {
  await mayEdit(world.cluster, { name: 'plumbline', namespace: shop.namespace }, blog.namespace);
  await untied('far', config('far', {}, { namespace: blog.namespace }), { taking: blog, first: 'taker' });
});

it('but a route that only gets another name stays with its owner', async () => {
  const [giver, taker] = await pair('kept', mapping('kept', 'kept.example', '/other/'), shop);
  const taken = await taker.repository.write({
    'wanted.yaml': null,
    'new.yaml': mapping('kept-new', 'kept.example', '/'),
  });
  await blocked(taker, taken);
  const given = await giver.repository.write({ 'route.yaml': mapping('kept', 'kept.example', '/') });
  await refused(giver, given);
  for (const source of [taker, giver]) {
    await source.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'again' } } });
    await statusWith(
      source,
      'asked again',
      undefined,
      ({ lastHandledReconcileAt }) => lastHandledReconcileAt === 'again',
    );
  }
  await blocked(taker, taken);
  assert.ok(await policyOf(shop, 'Mapping', 'kept-old'));
});
