// What is live and left as it is counts, not what Git says of it: drift that is only reported, objects that nothing is written to.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applied, blocked, EDGE, edgeFixture, host, mapping, reasonOf, statusWith } from './edge.ts';
import { restarted, type TenantSource } from './tenancy.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

const LEFT = {
  'drift that is only reported': { spec: { drift: { mode: 'Report' } }, annotations: {} },
  'an object that says so': { spec: {}, annotations: { 'plumbline.dev/reconcile': 'disabled' } },
} as const;

const owns: TenantSource[] = [];

for (const [at, [what, { spec, annotations }]] of Object.entries(LEFT).entries()) {
  it(`${what}: what is live cannot be taken, and what Git says is free`, async () => {
    const hostname = `left-${at}.example`;
    const own = await shop.source(
      `own-${at}`,
      { 'h.yaml': host(`left-${at}`, hostname), 'm.yaml': mapping(`web-${at}`, hostname, '/git/') },
      spec,
    );
    await applied(own);
    owns.push(own);
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

it('so it is after a restart, and who took meanwhile what Git says stops nobody', async () => {
  await restarted(world);
  for (const [at, own] of owns.entries()) {
    const requestedAt = `after the restart ${at}`;
    await own.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': requestedAt } } });
    const status = await statusWith(own, 'it was looked at', undefined, ({ lastHandledReconcileAt }) => {
      return lastHandledReconcileAt === requestedAt;
    });
    assert.equal(reasonOf(status, 'Ready'), 'ReconciliationSucceeded');
    const late = await blog.source(`late-${at}`, { 'm.yaml': mapping(`late-${at}`, `left-${at}.example`, '/live/') });
    const { edge } = await blocked(late);
    assert.deepEqual(
      edge?.findings.filter(({ blocks }) => blocks).map(({ rule }) => rule),
      ['EM010'],
    );
  }
});
