// What is live and left as it is counts, not what Git says of it: drift that is only reported, objects that nothing is written to.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, EDGE, edgeFixture, host, mapping } from './edge.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

const LEFT = {
  'drift that is only reported': { spec: { drift: { mode: 'Report' } }, annotations: {} },
  'an object that says so': { spec: {}, annotations: { 'plumbline.dev/reconcile': 'disabled' } },
} as const;

for (const [at, [what, { spec, annotations }]] of Object.entries(LEFT).entries()) {
  it(`${what}: what is live cannot be taken, and what Git says is free`, async () => {
    const hostname = `left-${at}.example`;
    const own = await shop.source(
      `own-${at}`,
      { 'h.yaml': host(`left-${at}`, hostname), 'm.yaml': mapping(`web-${at}`, hostname, '/git/') },
      spec,
    );
    await applied(own);
    const path = `/apis/${EDGE}/namespaces/${shop.namespace}/mappings/web-${at}?fieldManager=kubectl-edit`;
    await world.expect(200, 'PATCH', path, { body: { metadata: { annotations }, spec: { prefix: '/live/' } } });

    const other = await blog.source(`other-${at}`, { 'm.yaml': mapping(`taken-${at}`, hostname, '/live/') });
    const { edge } = await blocked(other);
    assert.deepEqual(
      edge?.findings.filter(({ blocks }) => blocks).map(({ rule }) => rule),
      ['EM010'],
    );
    await applied(other, await other.repository.write({ 'm.yaml': mapping(`taken-${at}`, hostname, '/git/') }));
  });
}
