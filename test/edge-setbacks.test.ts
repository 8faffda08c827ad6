// What does not go as declared on the edge is told where the team looks: the status of its source, and one event.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GitOpsSourceStatus } from '../src/api/source.ts';
import { applied, edgeFixture, host, mapping, statusWith } from './edge.ts';
import { manifest } from './team.ts';
import type { Tenant, TenantSource } from './tenancy.ts';
import { until } from './until.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

interface Event {
  type: string;
  reason: string;
  message: string;
}

function eventOf({ namespace }: Tenant, reason: string): Promise<Event> {
  return until(
    async () => {
      const { body } = await world.cluster.request<{ items: Event[] }>('GET', `/api/v1/namespaces/${namespace}/events`);
      const found = body.items.filter((event) => event.reason === reason);
      assert.ok(found.length < 2, JSON.stringify(found));
      return found[0];
    },
    { what: `an event ${reason}`, timeoutMs: 90_000 },
  );
}

function setbacksOf(source: TenantSource, what: string, states: readonly string[]): Promise<GitOpsSourceStatus> {
  return statusWith(source, what, undefined, ({ edge }) => {
    return JSON.stringify(edge?.setbacks?.objects.map(({ state }) => state) ?? []) === JSON.stringify(states);
  });
}

it('objects that are dropped, unserved or shadowed stand in the status and in one event, until they are mended', async () => {
  const source = await shop.source(
    'app',
    {
      'host.yaml': host('shop', 'shop.example'),
      'all.yaml': mapping('all', 'shop.example', '/api/(v1|v2)/.*', { prefix_regex: true }),
      'hidden.yaml': mapping('hidden', 'shop.example', '/api/v1/users'),
      'web.yaml': mapping('web', 'shop.example', '/web/'),
      'twin.yaml': mapping('web.twin', 'shop.example', '/web/'),
      'nowhere.yaml': mapping('nowhere', 'nowhere.example', '/'),
    },
    { edge: { mode: 'Warn' } },
  );
  await applied(source);
  const { edge } = await setbacksOf(source, 'three setbacks', ['Dropped', 'Unserved', 'Shadowed']);
  assert.equal(edge?.setbacks?.count, 3);
  const [dropped, unserved, shadowed] = edge.setbacks.objects;
  assert.deepEqual([dropped?.name, dropped?.file], ['web.twin', 'twin.yaml']);
  assert.deepEqual([unserved?.name, unserved?.message], ['nowhere', 'no Host serves it']);
  assert.match(
    shadowed?.message ?? '',
    /^Mapping \S+\/all .*takes all of the requests for shop.example\/api\/v1\/users/,
  );
  const { type, message } = await eventOf(shop, 'EdgeSetback');
  assert.equal(type, 'Warning');
  for (const said of ['1 object is dropped', '1 object is shadowed', 'twin.yaml', 'hidden.yaml', 'nowhere.yaml']) {
    assert.ok(message.includes(said), message);
  }

  await source.repository.write({ 'twin.yaml': null, 'hidden.yaml': null, 'nowhere.yaml': null });
  const mended = await setbacksOf(source, 'no setbacks', []);
  assert.equal(mended.edge?.setbacks, undefined);
});

it('a route that two teams share on purpose says to each who gets what', async () => {
  const both = `${shop.namespace}, ${blog.namespace}`;
  const part = (name: string, more: object = {}) =>
    manifest('getambassador.io/v3alpha1', 'Mapping', name, {
      metadata: { annotations: { 'plumbline.dev/route-group': both } },
      spec: { hostname: 'shop.example', prefix: '/shared/', service: 'web:80', ...more },
    });
  const first = await shop.source('shared', { 'part.yaml': part('stable') });
  await applied(first);
  const second = await blog.source('shared', { 'part.yaml': part('guest', { weight: 20 }) });
  await applied(second);
  const told = [
    [first, 80, 'guest'],
    [second, 20, 'stable'],
  ] as const;
  for (const [source, share, other] of told) {
    const { edge } = await setbacksOf(source, 'a shared route', ['Split']);
    const { message = '' } = edge?.setbacks?.objects[0] ?? {};
    assert.ok(message.startsWith(`it gets ${share} % of the requests for shop.example/shared/`), message);
    assert.ok(message.includes(`/${other} (source`), message);
  }
  assert.equal((await eventOf(blog, 'EdgeShared')).type, 'Normal');
});
