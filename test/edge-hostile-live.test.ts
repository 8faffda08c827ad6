// What somebody makes in the cluster by hand, past every gate, neither keeps others from being judged nor hides what they do.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, EDGE, edgeFixture, host, mapping, policyOf } from './edge.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

async function makeModule(name: string, spec: string): Promise<void> {
  const metadata = `{"name":"${name}","namespace":"${blog.namespace}"}`;
  const body = `{"apiVersion":"${EDGE}","kind":"Module","metadata":${metadata},"spec":${spec}}`;
  await world.expect(201, 'POST', `/apis/${EDGE}/namespaces/${blog.namespace}/modules`, { body });
}

it('a commit is judged whatever is live, and a theft is stopped also while the compiler fails', async () => {
  const own = await shop.source('app', {
    'h.yaml': host('shop', 'shop.example'),
    'm.yaml': mapping('cart', 'shop.example', '/cart/'),
  });
  await applied(own);

  // Deeper than JSON.stringify can go.
  const depth = 5_000;
  await makeModule('deep', `{"config":{"deep":${'['.repeat(depth)}${']'.repeat(depth)}}}`);
  // Emissary's compiler raises over it.
  await makeModule('ambassador', '{"config":{"default_labels":5}}');
  const thief = await blog.source('thief', { 'm.yaml': mapping('theft', 'shop.example', '/cart/') });
  const { edge } = await blocked(thief);
  assert.deepEqual(
    edge?.findings.filter(({ blocks }) => blocks).map(({ rule, name }) => [rule, name]),
    [['EM010', 'theft']],
  );
  assert.equal(await policyOf(blog, 'Mapping', 'theft'), undefined);

  const commit = await own.repository.write({ 'n.yaml': mapping('next', 'shop.example', '/next/') });
  await applied(own, commit);
});
