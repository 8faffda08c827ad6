// How Emissary is run, as an EdgePolicy says it, decides what is judged; and what nobody was granted, nobody may publish.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, EDGE, edgeFixture, host, mapping, policyInForce, stoppedBy } from './edge.ts';
import { manifest } from './team.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

it('environment: $DOMAIN is what it is in Emissary’s container', async () => {
  await policyInForce(world, { environment: [{ name: 'DOMAIN', value: 'env.example' }] });
  const own = await shop.source('env', {
    'h.yaml': host('env', 'env.example'),
    'm.yaml': mapping('env', 'env.example', '/'),
  });
  await applied(own);
  const theft = await blog.source('env', { 'm.yaml': mapping('env', '$DOMAIN', '/') });
  assert.deepEqual(await stoppedBy(theft), ['EM010']);
});

it('strictLabelSelectors: one label of a selector is enough only where Emissary is run so', async () => {
  await policyInForce(world, {});
  const labels = { part: 'web' };
  const selecting = await shop.source('labels', {
    'h.yaml': host('labels', 'labels.example', { mappingSelector: { matchLabels: { ...labels, tier: 'front' } } }),
    'm.yaml': manifest(EDGE, 'Mapping', 'labels', {
      metadata: { labels },
      spec: { hostname: 'labels.example', prefix: '/', service: 'web:80' },
    }),
  });
  assert.deepEqual(await stoppedBy(selecting), ['EM031']);
  await policyInForce(world, { strictLabelSelectors: false });
  await applied(selecting);
});

it('singleNamespace: what Emissary does not read is not judged', async () => {
  const files = { 'm.yaml': mapping('unread', '*', '/(?=x)', { prefix_regex: true }) };
  const unread = await blog.source('unread', files);
  assert.ok((await stoppedBy(unread)).includes('EM001'));
  await policyInForce(world, { namespace: shop.namespace, singleNamespace: true });
  await applied(unread);
});

it('unclaimed: Deny: what nobody was granted is nobody’s to publish', async () => {
  const mine = {
    name: 'the blog',
    selector: { matchLabels: { 'kubernetes.io/metadata.name': blog.namespace } },
    hosts: ['granted.example'],
  };
  await policyInForce(world, { unclaimed: 'Deny', grants: [mine] });
  const site = (name: string) => ({
    'h.yaml': host(name, `${name}.example`),
    'm.yaml': mapping(name, `${name}.example`, '/'),
  });
  await applied(await blog.source('granted', site('granted')));
  assert.deepEqual(await stoppedBy(await blog.source('unclaimed', site('unclaimed'))), ['EM101']);
});
