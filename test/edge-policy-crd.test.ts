// The CRD of EdgePolicy is removed and installed again while the operator runs: nothing is asked without it, and what is asked
// then holds.
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping, policyInForce, stoppedBy } from './edge.ts';
import { applyObject, objectsOf } from './install.ts';
import { config } from './team.ts';
import { until } from './until.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');
const { cluster } = world;
const NAME = 'edgepolicies.plumbline.dev';
const CRD = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${NAME}`;

it('who was stopped by a policy passes, and is stopped by it when it is back', async () => {
  const hosts = { 'own.yaml': host('own', 'own.example'), 'h.yaml': host('granted', 'granted.example') };
  const own = await shop.source('own', { ...hosts, 'm.yaml': mapping('own', 'own.example', '/') });
  await applied(own);
  const policy = { grants: [{ namespaces: [shop.namespace], hosts: ['granted.example'] }] };
  await policyInForce(world, policy);
  const other = await blog.source('other', { 'm.yaml': mapping('other', 'granted.example', '/one/') });
  await blocked(other);
  await world.expect(200, 'DELETE', CRD);
  await applied(other);

  await until(async () => (await cluster.request('GET', CRD)).status === 404, {
    what: 'it is gone',
    timeoutMs: 90_000,
  });
  const isTold = () => world.operator.lines.some((line) => /EdgePolicy.*ApiNotFound/.test(JSON.stringify(line)));
  await until(isTold, { what: 'the operator has seen that it is gone', timeoutMs: 60_000 });
  await applied(other, await other.repository.write({ 'c.yaml': config('other') }));
  await applyObject(
    cluster,
    objectsOf('deploy/install.yaml').find(({ metadata }) => metadata.name === NAME)!,
  );
  const isServed = async () =>
    (await cluster.request('GET', '/apis/plumbline.dev/v1alpha1/edgepolicies')).status === 200;
  await until(isServed, { what: 'it is served' });
  await policyInForce(world, policy);
  const third = await blog.source('third', { 'm.yaml': mapping('third', 'granted.example', '/two/') });
  await stoppedBy(third);
});
